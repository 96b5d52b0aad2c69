// The world of the bypass tests: providers that comply, one that trains on prompts, one of which nothing is known, and
// an aggregator that complies for one model. Whatever a test tries, only those that comply may be in the journal.
import { expect } from "vitest";
import type { ApiId, Catalog, Provider } from "../src/catalog/schema.ts";
import type { Env } from "../src/env.ts";
import { SURFACES } from "../src/gateway/surfaces.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { openWorld, policyOf, post, type World } from "./world.ts";

const url = "https://provider.example/v1";
const APIS: Provider["apis"] = Object.fromEntries(SURFACES.map(({ api }) => [api, { url, auth: "bearer" }]));
const served = { apis: Object.keys(APIS) as ApiId[] };
const { dataPolicy } = providerOf("any");

const COMPLIANT = ["alpha", "beta", "broker"];
const NON_COMPLIANT = ["leaky", "blank"];

export const bypassCatalog: Catalog = {
  version: "bypass-1",
  providers: [
    ...["alpha", "beta"].map((id) => providerOf(id, { apis: APIS })),
    providerOf("leaky", { apis: APIS, dataPolicy: { ...dataPolicy, trainsOnPrompts: true } }),
    providerOf("blank", { apis: APIS, dataPolicy: { ...dataPolicy, trainsOnPrompts: null } }),
    providerOf("broker", { apis: APIS, aggregator: true }),
  ],
  models: [
    // The cheapest do not comply.
    modelOf(
      "mix",
      {
        leaky: { ...served, price: { input: 0.1, output: 0.1 } },
        blank: { ...served, price: { input: 0.2, output: 0.2 } },
        alpha: { ...served, price: { input: 1, output: 1 } },
        beta: { ...served, price: { input: 2, output: 2 } },
      },
      { aliases: ["mix-latest", "mix-2026-01-01"] },
    ),
    modelOf("dirty", { leaky: served, blank: served }, { aliases: ["dirty-latest", "dirty-2026-01-01"] }),
    modelOf("brokered", { broker: { ...served, dataPolicy: { trainsOnPrompts: false }, searches: false } }),
  ],
};

/** A gateway whose organization requires `no_training`, and more where it is given. */
export const openBypassWorld = ({
  requirements = [],
  vars = {},
  catalog = bypassCatalog,
}: {
  requirements?: string[];
  vars?: Partial<Env>;
  catalog?: Catalog;
} = {}): Promise<World> =>
  openWorld({ policy: policyOf({ requirements: ["no_training", ...requirements] }), catalog, vars });

export const ask = (world: World, body: Record<string, unknown>, headers: HeadersInit = {}) =>
  post(world, "chat/completions", { messages: [{ role: "user", content: "Hi" }], ...body }, headers);

/** What each row comes down to: who was called complies, and nobody else was. */
export async function expectCalled(world: World, ...providers: string[]): Promise<void> {
  const called = await world.called();
  expect(called).toEqual(providers);
  expect(called.filter((id) => !COMPLIANT.includes(id))).toEqual([]);
}

/** That the refusal or the rerouting is in D1, naming who was kept out. */
export async function expectRecorded(world: World, outcome: "refused" | "rerouted", providers = NON_COMPLIANT) {
  const events = await world.events();
  expect(events).toMatchObject([{ type: "compliance.blocked", outcome }]);
  const [event] = events as { providers: { id: string }[] }[];
  expect(event?.providers.map(({ id }) => id).sort()).toEqual([...providers].sort());
}
