/// <reference types="vite/types/importMeta.d.ts" />
// The dependency rule of the Worker's source, read from its import statements: who may import whom, what is pure, who
// touches a binding, who calls fetch. src/cli runs on Node and is no part of the Worker.
import { describe, expect, it } from "vitest";

const PURE = ["compliance", "catalog", "routing"];
const LEAVES = ["env.ts", "errors.ts"];
const BELOW_STORE = [...PURE, "chain", ...LEAVES];

/** What each part of the Worker may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "index.ts": ["gateway", "admin", "audit", ...LEAVES],
  gateway: ["store", "audit/record.ts", ...BELOW_STORE],
  admin: ["store", ...BELOW_STORE],
  audit: ["store", ...BELOW_STORE],
  store: BELOW_STORE,
  compliance: [],
  catalog: [],
  routing: [],
  chain: [],
  "env.ts": [],
  "errors.ts": [],
};

/** By path below src/. */
const sources = new Map(
  Object.entries(
    import.meta.glob<string>(["../src/**/*.{ts,tsx}", "!../src/cli/**"], {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  ).map(([path, source]) => [path.replace("../src/", ""), source]),
);
const partOf = (path: string) => path.split("/")[0] as string;
const pure = [...sources].filter(([path]) => PURE.includes(partOf(path)));

/** The source without comments, and by default without the text of its quoted strings. */
function codeOf(source: string, { strings = false } = {}): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (match) =>
    match.startsWith("/") ? "" : strings ? match : '""',
  );
}

/** What a file imports, of types as well: packages by name, our own files by path below src/. */
function importsOf(path: string, source: string): string[] {
  const found = codeOf(source, { strings: true }).matchAll(
    /(?:\bfrom|\bimport)\s*\(?\s*(?:"([^"]+)"|'([^']+)'|`([^`]+)`)/g,
  );
  return [...found].map(([, double, single, template]) => {
    const name = (double ?? single ?? template) as string;
    return name.startsWith(".") ? new URL(name, `file:///${path}`).pathname.slice(1) : name;
  });
}

const ours = [...sources].flatMap(([path, source]) =>
  importsOf(path, source)
    .filter((name) => sources.has(name) || /^(cli|test)\/|\.tsx?$/.test(name))
    .map((name) => ({ path, name })),
);

/** Every place where some code is written, as `path: code`. */
function places(pattern: RegExp, files: Iterable<[string, string]> = sources): string[] {
  return [...files].flatMap(([path, source]) =>
    (codeOf(source).match(pattern) ?? []).map((code) => `${path}: ${code}`),
  );
}

describe("this test itself", () => {
  it("reads the Worker, all of it that it names", () => {
    expect(sources.size).toBeGreaterThan(50);
    expect(new Set([...sources.keys()].map(partOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
    for (const part of ["gateway", "admin", "audit", "store"])
      expect(ours.filter(({ path }) => partOf(path) === part).length).toBeGreaterThan(2);
  });

  it("sees every kind of import, and no import in a comment", () => {
    const source = [
      'import { a } from "./a.ts"; import type { B } from "../b.ts";',
      'import {\n  c,\n} from "../c/c.ts";\nexport * from "./d.ts"; import "./e.ts";',
      "const f = await import('./f.ts'); type G = import(\"zod\").ZodType; import(`./h.ts`);",
      '// import "./no.ts"\n/* from "./no.ts" */ const url = "https://x"; // "',
    ].join("\n");
    const names = ["x/a.ts", "b.ts", "c/c.ts", "x/d.ts", "x/e.ts", "x/f.ts", "zod", "x/h.ts"];
    expect(importsOf("x/y.ts", source)).toEqual(names);
  });
});

describe("imports", () => {
  it("go down the layers only, and never between siblings", () => {
    const wrong = ours.filter(({ path, name }) => {
      const allowed = MAY_IMPORT[partOf(path)] ?? [];
      return partOf(name) !== partOf(path) && !allowed.includes(partOf(name)) && !allowed.includes(name);
    });
    expect(wrong).toEqual([]);
  });

  it("never name the entry", () => {
    expect(ours.filter(({ name }) => name === "index.ts")).toEqual([]);
  });

  it("of the pure parts name nothing outside but zod", () => {
    const packages = pure.flatMap(([path, source]) => importsOf(path, source).filter((name) => !name.endsWith(".ts")));
    expect(new Set(packages)).toEqual(new Set(["zod"]));
  });

  it("of Hono stay in the entry, the gateway and the admin", () => {
    const users = [...sources].filter(([path, source]) =>
      importsOf(path, source).some((name) => /^hono(\/|$)/.test(name)),
    );
    expect(new Set(users.map(([path]) => partOf(path)))).toEqual(new Set(["index.ts", "gateway", "admin"]));
  });
});

describe("the pure parts", () => {
  it.each([
    ["nothing asynchronous", /\basync\b|\bawait\b|\bPromise\b|\.then\(|\bsetTimeout\b|\bqueueMicrotask\b/g],
    ["no clock", /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\b|\bTemporal\b/g],
    ["no chance", /\bMath\.random\b|\bcrypto\b/g],
    ["no environment", /\benv\b|\bprocess\b|\bglobalThis\b|\bnavigator\b|\bcaches\b/g],
    ["no network", /\bfetch\b|\bRequest\b|\bResponse\b|\bWebSocket\b|\bconnect\(/g],
    ["no console", /\bconsole\b/g],
    ["no throw", /\bthrow\b/g],
  ])("hold %s", (_, pattern) => {
    expect(places(pattern, pure)).toEqual([]);
  });
});

describe("the outside world", () => {
  it("is a binding in store/ alone", () => {
    const bindings = ["CONFIG", "DB", "AUDIT", "BLOCKS_PER_KEY", "SIGN_IN_ATTEMPTS", "SIGN_IN_RECORDS"];
    const declared = bindings.map((name) => `env.ts: ${name}`);
    const elsewhere = places(new RegExp(`\\b(?:${bindings.join("|")})\\b`, "g")).filter(
      (place) => !place.startsWith("store/"),
    );
    expect(elsewhere).toEqual(declared);
    expect(places(/\benv\[/g).filter((place) => !place.startsWith("env.ts"))).toEqual([]);
  });

  it("is fetched in four places: the door to a provider, its token exchange, the keys of whoever says who somebody is, and webhooks' receivers", () => {
    const called = places(
      /(?<![.\w])fetch\s*\(|\bglobalThis\b|\b(?:self|window)\.fetch|\bfetch\.(?:call|apply|bind)\b/g,
    );
    expect(called.sort()).toEqual([
      "gateway/google-token.ts: fetch(",
      "gateway/upstream.ts: fetch(",
      "store/access-keys.ts: fetch(",
      "store/receiver.ts: fetch(",
    ]);
    const named = places(/(?<!\bapp\.)\bfetch\b(?!\s*[(:])/g);
    expect(named).toEqual([]);
  });

  it("hears from the token exchange nothing but an assertion, at one address that nobody can change", () => {
    const source = sources.get("gateway/google-token.ts") ?? "";
    expect(codeOf(source).match(/\bfetch\([^,)]*/g)).toEqual(["fetch(TOKEN_URI"]);
    expect(codeOf(source).match(/\bbody: .*/g)).toEqual([
      "body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }),",
    ]);
    const declared = sources.get("store/service-account.ts")?.match(/export const TOKEN_URI = .*/g);
    expect(declared).toEqual(['export const TOKEN_URI = "https://oauth2.googleapis.com/token";']);
    expect(places(/\bTOKEN_URI = /g)).toEqual(["store/service-account.ts: TOKEN_URI = "]);
  });

  it("hears from a webhook nothing but a signed message, at an address that was checked, and never from the gateway", () => {
    const source = sources.get("store/receiver.ts") ?? "";
    expect(codeOf(source).match(/\bfetch\([^)]*/g)).toEqual([
      `fetch(url, { method: "", headers, body, redirect: "", signal }`,
    ]);
    expect(codeOf(source)).toMatch(/callReceiver\(\s*url: ReceiverUrl,\s*\{ headers, body \}: SignedMessage,/);
    // Whoever could say that an address was checked, or that something was signed, without it being so.
    expect(new Set(places(/\bas ReceiverUrl\b/g))).toEqual(new Set(["store/receiver-url.ts: as ReceiverUrl"]));
    expect(places(/\bas SignedMessage\b|: SignedMessage \{/g)).toEqual(["store/webhook-message.ts: : SignedMessage {"]);
    const callers = ours.filter(({ name }) => name === "store/receiver.ts").map(({ path }) => path);
    expect(callers.filter((path) => partOf(path) === "gateway")).toEqual([]);
    const messages = ours.filter(({ name }) => name === "store/webhook-message.ts").map(({ path }) => path);
    expect(messages.filter((path) => partOf(path) === "gateway")).toEqual([]);
  });

  it("is reached by no socket and by no code made of text", () => {
    expect(places(/\bnew WebSocket\b|\bEventSource\b|\beval\b|\bnew Function\b|\brequire\(/g)).toEqual([]);
    const imported = [...sources].flatMap(([path, source]) => importsOf(path, source));
    const network = /^(node:)?(net|tls|dgram|dns|https?|http2|inspector|worker_threads|vm)(\/|$)|^cloudflare:sockets$/;
    expect(imported.filter((name) => network.test(name))).toEqual([]);
  });
});
