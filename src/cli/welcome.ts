// What `npm start` says once everything runs: where to look, how to sign in, and four commands to paste. Pure.
import { styleText } from "node:util";
import type { Demo } from "./demo.ts";
import { emailOf } from "./seed.ts";

/** Under the demo's policy some of its providers may serve it and others may not. */
const MODEL = "gpt-oss-120b";
/** Neither of the demo policy's two requirements is met. */
const BLOCKED_MODEL = "deepseek/deepseek-v3.2";

/** The welcome, at most 100 columns wide. `upstreamNote` says what answers in the providers' place. */
export function welcome(demo: Demo, upstreamNote: string): string {
  const { url, org, owner_token, admin_token, api_keys } = demo;
  const rows = [
    ["Settings", `${url}/settings`],
    ["Sign in", `${owner_token}  (${emailOf("owner")})`],
    ["Policy", `${org} asks of a provider: SOC 2 Type 2, and no training on prompts`],
    ["Upstream", upstreamNote],
  ];
  return [
    "",
    `  ${bold("Portcullis is running.")} Ctrl-C stops it; all credentials are in .wrangler/demo.json.`,
    "",
    ...rows.map(([label = "", text]) => `  ${label.padEnd(10)}${text}`),
    "",
    ...numbered(1, `Allowed: of the providers of ${MODEL}, one that meets the policy answers.`),
    ...chat({ url, key: api_keys.web, options: "-i", body: prompt(MODEL, "Say hello") }),
    ...numbered(2, "The same, streamed."),
    ...chat({ url, key: api_keys.web, options: "-N", body: { ...prompt(MODEL, "Count to 50"), stream: true } }),
    ...numbered(3, `Blocked: ${BLOCKED_MODEL.split("/")[0]} does not meet it. Nothing is sent; the answer is a 403.`),
    ...chat({ url, key: api_keys.web, options: "-i", body: prompt(BLOCKED_MODEL, "Say hello") }),
    ...numbered(4, "The security event that the block left."),
    `  curl '${url}/admin/api/orgs/${org}/events?limit=1' \\`,
    `    -H 'authorization: Bearer ${admin_token}'`,
    "",
    `  ${bold("Blocks show here as they happen:")}`,
    "",
  ].join("\n");
}

function prompt(model: string, content: string) {
  return { model, messages: [{ role: "user", content }] };
}

function numbered(number: number, title: string): string[] {
  return [`  ${bold(`${number}  ${title}`)}`, ""];
}

function chat({ url, key, options, body }: { url: string; key: string; options: string; body: object }): string[] {
  return [
    `  curl ${options} ${url}/v1/chat/completions -H 'content-type: application/json' \\`,
    `    -H 'authorization: Bearer ${key}' \\`,
    `    -d '${JSON.stringify(body)}'`,
    "",
  ];
}

/** Bold where the terminal can; plain in a pipe or with NO_COLOR. */
const bold = (text: string): string => styleText("bold", text);
