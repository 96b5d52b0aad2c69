// What the form of a page sends although nobody types it, when the page was opened with a session.
import { env as bindings } from "cloudflare:workers";
import type { Env } from "../src/env.ts";
import { hashSecret, newId } from "../src/store/secrets.ts";

/** The forms that make something, and what. */
const MAKES = [
  [/^\/keys$/, "key"],
  [/^\/members\/[^/]+\/tokens$/, "tok"],
  [/^\/webhooks$/, "whk"],
] as const;

/** The organization that the form is for, none without a session; and the id of what it makes. */
export async function hiddenFields(path: string, cookie = ""): Promise<Record<string, string>> {
  const session = /__Host-portcullis=([^;]+)/.exec(cookie)?.[1] ?? "";
  const organization = await (bindings as unknown as Env).DB.prepare(
    "SELECT t.org FROM sessions s JOIN tokens t ON t.id = s.token WHERE s.hash = ?",
  )
    .bind(hashSecret(session))
    .first<string>("org");
  const kind = MAKES.find(([form]) => form.test(path))?.[1];
  return { ...(organization !== null && { organization }), ...(kind && { new_id: newId(kind) }) };
}
