// The secrets of the deployed Worker: their names can be read, their values only written.
import * as z from "zod";
import { Halt } from "./command.ts";
import { runWrangler } from "./wrangler.ts";

const Secrets = z.array(z.object({ name: z.string() }));

/** The names of the secrets that are set. */
export async function listSecrets(): Promise<string[]> {
  const { ok, stdout, output } = await runWrangler(["secret", "list", "--format", "json"]);
  if (!ok) throw new Halt(`The Worker's secrets could not be listed:\n\n${output}`);
  return Secrets.parse(JSON.parse(stdout)).map(({ name }) => name);
}

/** Sets a secret; its value goes to wrangler's standard input and is never an argument. */
export async function putSecret(name: string, value: string): Promise<void> {
  const { ok, output } = await runWrangler(["secret", "put", name], value);
  if (!ok) throw new Halt(`The secret ${name} could not be set:\n\n${output}`);
}
