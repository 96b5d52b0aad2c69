// What the forms of a page say that was opened with a session: for which organization.
import { env as bindings } from "cloudflare:workers";
import type { Env } from "../src/env.ts";
import { hashSecret } from "../src/store/secrets.ts";

/** The field of every form; none without a session. */
export async function openedFor(cookie = ""): Promise<{ organization?: string }> {
  const session = /__Host-portcullis=([^;]+)/.exec(cookie)?.[1] ?? "";
  const organization = await (bindings as unknown as Env).DB.prepare(
    "SELECT t.org FROM sessions s JOIN tokens t ON t.id = s.token WHERE s.hash = ?",
  )
    .bind(hashSecret(session))
    .first<string>("org");
  return organization === null ? {} : { organization };
}
