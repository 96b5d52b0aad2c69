// The demo organization's file: what a person, a script or a test needs to use the running demo. It holds credentials.
import { readFileSync } from "node:fs";
import * as z from "zod";
import { DEMO_FILE } from "./paths.ts";
import { writePrivateFile } from "./private-file.ts";

export const Demo = z.strictObject({
  url: z.url(),
  org: z.string(),
  api_keys: z.strictObject({ web: z.string(), batch: z.string() }),
  owner_token: z.string(),
  admin_token: z.string(),
  developer_token: z.string(),
  operator_token: z.string(),
  /** What seals organizations' own provider keys; a later start needs the same one to open them. */
  credentials_key: z.string().optional(),
  /** What signs the chains of events. */
  audit_signing_key: z.string().optional(),
  /** The stand-in for the providers; null when the real ones are called. */
  upstream: z.string().nullable(),
});
export type Demo = z.infer<typeof Demo>;

/** What an earlier start left, or null when there is nothing that could still be used. */
export function readDemo(): Demo | null {
  try {
    return Demo.parse(JSON.parse(readFileSync(DEMO_FILE, "utf8")));
  } catch {
    return null;
  }
}

export function writeDemo(demo: Demo): void {
  writePrivateFile(DEMO_FILE, `${JSON.stringify(demo, null, 2)}\n`);
}
