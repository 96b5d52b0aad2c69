// A provider can take minutes to fail. What the policy says by then decides about the next one.
import { expect, it } from "vitest";
import { smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf } from "./world.ts";

const open = () =>
  openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog: smallCatalog,
    vars: { CONFIG_TTL_SECONDS: "0.05", UPSTREAM_HEADERS_TIMEOUT_SECONDS: "0.5" },
  });

it("a provider that a newer policy blocks while another one hangs is not called, and that is recorded", async () => {
  const world = await open();
  await world.behave("alpha", { kind: "hang" });
  const { response, settled } = world.begin("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "pair", messages: [] }),
  });
  await expect.poll(() => world.called()).toEqual(["alpha"]);
  const policy = policyOf({ requirements: ["no_training"], providers: { allow: [], block: ["beta"] } });
  await world.publish({ revision: 2, policy });

  expect((await response).status).toBe(504);
  await settled();
  expect(await world.called()).toEqual(["alpha"]);
  expect(await world.events()).toMatchObject([
    { outcome: "rerouted", policy_revision: 2, providers: [{ id: "beta", failures: [{ code: "provider_blocked" }] }] },
  ]);
});

it("what the newer policy asks of the request is done for the next provider", async () => {
  const world = await open();
  await world.behave("alpha", { kind: "hang" });
  const { response, settled } = world.begin("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "pair", store: true }),
  });
  await expect.poll(() => world.called()).toEqual(["alpha"]);
  await world.publish({ revision: 2, policy: policyOf({ requirements: ["no_logging"] }) });

  expect((await response).headers.get("portcullis-enforced")).toBe("store=false");
  await settled();
  const [first, second] = await world.journal();
  expect(JSON.parse(atob(first?.body ?? ""))).toMatchObject({ store: true });
  expect(JSON.parse(atob(second?.body ?? ""))).toMatchObject({ store: false });
});

it("a request for remote tools that a newer policy forbids goes to no other provider", async () => {
  const world = await open();
  await world.behave("alpha", { kind: "hang" });
  const { response, settled } = world.begin("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "pair", enable_search: true }),
  });
  await expect.poll(() => world.called()).toEqual(["alpha"]);
  await world.publish({ revision: 2, policy: policyOf({ requirements: ["no_remote_tools"] }) });

  expect((await response).status).toBe(504);
  await settled();
  expect(await world.called()).toEqual(["alpha"]);
  expect(await world.events()).toMatchObject([
    {
      outcome: "rerouted",
      providers: [{ id: "beta", failures: [{ code: "no_remote_tools", found: "enable_search" }] }],
    },
  ]);
});
