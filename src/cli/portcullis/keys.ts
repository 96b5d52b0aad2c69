// `keys create|list|revoke`: the keys that projects call the gateway with.
import * as z from "zod";
import { type Command, misuse } from "./asked.ts";
import { asMember } from "./gateway.ts";
import { allRows } from "./lists.ts";
import { print, printJson, printTable, remark } from "./printing.ts";

const Published = z.object({ id: z.string(), published: z.boolean(), note: z.string().optional() });
const NewKey = Published.extend({ key: z.string() });
const Key = z.looseObject({
  id: z.string(),
  prefix: z.string(),
  project: z.string(),
  name: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

const create: Command = {
  name: "keys create",
  summary: "Create an API key, and print it this once",
  details: "The key alone is printed on stdout; only its hash is stored.",
  options: {
    project: { value: "PROJECT", help: "the project that it belongs to" },
    name: { value: "NAME", help: "what people call it" },
    "expires-at": { value: "TIME", help: "when it ends, in UTC, such as 2027-01-31T00:00:00Z" },
  },
  async run(asked) {
    const [project, name, expires_at] = [asked.text("project"), asked.text("name"), asked.text("expires-at")];
    if (project === undefined || name === undefined) throw misuse(create, "keys create needs --project and --name.");
    const body = { project, name, ...(expires_at !== undefined && { expires_at }) };
    const made = await asMember(asked).ask(NewKey, { method: "POST", path: "/keys", body });
    if (asked.has("json")) return printJson(made);
    print(made.key);
    remark(`${made.id}, for project ${project}. It is not shown again. ${made.note ?? ""}`.trimEnd());
  },
};

const list: Command = {
  name: "keys list",
  summary: "List the API keys, newest first",
  options: { project: { value: "PROJECT", help: "of this project alone" } },
  async run(asked) {
    const rows = await allRows(asMember(asked), Key, { path: "/keys", query: { project: asked.text("project") } });
    if (asked.has("json")) return printJson({ data: rows });
    printTable([
      ["id", "prefix", "project", "name", "created", "state"],
      ...rows.map((key) => [key.id, key.prefix, key.project, key.name, key.created_at.slice(0, 10), stateOf(key)]),
    ]);
  },
};

const revoke: Command = {
  name: "keys revoke",
  argument: "ID",
  summary: "Revoke an API key, for good",
  options: {},
  async run(asked) {
    const path = `/keys/${encodeURIComponent(asked.argument ?? "")}`;
    const revoked = await asMember(asked).ask(Published, { method: "DELETE", path });
    if (asked.has("json")) return printJson(revoked);
    print(`${revoked.id} is revoked.`);
    if (revoked.note !== undefined) remark(revoked.note);
  },
};

export const keyCommands: readonly Command[] = [create, list, revoke];

function stateOf({ revoked_at, expires_at }: z.infer<typeof Key>): string {
  if (revoked_at !== null) return `revoked ${revoked_at.slice(0, 10)}`;
  if (expires_at === null) return "valid";
  return `${Date.parse(expires_at) > Date.now() ? "valid until" : "expired"} ${expires_at.slice(0, 10)}`;
}
