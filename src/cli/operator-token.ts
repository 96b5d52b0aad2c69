// The operator's token: who holds it may create organizations and publish the catalog. Cloudflare keeps it as a secret
// that cannot be read back, so the one made here is also kept in a file that only its owner can read.
import { existsSync, readFileSync } from "node:fs";
import { Halt } from "./command.ts";
import { newOperatorToken } from "./local-variables.ts";
import { OPERATOR_TOKEN_FILE } from "./paths.ts";
import { writePrivateFile } from "./private-file.ts";
import { putSecret } from "./worker-secrets.ts";

const SECRET = "OPERATOR_TOKEN";
const MIN_CHARACTERS = 32;
const KEPT_IN = ".wrangler/operator-token (mode 0600; move it to your password store)";

/** The token to act with: from the environment, else from the file, else a new one; set as a secret when there is none. */
export async function ensureOperatorToken(secrets: readonly string[]): Promise<{ token: string; note: string }> {
  const isSet = secrets.includes(SECRET);
  const given = process.env[SECRET] || null;
  const kept = existsSync(OPERATOR_TOKEN_FILE) ? readFileSync(OPERATOR_TOKEN_FILE, "utf8").trim() : null;
  if (isSet && !given && !kept) throw tokenUnknown();
  if (given && given.length < MIN_CHARACTERS)
    throw new Halt(`${SECRET} must have at least ${MIN_CHARACTERS} characters.`);
  const token = given ?? kept ?? newOperatorToken();
  // Kept before it is set: a token that nobody knows would have to be replaced.
  if (!given && !kept) writePrivateFile(OPERATOR_TOKEN_FILE, `${token}\n`);
  if (!isSet) await putSecret(SECRET, token);
  const source = given ? `the one in the environment variable ${SECRET}` : `kept in ${KEPT_IN}`;
  return { token, note: `${isSet ? `secret ${SECRET} is set` : `secret ${SECRET} set now`}; ${source}` };
}

function tokenUnknown(): Halt {
  return new Halt(
    `The Worker is deployed and has an ${SECRET}, but it is not known here, so the catalog was not published.

Run again with it:   ${SECRET}=… npm run deploy
or replace it:       npx wrangler secret put ${SECRET}`,
  );
}
