// What the admin API takes in: formats, sizes, fields; organizations and catalogs as the operator sends them.
import { beforeAll, describe, expect, it } from "vitest";
import { CatalogSavedAnswer } from "../src/admin/api/catalog.ts";
import { NewOrgAnswer, OrgAnswer } from "../src/admin/api/orgs.ts";
import { DISABLED_POLICY } from "../src/compliance/policy.ts";
import { MAX_CATALOG_BYTES } from "../src/store/catalogs.ts";
import { kvKeys } from "../src/store/records.ts";
import { type AdminWorld, openAdminWorld, send } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { policyOf } from "./world.ts";

let acme: AdminWorld;
beforeAll(async () => {
  acme = await openAdminWorld();
});

const newId = () => `new-${crypto.randomUUID().slice(0, 8)}`;
const create = (body: unknown) => acme.call("operator", "POST", "/orgs", { body });

describe("a body", () => {
  const preview = (body: string | Uint8Array, headers: Record<string, string>) =>
    send(acme.env, `/orgs/${acme.org}/policy/preview`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${acme.tokens.admin}`, ...headers },
    });
  const json = { "content-type": "application/json" };
  const policy = JSON.stringify(DISABLED_POLICY);

  it.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ["as a form", policy, { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported_media_type"],
    ["as text", policy, { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    [
      "in another charset",
      policy,
      { "content-type": "application/json; charset=utf-16" },
      415,
      "unsupported_media_type",
    ],
    ["compressed", policy, { ...json, "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    ["that is empty", "", json, 400, "invalid_request"],
    ["that is cut off", policy.slice(0, -1), json, 400, "invalid_request"],
    ["in Latin-1", new Uint8Array([0x22, 0xe9, 0x22]), json, 400, "invalid_request"],
    ["that is an array", "[]", json, 400, "invalid_request"],
    ["of a mebibyte and more", `${policy}${" ".repeat(1024 * 1024)}`, json, 413, "request_too_large"],
    ["nested without end", "[".repeat(500_000), json, 400, "invalid_request"],
  ])("%s is refused", async (_, body, headers, status, code) => {
    expect(await preview(body, headers)).toMatchObject({ status, body: { code, status } });
  });

  it("that lies about its length while it streams is bounded all the same", async () => {
    const chunk = new TextEncoder().encode(" ".repeat(64 * 1024));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 40) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const headers = { authorization: `Bearer ${acme.tokens.admin}`, ...json };
    const init = { method: "POST", body, headers, duplex: "half" } as RequestInit;
    expect((await send(acme.env, `/orgs/${acme.org}/policy/preview`, init)).status).toBe(413);
    expect(sent).toBeLessThan(40);
  });

  it("in JSON with a charset is taken", async () => {
    expect((await preview(policy, { "content-type": "Application/JSON; charset=UTF-8" })).status).toBe(200);
  });

  it("is not repeated in the refusal", async () => {
    const answer = await preview('{"secret-marker": tru', json);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("secret-marker");
  });
});

describe("an organization", () => {
  it("is created once, with its first revision at the edge", async () => {
    const id = newId();
    const made = await create({ id, name: "  New  ", plan: "pro" });
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(`/admin/api/orgs/${id}`);
    expect(NewOrgAnswer.parse(made.body)).toMatchObject({ id, name: "New", plan: "pro", revision: 1, published: true });
    expect(await acme.env.CONFIG.get(kvKeys.org(id), "json")).toMatchObject({
      revision: 1,
      policy: { enabled: false },
    });
    expect(await create({ id, name: "Again", plan: "free" })).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    const changed = await acme.call("operator", "PATCH", `/orgs/${id}`, { body: { name: "Newer" } });
    expect(OrgAnswer.parse(changed.body)).toMatchObject({ id, name: "Newer", plan: "pro" });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["an id in capitals", { id: "Acme" }, "id"],
    ["an id with a path", { id: "a/b" }, "id"],
    ["an id of 40 characters", { id: "a".repeat(40) }, "id"],
    ["an id that begins with a dash", { id: "-a" }, "id"],
    ["no name", { name: " " }, "name"],
    ["a name of two lines", { name: "a\nb" }, "name"],
    ["an unknown plan", { plan: "gold" }, "plan"],
    ["an unknown field", { owner: "a@b.example" }, "owner"],
    [
      "a policy with an unknown provider",
      { policy: policyOf({ providers: { allow: [], block: ["nope"] } }) },
      "policy.providers.block.0",
    ],
    ["a policy with an unknown requirement", { policy: policyOf({ requirements: ["soc3"] }) }, "policy.requirements.0"],
  ])("with %s is refused", async (_, change, path) => {
    const answer = await create({ id: newId(), name: "New", plan: "free", ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
  });

  it("is not changed by nothing", async () => {
    expect((await acme.call("operator", "PATCH", `/orgs/${acme.org}`, { body: {} })).status).toBe(400);
    const answer = await acme.call("operator", "PATCH", `/orgs/${acme.org}`, { body: { plan: "pro", id: "other" } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "id" }] } });
  });
});

describe("a catalog", () => {
  const publish = (body: unknown) => acme.call("operator", "PUT", "/catalog", { body });
  const [provider] = shippedCatalog.providers;

  it("comes into force at the edge and reads back whole", async () => {
    const catalog = { ...shippedCatalog, version: newId() };
    const answer = await publish(catalog);
    expect(answer.status).toBe(200);
    const { providers, models } = catalog;
    expect(CatalogSavedAnswer.parse(answer.body)).toEqual({
      version: catalog.version,
      providers: providers.length,
      models: models.length,
    });
    expect(await acme.env.CONFIG.get(kvKeys.catalog, "json")).toEqual({ version: catalog.version });
    expect((await acme.call("operator", "GET", "/catalog")).body).toEqual(JSON.parse(JSON.stringify(catalog)));
    expect((await publish(catalog)).status).toBe(200);
  });

  it("of a known version never changes", async () => {
    const version = newId();
    await publish({ ...shippedCatalog, version });
    const answer = await publish({ version, providers: [], models: [] });
    expect(answer).toMatchObject({ status: 409, body: { code: "conflict", errors: [{ path: "version" }] } });
    expect((await acme.call("operator", "GET", "/catalog")).body.providers).toHaveLength(
      shippedCatalog.providers.length,
    );
  });

  it("that contradicts itself is refused by path, the first 20 of its errors named", async () => {
    const twice = await publish({ version: newId(), providers: [provider, provider], models: [] });
    expect(twice).toMatchObject({ status: 400, body: { errors: [{ path: "providers.1.id" }] } });
    const broken = shippedCatalog.models.map((model) => ({ ...model, name: 7 }));
    const many = await publish({ ...shippedCatalog, version: newId(), models: broken });
    expect(many.status).toBe(400);
    expect(many.body.errors).toHaveLength(20);
    expect(many.body.errors[0].path).toBe("models.0.name");
    expect(many.body.detail).toContain(`(and ${shippedCatalog.models.length - 1} more)`);
  });

  it("is taken up to what the database holds, and refused beyond it, whatever characters it is made of", async () => {
    const spare = shippedCatalog.models[0];
    const sized = (bytes: number, letter: string) => {
      const catalog = { version: newId(), providers: shippedCatalog.providers, models: [{ ...spare, name: "" }] };
      const left = bytes - Buffer.byteLength(JSON.stringify(catalog));
      const name = letter.repeat(Math.floor(left / Buffer.byteLength(letter)));
      return { ...catalog, models: [{ ...spare, name }] };
    };
    for (const letter of ["a", "é"]) {
      expect((await publish(sized(MAX_CATALOG_BYTES, letter))).status).toBe(200);
      const refused = await publish(sized(MAX_CATALOG_BYTES + 2, letter));
      expect(refused).toMatchObject({ status: 413, body: { code: "request_too_large" } });
      expect(refused.body.detail).toContain("at most 1,990,000 bytes");
      // The one before it stays.
      expect((await acme.call("operator", "GET", "/catalog")).status).toBe(200);
    }
    expect((await publish({ ...shippedCatalog, version: newId() })).status).toBe(200);
  });

  it("may be larger than other bodies", async () => {
    const padded = `${JSON.stringify({ ...shippedCatalog, version: newId() })}${" ".repeat(2 * 1024 * 1024)}`;
    expect((await publish(padded)).status).toBe(200);
  });
});
