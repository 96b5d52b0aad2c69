// The pages that are only read: models, providers, the audit log. Who may see them, that they say what the evaluator
// says, and that nothing in them comes out as anything but text.
import { beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../src/compliance/evaluate.ts";
import { rulesOf } from "../src/compliance/rules.ts";
import { type AuditAction, auditStatement } from "../src/store/audit-log.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { shippedCatalog } from "./shipped-catalog.ts";
import { modelOf, providerOf, smallCatalog } from "./small-catalog.ts";
import { type Page, signIn, visit } from "./visit.ts";
import { policyOf, readingBy } from "./world.ts";

const POLICY = policyOf({ requirements: ["soc2_type2", "no_training"] });
const PAGES = ["/models", "/providers", "/audit-log"] as const;

let acme: AdminWorld;
let admin: string;
let developer: string;
beforeAll(async () => {
  acme = await openAdminWorld({ policy: POLICY });
  admin = await signIn(acme, "admin");
  developer = await signIn(acme, "developer");
});

/** The addresses of a list's pages, from the first on, and what each shows. */
async function follow(path: string, cookie: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let next: string | undefined = path; next; ) {
    const page: Page = await visit(next, { cookie });
    pages.push(page);
    next = /href="\/settings(\/[^"]+)" rel="next"/.exec(page.html)?.[1]?.replaceAll("&amp;", "&");
  }
  return pages;
}
const textOf = (html: string) =>
  html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'");

describe("who sees what", () => {
  it("/settings leads each role to a page that it may see, and a stranger to the sign-in", async () => {
    expect((await visit("", { cookie: developer })).headers.get("location")).toBe("/settings/models");
    for (const role of ["owner", "admin", "developer"] as const) {
      const cookie = await signIn(acme, role);
      const to = (await visit("", { cookie })).headers.get("location") ?? "";
      expect((await visit(to.replace("/settings", ""), { cookie })).status, role).toBe(200);
    }
    for (const cookie of ["", "__Host-portcullis=nonsense"])
      expect((await visit("", { cookie })).headers.get("location")).toMatch(/^\/settings\/sign-in/);
  });

  it("a developer sees the models and nothing else", async () => {
    const { status, html } = await visit("/models", { cookie: developer });
    expect(status).toBe(200);
    const ways = [...html.matchAll(/href="\/settings\/([^"?#]+)/g)].map(([, way]) => way ?? "");
    expect(new Set(ways.filter((way) => !way.startsWith("assets/")))).toEqual(new Set(["models"]));
    for (const path of ["/compliance", "/events", "/providers", "/providers/openai", "/audit-log"]) {
      const page = await visit(path, { cookie: developer });
      expect(page.status, path).toBe(403);
      expect(page.html).toContain("You are signed in as a developer.");
      expect(page.html).toContain('href="/settings/models"');
    }
  });

  it.each(PAGES)("%s asks a stranger to sign in, and leads back", async (path) => {
    const { status, headers } = await visit(`${path}?q=a`);
    expect(status).toBe(302);
    expect(headers.get("location")).toBe(`/settings/sign-in?next=${encodeURIComponent(`/settings${path}?q=a`)}`);
  });

  it("the audit log is one's own organization's alone", async () => {
    const other = await openAdminWorld();
    const cookie = await signIn(other, "owner");
    const { html } = await visit("/audit-log", { cookie });
    expect(html).toContain(`/admin/api/orgs/${other.org}/audit-log/export`);
    expect(html).not.toContain(acme.org);
    const ids = [...html.matchAll(/id="(log_\w+)"/g)].map(([, id]) => id);
    for (const id of ids)
      expect((await visit(`/audit-log?before=${id}`, { cookie: admin })).html).not.toContain(other.org);
  });
});

describe("models", () => {
  it("on all pages together stand every model and provider with the evaluator's verdict", async () => {
    const providers = new Map(shippedCatalog.providers.map((provider) => [provider.id, provider]));
    const rules = rulesOf({ policy: POLICY, projects: {} }, null);
    const expected = shippedCatalog.models.flatMap(({ id, providers: mappings }) =>
      mappings.map((mapping) => {
        const provider = providers.get(mapping.provider);
        if (!provider) throw new Error("no such provider");
        const { allowed } = evaluate(rules, { provider, model: { id, mapping }, now: Date.now() });
        return `${id} ${provider.id} ${allowed ? "Allowed" : "Blocked"}`;
      }),
    );
    const pages = await follow("/models", developer);
    expect(pages.length).toBe(Math.ceil(shippedCatalog.models.length / 50));
    const shown = pages.flatMap(({ html }) =>
      [...html.matchAll(/<tbody><tr><th scope="rowgroup"[^>]*><code>([^<]+)<\/code>(.*?)<\/tbody>/gs)].flatMap(
        ([, id, rows = ""]) =>
          [...rows.matchAll(/<td><code>([^<]+)<\/code><\/td><td><span class="mark \w+">(\w+)/g)].map(
            ([, provider, verdict]) => `${id} ${provider} ${verdict}`,
          ),
      ),
    );
    expect(shown.sort()).toEqual(expected.sort());
  });

  it("say every reason in words", async () => {
    const { html } = await visit("/models?q=deepseek-v3.2&provider=deepseek", { cookie: developer });
    expect(textOf(html)).toContain("SOC 2: unknown");
    expect(textOf(html)).toContain("Training: trains on prompts");
  });

  it("keep the filters in the address, in the form and on the way to the next page", async () => {
    const query = "q=g&api=chat_completions&allowed=true&live=true";
    const [first, ...others] = await follow(`/models?${query}`, developer);
    expect(first?.html).toMatch(/name="q" value="g"/);
    expect(first?.html).toMatch(/value="chat_completions" selected/);
    expect(first?.html).toMatch(/name="allowed" value="true" checked/);
    expect(first?.html).toContain(`/settings/models?${query.replaceAll("&", "&amp;")}&amp;after=`);
    expect(others.length).toBeGreaterThan(0);
    for (const { html } of [first, ...others].flatMap((page) => page ?? []))
      expect(html.match(/class="tag blocked"|class="tag"/g)).toBeNull();
    expect((await visit("/models?q=nonsense", { cookie: developer })).html).toContain("No model matches");
    expect((await visit("/models?api=nonsense", { cookie: developer })).status).toBe(400);
    expect((await visit("/models?project=nonsense", { cookie: developer })).status).toBe(400);
  });

  it("are allowed, blocked, or retired where no provider that may serve them still does", async () => {
    const world = await openAdminWorld({ policy: policyOf({ requirements: ["no_training"] }) });
    await world.call("operator", "PUT", "/catalog", { body: { ...smallCatalog, version: "standing" } });
    const { html } = await visit("/models", { cookie: await signIn(world, "developer"), env: world.env });
    const standing = (id: string) => new RegExp(`<code>${id}</code> <span class="tag ?\\w*">(\\w+)`).exec(html)?.[1];
    expect(["pair", "dirty", "retired", "half-retired"].map(standing)).toEqual([
      "Allowed",
      "Blocked",
      "Retired",
      "Retired",
    ]);
    await world.call("operator", "PUT", "/catalog", { body: { ...shippedCatalog, version: "shipped" } });
  });

  it("say so when the policy is off", async () => {
    const world = await openAdminWorld();
    const off = "The policy is off: every provider passes";
    for (const path of ["/models", "/providers", "/providers/deepseek"])
      expect((await visit(path, { cookie: await signIn(world, "admin") })).html).toContain(off);
    expect((await visit("/models", { cookie: developer })).html).not.toContain(off);
  });
});

describe("providers", () => {
  it("stand in the list, each with its page", async () => {
    const { html } = await visit("/providers", { cookie: admin });
    const linked = [...html.matchAll(/href="\/settings\/providers\/([^"]+)"/g)].map(([, id]) => id);
    expect(linked).toEqual(shippedCatalog.providers.map(({ id }) => id).sort());
    for (const id of ["openai", "nanogpt", "inference.net"])
      expect((await visit(`/providers/${id}`, { cookie: admin })).status).toBe(200);
    expect((await visit("/providers/nonsense", { cookie: admin })).status).toBe(404);
    expect((await visit("/providers?show=nonsense", { cookie: admin })).status).toBe(400);
  });

  it("say of every fact what it rests on", async () => {
    const { html } = await visit("/providers/openai", { cookie: admin });
    const { evidence } = shippedCatalog.providers.find(({ id }) => id === "openai") ?? {};
    for (const fact of Object.values(evidence ?? {})) {
      expect(html).toContain(`href="${fact?.source}" rel="noreferrer noopener"`);
      for (const condition of fact?.conditions ?? []) expect(textOf(html)).toContain(condition);
    }
    expect((await visit("/providers/canopywave", { cookie: admin })).html).toContain("no source");
    expect((await visit("/providers/nanogpt", { cookie: admin })).html).toContain("its own facts count as unknown");
  });

  it("of which a fact expires come soonest first, and an expired one is unknown", async () => {
    const world = await openAdminWorld();
    const cookie = await signIn(world, "admin");
    expect((await visit("/providers?show=expiring", { cookie, env: world.env })).html).toContain(
      "No fact in this catalog",
    );
    const soc2 = (validUntil: string) => ({
      soc2: {
        source: "https://a.example",
        publisher: "provider",
        checkedAt: "2026-11-22",
        validUntil,
        confidence: "low",
      },
    });
    const providers = [
      { ...providerOf("alpha"), evidence: soc2("2099-01-01") },
      { ...providerOf("beta"), evidence: soc2("2020-01-01") },
      providerOf("gamma"),
    ];
    await world.call("operator", "PUT", "/catalog", { body: { version: "expiring", providers, models: [] } });
    const { html } = await visit("/providers?show=expiring", { cookie, env: world.env });
    const linked = [...html.matchAll(/href="\/settings\/providers\/([^"]+)"/g)].map(([, id]) => id);
    expect(linked).toEqual(["beta", "alpha"]);
    expect(textOf(html)).toContain("SOC 2: unknown, expired on 1 Jan 2020");
    expect(textOf((await visit("/providers/beta", { cookie, env: world.env })).html)).toContain(
      "SOC 2: unknown (what was published",
    );
    await world.call("operator", "PUT", "/catalog", { body: { ...shippedCatalog, version: "shipped" } });
  });
});

describe("the audit log", () => {
  it("tells what was done in words, from what to what", async () => {
    const world = await openAdminWorld({ policy: POLICY });
    await world.savePolicy("owner", { ...POLICY, requirements: ["soc2_type2"] }, 1);
    await world.call("operator", "PATCH", `/orgs/${world.org}`, { body: { plan: "pro", name: "New & Co" } });
    await world.ask("admin", "POST", "/keys", { body: { project: "web", name: "shop" } });
    await world.env.DB.batch([
      auditStatement(world.env, {
        org: world.org,
        actor: "owner@acme.example",
        action: "of.a_newer_build" as AuditAction,
        target: "thing",
        detail: { size: 3, was: { size: 2 }, names: ["a", "b"], reason: "because" },
      }),
    ]);
    const { html } = await visit("/audit-log", { cookie: await signIn(world, "admin") });
    for (const words of [
      "No longer requires No training on prompts.",
      "Changed name from “Acme” to “New &amp; Co”. Changed plan from “enterprise” to “pro”.",
      "Created the API key “shop” of project web.",
      "Changed size from “2” to “3”. Set names to “a, b”. Reason: “because”.",
      "Gave developer@acme.example the role developer.",
    ])
      expect(html).toContain(words);
  });

  it("is filtered in its address, offers what it has, and pages without gap or repetition", async () => {
    const world = await openAdminWorld();
    const entry = { org: world.org, actor: "eve@acme.example", target: "revision 2", detail: {} };
    const statements = Array.from({ length: 120 }, (_, n) =>
      auditStatement(world.env, { ...entry, action: n % 2 ? "policy.save" : "routing.save" }),
    );
    await world.env.DB.batch(statements);
    const cookie = await signIn(world, "admin");
    const today = new Date().toISOString().slice(0, 10);
    const query = `actor=eve%40acme.example&action=policy.save&target=revision+2&from=${today}&to=${today}`;
    const pages = await follow(`/audit-log?${query}`, cookie);
    const ids = pages.flatMap(({ html }) => [...html.matchAll(/<tr id="(log_\w+)"/g)].map(([, id]) => id));
    expect(pages).toHaveLength(2);
    expect(new Set(ids).size).toBe(60);
    expect(ids).toEqual([...ids].sort().reverse());
    const [{ html } = { html: "" }] = pages;
    expect(html).toContain('<option value="policy.save" selected');
    expect(html).toContain('<option value="eve@acme.example">');
    const exported = /href="(\/admin\/api\/orgs\/[^"]+format=csv)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const csv = await world.call("admin", "GET", exported.replace("/admin/api", ""));
    expect(csv.text.trim().split("\r\n")).toHaveLength(1 + 60);
    expect((await visit("/audit-log?actor=nobody", { cookie })).html).toContain("No entry matches");
    expect((await visit("/audit-log?to=2020-01-01", { cookie })).html).toContain("No entry matches");
  });

  it.each(["before=evt_x", "from=yesterday", "to=2026-02-30", `actor=${"a".repeat(300)}`])(
    "refuses ?%s in a plain sentence",
    async (query) => {
      const { status, html } = await visit(`/audit-log?${query}`, { cookie: admin });
      expect(status).toBe(400);
      expect(html).toContain(query.slice(0, query.indexOf("=")));
    },
  );
});

it("hostile names come out as text, wherever they stand", async () => {
  const hostile = `"><script>alert(1)</script>`;
  const world = await openAdminWorld();
  const provider = providerOf("alpha", {
    name: hostile,
    legalEntity: hostile,
    evidence: {
      soc2: {
        source: `https://a.example/?"><script>alert(1)</script>`,
        publisher: "provider",
        checkedAt: "2026-11-22",
        confidence: "low",
        conditions: [hostile],
      },
    },
  });
  const model = modelOf(`">${"<script>alert(1)<\\script>"}`, { alpha: 1 }, { name: hostile, family: hostile });
  const body = { version: "hostile", providers: [provider], models: [model] };
  expect((await world.call("operator", "PUT", "/catalog", { body })).status).toBe(200);
  await world.env.DB.batch([
    auditStatement(world.env, {
      org: world.org,
      actor: hostile,
      action: hostile as AuditAction,
      target: hostile,
      detail: { [hostile]: hostile, change: hostile },
    }),
  ]);
  await world.call("operator", "PATCH", `/orgs/${world.org}`, { body: { name: hostile } });
  const cookie = await signIn(world, "admin");
  const asked = encodeURIComponent(hostile);
  for (const path of [
    "/models",
    `/models?q=${asked}&provider=${asked}`,
    "/providers",
    `/providers?q=${asked}`,
    "/providers/alpha",
    "/audit-log",
    `/audit-log?actor=${asked}&action=${asked}&target=${asked}`,
  ]) {
    const { html, status } = await visit(path, { cookie, env: world.env });
    expect(status, path).toBe(200);
    expect(html, path).not.toContain("<script>alert");
    expect(html, path).toContain("&lt;script&gt;alert(1)");
    expect(html, path).not.toMatch(/ style=|<style|<script(?! src=)|\son\w+=/);
    const outside = [...html.matchAll(/<a href="https?:[^>]*>/g)].map(([tag]) => tag);
    expect(outside.every((tag) => tag.includes('rel="noreferrer noopener"'))).toBe(true);
  }
  await world.call("operator", "PUT", "/catalog", { body: { ...shippedCatalog, version: "shipped" } });
});

it("without a catalog, models and providers are not shown as allowed but refused, and the audit log still works", async () => {
  const env = { ...acme.env, CONFIG: readingBy(acme.env.CONFIG, async () => null) };
  for (const path of ["/models", "/providers", "/providers/openai"]) {
    const { status, html } = await visit(path, { cookie: admin, env });
    expect(status, path).toBe(503);
    expect(html).toContain("Temporarily unavailable");
    expect(html).not.toMatch(/Allowed/);
  }
  expect((await visit("/audit-log", { cookie: admin, env })).status).toBe(200);
});
