// The models as a member reads them: the verdicts are the evaluator's, and the list is whole however it is paged.
import { createExecutionContext } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as z from "zod";
import { ModelsAnswer } from "../src/admin/api/models.ts";
import { evaluate } from "../src/compliance/evaluate.ts";
import type { StoredPolicy } from "../src/compliance/policy.ts";
import { rulesOf } from "../src/compliance/rules.ts";
import type { Env } from "../src/env.ts";
import { gateway } from "../src/gateway/index.ts";
import { type AdminWorld, made, openAdminWorld, pagesOf } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { modelOf, smallCatalog } from "./small-catalog.ts";
import { policyOf, readingBy } from "./world.ts";

type Answer = z.infer<typeof ModelsAnswer>;
type Listed = Answer["data"][number];

const POLICY = policyOf({ requirements: ["soc2_type2", "no_training"], headquarters: ["US", "FR"] });

/** Every page from the first on. */
const modelPages = async (world: AdminWorld, query: string): Promise<Answer[]> =>
  (await pagesOf(world, `/models?${query}`, "developer")).map(({ body }) => ModelsAnswer.parse(body));
const listed = async (world: AdminWorld, query = "limit=200"): Promise<Listed[]> =>
  (await modelPages(world, query)).flatMap(({ data }) => data);
const idsOf = (models: readonly { id: string }[]) => models.map(({ id }) => id);

describe("by the shipped catalog", () => {
  let acme: AdminWorld;
  beforeAll(async () => {
    acme = await openAdminWorld({ policy: POLICY });
  });

  it("every model is listed once, in the order of ids, with the evaluator's verdict on every provider", async () => {
    const now = Date.now();
    const providers = new Map(shippedCatalog.providers.map((provider) => [provider.id, provider]));
    const rules = rulesOf({ policy: POLICY, projects: {} }, null);
    const expected = shippedCatalog.models
      .map(({ id, providers: mappings }) => ({
        id,
        providers: mappings.map((mapping) => {
          const provider = providers.get(mapping.provider);
          if (!provider) throw new Error("no such provider");
          const { allowed, failures } = evaluate(rules, { provider, model: { id, mapping }, now });
          return { id: provider.id, allowed, failures: [...failures] };
        }),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const models = await listed(acme, "limit=150");
    const judged = ({ id, allowed, failures }: Listed["providers"][number]) => ({ id, allowed, failures });
    expect(models.map(({ id, providers: offers }) => ({ id, providers: offers.map(judged) }))).toEqual(expected);
    for (const { allowed, providers: offers } of models) expect(allowed).toBe(offers.some((offer) => offer.allowed));
  });

  it("it says what the gateway says to the holder of a key", async () => {
    const { key } = (await acme.ask("admin", "POST", "/keys", { body: { project: "web", name: "web" } })).body;
    const request = new Request("http://gateway/v1/models?include=blocked", {
      headers: { authorization: `Bearer ${key}` },
    });
    const answer = await gateway.fetch(request, acme.env, createExecutionContext());
    const { data } = (await answer.json()) as {
      data: { id: string; allowed: boolean; live: boolean; blocked_providers: { id: string }[] }[];
    };
    const enforced = data.map(({ id, allowed, blocked_providers }) => [id, allowed, idsOf(blocked_providers)]);
    const shown = (await listed(acme)).map(({ id, allowed, providers }) => [
      id,
      allowed,
      idsOf(providers.filter((offer) => !offer.allowed)),
    ]);
    expect(shown).toEqual(enforced.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  });

  it("a change of the policy shows at once", async () => {
    const world = await openAdminWorld({ policy: POLICY });
    expect((await world.ask("developer", "GET", "/models?limit=1")).body.policy_revision).toBe(1);
    await world.savePolicy("admin", { ...POLICY, models: { allow: [], block: ["gpt-4o-mini"] } }, 1);
    const { body } = await world.ask("developer", "GET", "/models?q=gpt-4o-mini");
    expect(body.policy_revision).toBe(2);
    const [model] = (body as Answer).data.filter(({ id }) => id === "gpt-4o-mini");
    expect(model?.allowed).toBe(false);
    expect(model?.providers[0]?.failures).toContainEqual({ code: "model_blocked", found: "gpt-4o-mini" });
  });
});

describe("by a small catalog", () => {
  let world: AdminWorld;
  beforeEach(async () => {
    world = await openAdminWorld({ policy: policyOf({ requirements: ["no_training"] }) });
    await publish(world, smallCatalog);
  });

  it.each([
    ["q=mIx", ["mix"]],
    ["q=mix-latest", ["mix"]],
    ["q=dirty", ["dirty", "mute-dirty", "retired-dirty"]],
    ["q=' OR 1=1 --", []],
    ["q=%25", []],
    ["provider=blank", ["dirty"]],
    ["provider=none", []],
    ["api=responses", ["half-mute", "mute", "mute-dirty"]],
    ["allowed=true&q=dirty", []],
    ["allowed=true&api=responses", ["half-mute", "mute"]],
    ["allowed=true&provider=leaky", []],
    ["provider=leaky&api=chat_completions&q=half", ["half-mute", "half-retired"]],
    ["live=true&q=retired", ["half-retired"]],
    ["live=true&allowed=true&q=retired", []],
  ])("?%s", async (query, expected) => {
    expect(idsOf(await listed(world, query))).toEqual(expected);
  });

  it.each([
    ["allowed=yes", "allowed"],
    ["live=", "live"],
    ["api=chat", "api"],
    ["project=Web%20Shop", "project"],
    ["q=", "q"],
    ["policy=1", "policy"],
  ])("refuses ?%s", async (query, path) => {
    const answer = await world.ask("developer", "GET", `/models?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
  });

  it("a project is judged by its own rules on top, and one that does not exist by none", async () => {
    await narrow(world, "batch", policyOf({ providers: { allow: [], block: ["alpha"] } }));
    await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "web" } });
    const allowedIn = async (project: string) => {
      const [pair] = await listed(world, `q=pair${project}`);
      return idsOf(pair?.providers.filter(({ allowed }) => allowed) ?? []);
    };
    expect(await allowedIn("")).toEqual(["alpha", "beta"]);
    expect(await allowedIn("&project=web")).toEqual(["alpha", "beta"]);
    expect(await allowedIn("&project=batch")).toEqual(["beta"]);
    for (const project of ["btach", "constructor"])
      expect(await world.ask("developer", "GET", `/models?project=${project}`)).toMatchObject({
        status: 400,
        body: { errors: [{ path: "project" }] },
      });
  });

  it("a project cannot widen what the organization allows", async () => {
    await narrow(world, "wide", policyOf({ requirements: [] }));
    expect(await listed(world, "project=wide")).toEqual(await listed(world));
  });

  it("a price of zero that is not said to be free is unknown, and a retired offer says so", async () => {
    const free = { price: { input: 0, output: 0, free: true } };
    const unsaid = { price: { input: 0, output: 0 }, deactivatedAt: "2026-01-02", context: 8000 };
    await publish(world, { ...smallCatalog, models: [modelOf("priced", { alpha: free, beta: unsaid, gamma: 3 })] });
    const [model] = await listed(world);
    expect(
      model?.providers.map(({ price, live, retires_at, context }) => ({ price, live, retires_at, context })),
    ).toEqual([
      { price: { input: 0, output: 0 }, live: true, retires_at: null, context: null },
      { price: { input: null, output: null }, live: false, retires_at: "2026-01-02", context: 8000 },
      { price: { input: 3, output: 3 }, live: true, retires_at: null, context: null },
    ]);
  });

  it("pages neither skip nor repeat a model, whatever its id looks like", async () => {
    const names = ["a", "A", "a.b", "a-b", "ä", "z", "名", "名".repeat(256), "é", "~", "0"];
    await publish(world, { ...smallCatalog, models: names.map((id) => modelOf(id, { alpha: 1 })) });
    expect(idsOf(await listed(world, "limit=1"))).toEqual([...names].sort());
  });

  it("of thousands of models each page is as small as of ten, and follows on the one before", async () => {
    const many = Array.from({ length: 7_500 }, (_, n) => modelOf(`m-${n}`, { alpha: 1 }));
    await publish(world, { ...smallCatalog, models: many });
    const expected = idsOf(many).sort();
    let cursor = "";
    for (let page = 0; page < 3; page++) {
      const { body } = await world.ask("developer", "GET", `/models?limit=200&allowed=true${cursor}`);
      expect(idsOf((body as Answer).data)).toEqual(expected.slice(page * 200, (page + 1) * 200));
      cursor = `&cursor=${body.next_cursor}`;
    }
  }, 30_000);

  it("a cursor of another organization or list is refused", async () => {
    const other = await openAdminWorld();
    await publish(other, smallCatalog);
    const cursor = (await world.ask("developer", "GET", "/models?limit=1")).body.next_cursor;
    const ofProviders = (await world.ask("admin", "GET", "/providers?limit=1")).body.next_cursor;
    expect((await world.ask("developer", "GET", `/models?cursor=${cursor}`)).status).toBe(200);
    for (const answer of [
      await other.ask("developer", "GET", `/models?cursor=${cursor}`),
      await world.ask("developer", "GET", `/models?cursor=${ofProviders}`),
      await world.ask("developer", "GET", "/models?cursor=mix"),
    ])
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "cursor" }] } });
  });

  it("without a catalog nothing is said, rather than that all is allowed", async () => {
    const env: Env = { ...world.env, CONFIG: readingBy(world.env.CONFIG, async () => null) };
    const answer = await world.ask("developer", "GET", "/models", { env });
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
  });
});

async function publish(world: AdminWorld, catalog: object): Promise<void> {
  const version = `v-${crypto.randomUUID()}`;
  await made(world.call("operator", "PUT", "/catalog", { body: { ...catalog, version } }));
}

/** Creates a project that carries a policy of its own. */
async function narrow(world: AdminWorld, project: string, policy: StoredPolicy): Promise<void> {
  await made(world.ask("admin", "POST", "/projects", { body: { id: project } }));
  const headers = { "if-match": '"1"' };
  await made(world.ask("admin", "PUT", `/projects/${project}/policy`, { body: policy, headers }));
}
