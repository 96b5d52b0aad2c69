// The stack as a client and as an admin sees it, and the stand-in provider's own journal.
import OpenAI from "openai";
import { inject } from "vitest";

export const demo = inject("demo");

export interface JournalEntry {
  path: string;
  headers: Record<string, string>;
  body: { model?: string; stream?: boolean } | null;
}

/** The real SDK with its defaults, retries included. */
export function openai(apiKey: string = demo.api_keys.web): OpenAI {
  return new OpenAI({ baseURL: `${demo.url}/v1`, apiKey });
}

/** What reached the providers, by the id of the provider that was called. */
export async function journal(): Promise<{ provider: string; entry: JournalEntry }[]> {
  const response = await fetch(`${demo.upstream}/__aimock/journal?limit=1000`);
  const answer = (await response.json()) as JournalEntry[] | { entries: JournalEntry[] };
  const entries = Array.isArray(answer) ? answer : answer.entries;
  return entries.map((entry) => ({ provider: entry.headers["x-test-id"] ?? "", entry }));
}

/** Has the stand-in fail one provider alone, or none: rates from 0 to 1, `dropRate` being a 500. */
export async function failAlone(provider: string, rates: Record<string, number> | null): Promise<void> {
  const init = rates ? { method: "POST", body: JSON.stringify(rates) } : { method: "DELETE" };
  const headers = { "x-test-id": provider, "content-type": "application/json" };
  const answer = await fetch(`${demo.upstream}/__aimock/chaos`, { ...init, headers });
  if (!answer.ok) throw new Error(`the stand-in refused: ${answer.status}`);
}

/** Calls the admin API with the admin's token. */
export async function admin(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${demo.admin_token}`);
  if (init.body) headers.set("content-type", "application/json");
  return fetch(`${demo.url}/admin/api/orgs/${demo.org}${path}`, { ...init, headers });
}

export interface StoredPolicy {
  enabled: boolean;
  requirements: string[];
  headquarters: string[];
  providers: { allow: string[]; block: string[] };
  models: { allow: string[]; block: string[] };
}

/** Changes the policy in force, as an admin with the newest revision does. */
export async function changePolicy(change: Partial<StoredPolicy>): Promise<number> {
  const current = (await (await admin("/policy")).json()) as { policy: StoredPolicy; revision: number };
  const saved = await admin("/policy", {
    method: "PUT",
    headers: { "if-match": `"${current.revision}"` },
    body: JSON.stringify({ ...current.policy, ...change }),
  });
  if (!saved.ok) throw new Error(`the policy was not saved: ${saved.status} ${await saved.text()}`);
  return ((await saved.json()) as { revision: number }).revision;
}
