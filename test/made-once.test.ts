// What a page's form makes, it makes once, however often the form is sent: what it makes has a secret that is shown once.
import { beforeAll, describe, expect, it } from "vitest";
import { newId } from "../src/store/secrets.ts";
import { type PageForm, postFormsIn } from "./page-forms.ts";
import { signInWith, visitPage } from "./page-visit.ts";
import { openWebhookWorld, type WebhookWorld } from "./webhook-world.ts";

const DAY_MS = 86_400_000;
const MEMBER = "/members/admin%40acme.example";

let acme: WebhookWorld;
let other: WebhookWorld;
const cookies = new Map<WebhookWorld, string>();
beforeAll(async () => {
  acme = await openWebhookWorld();
  other = await openWebhookWorld();
  for (const world of [acme, other]) cookies.set(world, await signInWith(world.env, world.world.tokens.owner));
});

interface Made {
  /** The page with the form, the form's action, and the list of what there is. */
  page: string;
  action: string;
  list: string;
  kind: "key" | "tok" | "whk";
  fields: (world: WebhookWorld) => Record<string, string>;
  secret: RegExp;
  already: string;
  /** Where what was made is looked at, by its id. */
  leadsTo: (id: string) => string;
}
const MADE: [string, Made][] = [
  [
    "a key",
    {
      page: "/projects",
      action: "/keys",
      list: "/keys?limit=200",
      kind: "key",
      fields: () => ({ project: "fresh", name: "CI" }),
      secret: /pcl_[\w-]{51}/,
      already: "This key was created already",
      leadsTo: (id) => `/settings/keys/${id}`,
    },
  ],
  [
    "a token",
    {
      page: MEMBER,
      action: `${MEMBER}/tokens`,
      list: `${MEMBER}/tokens?limit=200`,
      kind: "tok",
      fields: () => ({ name: "CI" }),
      secret: /pcladm_[\w-]{51}/,
      already: "This token was issued already",
      leadsTo: () => `/settings${MEMBER}`,
    },
  ],
  [
    "a webhook",
    {
      page: "/webhooks",
      action: "/webhooks",
      list: "/webhooks",
      kind: "whk",
      fields: (world) => ({ url: world.address("siem"), format: "json" }),
      secret: /whsec_[A-Za-z0-9+/]{43}=/,
      already: "This webhook was set up already",
      leadsTo: (id) => `/settings/webhooks/${id}`,
    },
  ],
];

describe.each(MADE)("%s", (_, { page, action, list, kind, fields, secret, already, leadsTo }) => {
  const cookieOf = (world: WebhookWorld) => cookies.get(world) ?? "";
  const listed = async (world: WebhookWorld) => (await world.world.ask("owner", "GET", list)).body.data;
  const opened = async (world: WebhookWorld): Promise<PageForm["hidden"]> => {
    const { html } = await visitPage(world.env, page, { cookie: cookieOf(world) });
    return postFormsIn(html).find((form) => form.action === action)?.hidden ?? {};
  };
  const send = (world: WebhookWorld, hidden: PageForm["hidden"]) =>
    visitPage(world.env, action, { cookie: cookieOf(world), form: { ...hidden, ...fields(world) } });

  it("is made by the form once, and the form sent again says so", async () => {
    const hidden = await opened(acme);
    const before = (await listed(acme)).length;
    const first = await send(acme, hidden);
    expect(first.status).toBeLessThan(300);
    expect(first.html).toMatch(secret);
    const again = await send(acme, hidden);
    expect(again.status).toBe(409);
    expect(again.html).toContain(already);
    expect(again.html).toContain(`href="${leadsTo(hidden.new_id ?? "")}"`);
    expect(again.html).not.toMatch(secret);
    expect(await listed(acme)).toHaveLength(before + 1);
  });

  it("is made once by a double click", async () => {
    const hidden = await opened(acme);
    const before = (await listed(acme)).length;
    const answers = await Promise.all([send(acme, hidden), send(acme, hidden)]);
    expect(answers.map(({ status }) => (status < 300 ? "made" : status)).sort()).toEqual([409, "made"]);
    expect(await listed(acme)).toHaveLength(before + 1);
  });

  it("is another one by the form of the page opened again", async () => {
    const before = (await listed(acme)).length;
    for (let time = 0; time < 2; time++) expect((await send(acme, await opened(acme))).status).toBeLessThan(300);
    expect(await listed(acme)).toHaveLength(before + 2);
  });

  it("another organization's is neither touched nor told of by its id", async () => {
    const hidden = await opened(acme);
    await send(acme, hidden);
    const before = await listed(acme);
    const taken = await send(other, { ...(await opened(other)), new_id: hidden.new_id ?? "" });
    expect(taken.status).toBe(503);
    expect(taken.html).not.toContain(already);
    expect(taken.html).not.toMatch(secret);
    expect(await listed(acme)).toEqual(before);
    expect((await listed(other)).map(({ id }: { id: string }) => id)).not.toContain(hidden.new_id);
  });

  it.each([
    ["none", () => ""],
    ["one of another kind", () => newId("log")],
    ["one in lower case", () => newId(kind).toLowerCase()],
    ["one with more behind it", () => `${newId(kind)}/../x`],
    ["one of no time", () => `${kind}_8${"Z".repeat(25)}`],
  ])("is not made under an id that no form brings: %s", async (_, id) => {
    const before = await listed(acme);
    const refused = await send(acme, { ...(await opened(acme)), new_id: id() });
    expect(refused.status).toBe(400);
    expect(await listed(acme)).toEqual(before);
  });

  it("is made by a form that stood open overnight", async () => {
    const new_id = newId(kind, Date.now() - DAY_MS);
    expect((await send(acme, { ...(await opened(acme)), new_id })).status).toBeLessThan(300);
  });

  it.each([
    ["behind all others", () => `${kind}_${"0".repeat(26)}`],
    ["eight days back", () => newId(kind, Date.now() - 8 * DAY_MS)],
    ["five minutes ahead", () => newId(kind, Date.now() + 300_000)],
    ["before all others", () => `${kind}_7${"Z".repeat(25)}`],
  ])("does not take a place in the list that is not its own: %s", async (_, id) => {
    const before = await listed(acme);
    const refused = await send(acme, { ...(await opened(acme)), new_id: id() });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("This form is too old");
    expect(refused.html).toContain("reload the page");
    expect(await listed(acme)).toEqual(before);
  });
});

it("an id is not for the caller of the API to choose", async () => {
  for (const field of ["id", "new_id"]) {
    const body = { project: "web", name: "CI", [field]: newId("key") };
    expect((await acme.ask("POST", "/keys", body)).status).toBe(400);
  }
});

it("the webhook that fills the last place says so when its form is sent again, rather than that there are too many", async () => {
  const cookie = cookies.get(other) ?? "";
  const { html } = await visitPage(other.env, "/webhooks", { cookie });
  const hidden = postFormsIn(html).find(({ action }) => action === "/webhooks")?.hidden;
  const left = 9 - (await other.ask("GET", "/webhooks")).body.data.length;
  for (let count = 0; count < left; count++) await other.add(`receiver-${count}`);
  const form = { ...hidden, url: other.address("last"), format: "json" };
  expect((await visitPage(other.env, "/webhooks", { cookie, form })).status).toBe(200);
  expect((await visitPage(other.env, "/webhooks", { cookie, form })).html).toContain("set up already");
});
