// What somebody could do about a block: who serves the model all the same, what alone stands in the way, who can change it.
import type { CatalogIndex } from "../../catalog/lookup.ts";
import { projectPolicyOf } from "../../compliance/rules.ts";
import type { SecurityEvent } from "../../store/event.ts";
import type { Member } from "../../store/members.ts";
import type { OrgRecord } from "../../store/records.ts";
import { compliantProviders, failureLabel, onlyInTheWay, remoteToolsAsked } from "./event-words.ts";

interface RemedyView {
  member: Member;
  event: SecurityEvent;
  catalog: CatalogIndex | null;
  record: OrgRecord | null;
  now: number;
}

/** Nothing while it cannot be known what is in force. */
export const Remedy = ({ member, event, catalog, record, now }: RemedyView) => {
  if (catalog === null || record === null) return null;
  const inForce = { record, catalog, now };
  const tools = remoteToolsAsked(event);
  const served = event.model === "auto" ? null : compliantProviders(event, inForce);
  return (
    <section class="card" aria-labelledby="remedy">
      <h2 id="remedy">What to do</h2>
      <ul class="prose">
        {tools.length > 0 && (
          <li>
            The request would have the provider call somebody else, by <code>{tools.join(", ")}</code>. Leave that out;
            what follows is about the request without it.
          </li>
        )}
        {served && served.length > 0 && (
          <li>
            Under revision {record.revision}, which is in force now,{" "}
            {served.length === 1 ? "this provider" : "these providers"} of <code>{event.model}</code>{" "}
            {served.length === 1 ? "passes" : "pass"}: <Targets of={served.map((id) => `${id}/${event.model}`)} />. Call
            it by that name, where the gateway has credentials for it; or ask for <code>{event.model}</code> alone, and
            the gateway goes only to providers that pass.
          </li>
        )}
        {served && served.length === 0 && (
          <li>
            Under revision {record.revision}, which is in force now, no provider of <code>{event.model}</code> passes.
            Choose another model: <a href="/settings/models">Models</a> and <code>GET /v1/models</code> list those that
            an allowed provider serves.
          </li>
        )}
        {onlyInTheWay(event, inForce).map(({ code, targets }) => (
          <li>
            Only <strong>{failureLabel(code)}</strong> stands in the way of <Targets of={targets} />: without it,{" "}
            {targets.length === 1 ? "it" : "each of them"} would pass.
          </li>
        ))}
        <li>
          <WhoCanChange member={member} event={event} record={record} />
        </li>
        <li>If the catalog is wrong about a provider, tell whoever operates this gateway, with a source.</li>
      </ul>
    </section>
  );
};

const Targets = ({ of }: { of: readonly string[] }) => (
  <>
    {of.map((target, index) => (
      <>
        {index > 0 && ", "}
        <code>{target}</code>
      </>
    ))}
  </>
);

/** Roles, not names: who the others are is the members page's to tell, which is not open to everybody who sees this. */
const WhoCanChange = ({ member, event, record }: Pick<RemedyView, "member" | "event"> & { record: OrgRecord }) => {
  const { project } = event;
  const ownPolicy = project === null ? undefined : projectPolicyOf(record.projects, project);
  return (
    <>
      {member.plan === "enterprise" ? (
        <>
          If the policy should allow this: its owners and admins can change it, and you are an {member.role} of{" "}
          {member.org_name}. <a href="/settings/compliance">Compliance</a> shows what a change would allow before it is
          saved.
        </>
      ) : (
        <>
          If the <a href="/settings/compliance">policy</a> should allow this: {member.org_name} is on the {member.plan}{" "}
          plan, where nobody can change the policy, and an owner can only switch it off. Whoever operates this gateway
          sets the plan.
        </>
      )}
      {ownPolicy && (
        <>
          {" "}
          The project <a href={`/settings/projects/${project}`}>{project}</a> carries a policy of its own, which applies
          as well.
        </>
      )}
    </>
  );
};
