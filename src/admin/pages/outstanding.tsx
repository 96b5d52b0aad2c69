// What a page says while a revision is saved and the edge does not have it.
import type { Org } from "../../store/orgs.ts";
import { Notice } from "./layout.tsx";

/** Nothing once the newest revision has been published. */
export const Outstanding = ({ org, revision }: { org: Org; revision: number }) =>
  org.published_revision >= revision ? null : (
    <Notice kind="warn" title={`Revision ${revision} has not reached the edge yet`} role="status">
      <p>
        It is saved, but the gateway still enforces{" "}
        {org.published_revision > 0 ? `revision ${org.published_revision}` : "what it had before"}. Publishing is tried
        again every few minutes.
      </p>
    </Notice>
  );
