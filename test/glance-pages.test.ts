// Security events at a glance: what was blocked most, one click to the events behind it, and what to do about one.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { failureLabel, onlyInTheWay } from "../src/admin/pages/event-words.ts";
import { eventLine } from "../src/cli/event-line.ts";
import { headLineOf } from "../src/cli/head-line.ts";
import worker from "../src/index.ts";
import type { SecurityEvent } from "../src/store/event.ts";
import { countEvents } from "../src/store/event-counts.ts";
import { repeatsInWords } from "../src/store/event-repeats.ts";
import { countRepeats, insertEvents } from "../src/store/events.ts";
import { type AdminWorld, made, openAdminWorld } from "./admin-world.ts";
import { replacing } from "./replacing.ts";
import { strict } from "./revised-world.ts";
import { eventOf } from "./security-event.ts";
import { signIn, visit } from "./visit.ts";
import { policyOf } from "./world.ts";

const DAY = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
const failing = (id: string, ...codes: string[]) => ({ id, failures: codes.map((code) => ({ code, found: null })) });

let world: AdminWorld;
let cookie: string;
/** Two days ago, one, and today, around noon. */
let noons: [number, number, number];
let events: SecurityEvent[];
const repeats = { at_least: 42, from: "2026-11-26T11:40:00.000Z", to: "2026-11-26T11:41:00.000Z" };

beforeAll(async () => {
  world = await openAdminWorld({ policy: strict });
  cookie = await signIn(world, "admin");
  const today = Date.now() - (Date.now() % DAY);
  noons = [today - 1.5 * DAY, today - 0.5 * DAY, today];
  events = [
    eventOf(
      world.org,
      { model: "grok-4", project: "batch", providers: [failing("xai", "provider_blocked")] },
      noons[0],
    ),
    eventOf(world.org, {}, noons[1]),
    eventOf(world.org, { repeats }, noons[2]),
  ];
  await insertEvents(world.env, events);
});

const listed = (html: string) =>
  [...html.matchAll(/<td data-label="Time"><a href="\/settings\/events\/(evt_\w+)"/g)].map(([, id]) => id);
const idsOf = (some: (SecurityEvent | undefined)[]) => some.map((event) => event?.id);
const linksOf = (html: string, pattern: RegExp) =>
  [...html.matchAll(pattern)].map(([, href = ""]) => href.replaceAll("&amp;", "&").replace(/^\/settings/, ""));

describe.each(["/events", "/overview"])("on %s", (path) => {
  it("each bar leads to exactly the events that it counts, in one click", async () => {
    const { html } = await visit(path, { cookie });
    const bars = linksOf(html, /<th scope="row"><a href="([^"]+)"[^>]*>[^<]+<\/a><svg/g);
    expect(bars.toSorted()).toEqual([
      "/events?model=deepseek-v3.2",
      "/events?model=grok-4",
      "/events?project=batch",
      "/events?project=web",
      "/events?provider=deepseek",
      "/events?provider=xai",
      "/events?requirement=provider_blocked",
      "/events?requirement=soc2_type2",
    ]);
    for (const href of bars) {
      const expected = /grok|batch|xai|provider_blocked/.test(href) ? [events[0]] : [events[2], events[1]];
      const { html: filtered } = await visit(href, { cookie });
      expect(listed(filtered), href).toEqual(idsOf(expected));
      expect(filtered).toMatch(/aria-current="true">/);
    }
  });

  it("each day leads to its events", async () => {
    const { html } = await visit(path, { cookie });
    const days = linksOf(html, /<a href="([^"]+)" aria-label="20/g);
    expect(days).toHaveLength(14);
    for (const [index, noon] of noons.entries()) {
      const href = `/events?from=${dayOf(noon)}&to=${dayOf(noon)}`;
      expect(days).toContain(href);
      expect(listed((await visit(href, { cookie })).html)).toContain(events[index]?.id);
    }
  });

  it("folded repeats count for at least as many as they stand for, in words", async () => {
    const { html } = await visit(path, { cookie });
    expect(html).toContain('<span class="unseen">at least </span>');
    expect(html).toMatch(/≥ ?<\/span>43/);
    expect(html).toContain("at least 41 more between 11:40 and 11:41 UTC");
  });
});

describe("below the list", () => {
  it("its events can be taken along in each format, by the same filters", async () => {
    const query = `model=grok-4&from=${dayOf(noons[0])}&to=${dayOf(noons[0])}`;
    const { html } = await visit(`/events?${query}`, { cookie });
    const links = [...html.matchAll(/<a href="([^"]+)" download="">(\w+)<\/a>/g)];
    expect(links.map(([, , label]) => label)).toEqual(["NDJSON", "CSV", "OCSF"]);
    for (const [, href = ""] of links) {
      const request = new Request(`https://portcullis.test${href.replaceAll("&amp;", "&")}`, { headers: { cookie } });
      const context = createExecutionContext();
      const response = await worker.fetch(request as never, world.env, context);
      const text = await response.text();
      await waitOnExecutionContext(context);
      expect(response.status, href).toBe(200);
      expect([...new Set(text.match(/evt_\w+/g))], href).toEqual([events[0]?.id]);
    }
  });
});

describe("the list filtered by days", () => {
  it("has both days in full, and keeps them in the links of its bars", async () => {
    const [first, last] = [dayOf(noons[0]), dayOf(noons[1])];
    const edges = [`${first}T00:00:00.000Z`, `${last}T23:59:59.999Z`].map((at) => Date.parse(at));
    const others = edges.map((at) => eventOf(world.org, { model: "at-the-edge" }, at));
    await insertEvents(world.env, others);
    const { html } = await visit(`/events?from=${first}&to=${last}`, { cookie });
    expect(new Set(listed(html))).toEqual(new Set(idsOf([...others, events[0], events[1]])));
    const [bar] = linksOf(html, /<a href="([^"]*model=at-the-edge[^"]*)"/g);
    expect(bar).toBe(`/events?model=at-the-edge&from=${first}&to=${last}`);
  });

  it("of a long period is not drawn, and so not counted by day", async () => {
    const asked: string[] = [];
    const prepare = (sql: string) => {
      asked.push(sql);
      return world.env.DB.prepare(sql);
    };
    const env = { ...world.env, DB: replacing(world.env.DB, { prepare }) };
    const byDay = () => asked.filter((sql) => /GROUP BY day/.test(sql)).length;
    expect((await visit("/events", { cookie, env })).html).toContain('class="blocks-chart"');
    expect(byDay()).toBe(1);
    const { html, status } = await visit("/events?from=2020-01-01", { cookie, env });
    expect(status).toBe(200);
    expect(html).toContain("provider=deepseek");
    expect(html).not.toContain('class="blocks-chart"');
    expect(byDay()).toBe(1);
  });

  it.each(["from=yesterday", "to=2026-02-30", "from=2026-11-26T00:00:00Z"])("refuses %s", async (query) => {
    expect((await visit(`/events?${query}`, { cookie })).status).toBe(400);
  });
});

describe("what to do about a block", () => {
  const pageOf = async (event: SecurityEvent, of = world) => {
    await insertEvents(of.env, [event]);
    return (await visit(`/events/${event.id}`, { cookie: await signIn(of, "admin") })).html;
  };

  it("is to call a provider that passes, which is named", async () => {
    const html = await pageOf(
      eventOf(world.org, { model: "gpt-oss-120b", providers: [failing("novita", "soc2_type2")] }),
    );
    expect(html).toContain("<code>groq/gpt-oss-120b</code>");
    expect(html).toContain("pass");
  });

  it("names the one thing that stands in a provider's way, and nothing where there are two", async () => {
    const html = await pageOf(eventOf(world.org));
    const [, targets = ""] =
      /Only <strong>SOC 2 Type 2<\/strong> stands in the way of (.*?): without it/.exec(html) ?? [];
    expect(targets).toContain("<code>novita/deepseek-v3.2</code>");
    expect(targets).not.toContain("<code>deepseek/deepseek-v3.2</code>");
  });

  it("says who can change it, by role and never by name", async () => {
    const html = await pageOf(eventOf(world.org));
    expect(html).toContain("owners and admins can change it, and you are an admin of Acme");
    expect(html).not.toContain("owner@acme.example");
    await world.setPlan("pro");
    expect(await pageOf(eventOf(world.org))).toContain("is on the pro plan, where nobody can change the policy");
    await world.setPlan("enterprise");
  });

  it("is judged with the policy of the project, and leads to it", async () => {
    const own = await openAdminWorld();
    await made(own.ask("owner", "POST", "/projects", { body: { id: "web", name: "Web" } }));
    const headers = { "if-match": '"1"' };
    const policy = policyOf({ providers: { allow: [], block: ["groq"] } });
    await made(own.ask("owner", "PUT", "/projects/web/policy", { body: policy, headers }));
    const html = await pageOf(
      eventOf(own.org, { model: "gpt-oss-120b", providers: [failing("groq", "provider_blocked")] }),
      own,
    );
    expect(html).toContain(
      "Only <strong>Provider on the block list</strong> stands in the way of <code>groq/gpt-oss-120b</code>",
    );
    expect(html).toContain('<a href="/settings/projects/web">web</a> carries a policy of its own');
  });

  it("of folded repeats is about the first of them, and says how many more there were", async () => {
    const html = await pageOf(eventOf(world.org, { repeats }));
    expect(html).toContain("It counts at least 41 more between 11:40 and 11:41 UTC, of the same API key");
  });

  it("is nothing in particular for a model that is in no catalog", () => {
    const catalog = { candidates: new Map() } as unknown as Parameters<typeof onlyInTheWay>[1]["catalog"];
    const record = { policy: strict, projects: {} } as unknown as Parameters<typeof onlyInTheWay>[1]["record"];
    expect(onlyInTheWay(eventOf("acme"), { record, catalog, now: 0 })).toEqual([]);
    expect(failureLabel("of_a_newer_build")).toBe("of_a_newer_build");
  });
});

describe("in words", () => {
  it.each([
    [undefined, null],
    [{ ...repeats, at_least: 1 }, "perhaps more between 11:40 and 11:41 UTC"],
    [{ ...repeats, at_least: 2 }, "at least 1 more between 11:40 and 11:41 UTC"],
  ])("%j", (given, words) => {
    expect(repeatsInWords({ repeats: given })).toBe(words);
  });

  it("a line of the tail says what an event folds", () => {
    expect(eventLine(eventOf("acme", { repeats }))).toContain("(at least 41 more between 11:40 and 11:41 UTC)");
    expect(eventLine(eventOf("acme"))).not.toContain("more between");
  });

  it("a signed head and a cut are lines of their own; anything else is none", () => {
    const printed = { at: "2026-11-26T12:00:00.000Z", org: "acme", seq: 7, hash: "ab".repeat(32) };
    expect(headLineOf(JSON.stringify({ message: "audit.head", ...printed }))).toBe(
      "2026-11-26 12:00:00Z  sealed    acme  events up to number 7  signed at abababababab",
    );
    expect(headLineOf(JSON.stringify({ message: "audit.cut", ...printed }))).toContain("removed");
    for (const other of ["", "{", '{"message":"audit.head"}', JSON.stringify({ message: "x", ...printed })])
      expect(headLineOf(other)).toBeNull();
  });
});

it("counts what folds repeats as they are added, until it is sealed", async () => {
  const own = await openAdminWorld();
  const event = eventOf(own.org, { repeats: { ...repeats, at_least: 1 } });
  await insertEvents(own.env, [event]);
  expect(await countRepeats(own.env, event.id, 5)).toBe(true);
  expect(await countEvents(own.env, { org: own.org, from: "2000", to: "3000" })).toMatchObject([
    { requests: 6, at_least: true },
  ]);
});
