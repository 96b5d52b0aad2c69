// No prompt is ever stored or logged: a marker in all that a client or a provider can write is afterwards found
// nowhere in D1, in KV, on the queue or on the console.
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from "vitest";
import type { Catalog, Mapping } from "../src/catalog/schema.ts";
import type { Env } from "../src/env.ts";
import { putMember } from "../src/store/members.ts";
import { createOrg } from "../src/store/orgs.ts";
import { kvKeys } from "../src/store/records.ts";
import { issueToken } from "../src/store/tokens.ts";
import { send } from "./admin-world.ts";
import { newServiceAccount, replaceNetwork } from "./credential-fixtures.ts";
import { FORM_TYPE, field, file, type RawPart, rawForm } from "./forms.ts";
import type { Behaviour } from "./provider-stand-in.ts";
import { modelOf, smallCatalog } from "./small-catalog.ts";
import { openWorld, policyOf, readingBy, replacing, type World } from "./world.ts";

const METHODS = ["log", "info", "warn", "error", "debug", "trace"] as const;

let consoles: MockInstance[];
beforeEach(() => {
  consoles = METHODS.map((method) => vi.spyOn(console, method).mockImplementation(() => {}));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything that a table holds, of every table. */
async function dumpDatabase({ DB }: Env): Promise<string> {
  const { results: tables } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
  ).all<{ name: string }>();
  expect(tables.map(({ name }) => name)).toContain("security_events");
  const rows = await Promise.all(tables.map(({ name }) => DB.prepare(`SELECT * FROM "${name}"`).all()));
  return JSON.stringify(rows.map(({ results }) => results));
}

async function dumpEdge({ CONFIG }: Env): Promise<string> {
  const { keys } = await CONFIG.list();
  const values = await Promise.all(keys.map(({ name }) => CONFIG.get(name, "text")));
  return JSON.stringify([keys, values]);
}

const SPOKEN = { apis: ["audio_transcriptions"] } satisfies Partial<Mapping>;
const catalog: Catalog = {
  ...smallCatalog,
  providers: smallCatalog.providers.map((provider) => ({
    ...provider,
    apis: { ...provider.apis, audio_transcriptions: { url: "https://audio.example/v1", auth: "bearer" } },
  })),
  models: [...smallCatalog.models, modelOf("spoken", { alpha: SPOKEN, beta: SPOKEN, leaky: SPOKEN })],
};

interface Watched {
  world: World;
  /** What is written wherever a client or a provider can write. */
  marker: string;
  /** All that stayed behind anywhere. */
  left(): Promise<string>;
}

async function open(vars: Partial<Env> = {}): Promise<Watched> {
  const world = await openWorld({
    policy: policyOf({ requirements: ["no_training"] }),
    catalog,
    vars: { UPSTREAM_HEADERS_TIMEOUT_SECONDS: "0.3", ...vars },
  });
  const marker = `canary-${crypto.randomUUID()}`;
  const sent: unknown[] = [];
  const { AUDIT } = world.env;
  const send: Queue["send"] = (message, options) => {
    sent.push(message, options);
    return AUDIT.send(message, options);
  };
  world.restart({ AUDIT: replacing(AUDIT, { send }) });
  const left = async () => {
    const said = consoles.map(({ mock }) => mock.calls.map((call) => call.map(String)));
    return [await dumpDatabase(world.env), await dumpEdge(world.env), JSON.stringify(sent), JSON.stringify(said)].join(
      "\n",
    );
  };
  return { world, marker, left };
}

const post = (world: World, body: BodyInit, headers: Record<string, string> = {}) =>
  world.call("/v1/chat/completions", { method: "POST", body, headers });

/** Posts a form that holds the marker wherever a form can, after `model` and the parts given. */
const postForm = (world: World, marker: string, model: string, ...more: RawPart[]) => {
  const prompt = [field("prompt", marker), field(`metadata[${marker}]`, marker)];
  const files = [file("file", `${marker}.mp3`, marker), file("image[]", marker, marker, `image/${marker}`)];
  const body = rawForm(field("model", model), ...prompt, ...files, ...more);
  return world.call("/v1/audio/transcriptions", { method: "POST", body, headers: { "content-type": FORM_TYPE } });
};

const promptOf = (marker: string) => ({
  messages: [
    { role: "system", content: marker },
    { role: "user", content: [{ type: "text", text: marker }] },
    { role: "assistant", tool_calls: [{ function: { name: "f", arguments: `{"x":"${marker}"}` } }] },
    { role: "tool", content: marker },
  ],
  tools: [{ type: "function", function: { name: marker, parameters: { description: marker } } }],
  metadata: { [marker]: marker },
  user: marker,
});

it("the dumps would find it", async () => {
  const { world, marker, left } = await open();
  await world.chat({ model: "dirty" }, { headers: { "x-client-request-id": marker } });
  await world.env.CONFIG.put("anything", marker);
  expect((await left()).split("\n").map((part) => part.includes(marker))).toEqual([true, true, true, true]);
});

it.each<{ name: string; act: (world: World, marker: string) => Promise<unknown> }>([
  { name: "a prompt that is served", act: (world, marker) => world.chat({ model: "mix", ...promptOf(marker) }) },
  { name: "a prompt that is blocked", act: (world, marker) => world.chat({ model: "dirty", ...promptOf(marker) }) },
  {
    name: "a prompt that is rerouted",
    act: (world, marker) => world.chat({ model: "mix", provider: { order: ["leaky"] }, ...promptOf(marker) }),
  },
  {
    name: "a prompt under auto that fits nothing",
    act: (world, marker) => world.chat({ model: "auto", ...promptOf(marker) }),
  },
  {
    name: "a prompt to a model that does not exist",
    act: (world, marker) => world.chat({ model: marker, ...promptOf(marker) }),
  },
  {
    name: "preferences that are no preferences",
    act: async (world, marker) => {
      await world.chat({ model: "dirty", provider: { [marker]: marker } });
      await world.chat({ model: "dirty", provider: { only: [marker] } });
      await world.chat({ model: "dirty", provider: marker });
      await world.chat({ model: { [marker]: marker } });
    },
  },
  {
    name: "malformed JSON, cut in and after it",
    act: async (world, marker) => {
      const whole = JSON.stringify({ model: "dirty", ...promptOf(marker) });
      for (const body of [
        marker,
        `{"${marker}`,
        `{"model":"dirty","x":${marker}}`,
        `${whole}${marker}`,
        whole.slice(0, 60),
      ])
        await post(world, body);
    },
  },
  {
    name: "a repeated key, invalid UTF-8, and too deep a nesting",
    act: async (world, marker) => {
      await post(world, `{"${marker}":1,"${marker}":2}`);
      await post(world, Uint8Array.from([...new TextEncoder().encode(`{"x":"${marker}`), 0xff]));
      await post(world, `{"x":${"[".repeat(300)}"${marker}"`);
    },
  },
  {
    name: "a form that is served, that is blocked, and that no provider answers",
    act: async (world, marker) => {
      expect((await postForm(world, marker, "spoken")).status).toBe(200);
      expect((await postForm(world, marker, "leaky/spoken")).status).toBe(403);
      expect((await postForm(world, marker, marker)).status).toBe(404);
      const quoting: Behaviour = { kind: "status", status: 500, body: marker };
      for (const provider of ["alpha", "beta"]) await world.behave(provider, quoting);
      expect((await postForm(world, marker, "spoken")).status).toBe(502);
      await world.behave("alpha", { kind: "reset" });
      expect((await postForm(world, marker, "spoken")).status).toBe(502);
    },
  },
  {
    name: "a form that cannot be read",
    act: async (world, marker) => {
      const disposition = "Content-Disposition: form-data;";
      const malformed: RawPart[] = [
        [`${disposition} name="${marker} "`, marker],
        [`${disposition} name="x"; filename="${marker}`, marker],
        [`${disposition} name="x"; filename*=${marker}`, marker],
        [`${marker}\r\n${disposition} name="x"`, marker],
        [`${disposition} name="x"\r\nContent-Transfer-Encoding: ${marker}`, marker],
        [`${disposition} name="x"\r\nContent-Type: multipart/${marker}`, marker],
      ];
      for (const part of [...malformed, field("provider", marker), field(`model[${marker}]`, marker)])
        expect((await postForm(world, marker, "spoken", part)).status).toBe(400);
      for (const type of [
        `multipart/form-data; boundary=${marker}`,
        `multipart/form-data; boundary="${marker}`,
        marker,
      ])
        await world.call("/v1/audio/transcriptions", {
          method: "POST",
          body: rawForm(field("model", marker)),
          headers: { "content-type": type },
        });
    },
  },
  {
    name: "header values",
    act: async (world, marker) => {
      const names = ["accept", "user-agent", "cookie", "x-portkey-config", "anthropic-beta", "content-type", "referer"];
      const headers = Object.fromEntries(names.map((name) => [name, marker]));
      await world.chat({ model: "dirty", ...promptOf(marker) }, { headers });
      await world.chat({ model: "mix" }, { headers });
      await post(world, "{}", { "content-encoding": marker });
      await world.call("/v1/models", { headers: { "x-api-key": marker } });
      await world.call("/v1/models", { headers: { authorization: `Bearer pcl_${marker}` } });
    },
  },
  {
    name: "paths and queries",
    act: async (world, marker) => {
      await world.call(`/v1/${marker}?q=${marker}`);
      await world.call(`/v1/models/${marker}`);
      await world.call(`/v1/chat/completions?q=${marker}`, { method: "POST", body: '{"model":"dirty"}' });
    },
  },
  ...[200, 301, 400, 401, 404, 429, 500].map((status) => ({
    name: `a provider's answer of ${status} that quotes it`,
    act: async (world: World, marker: string) => {
      const headers = { "x-request-id": marker, location: `https://x.example/${marker}`, "retry-after": marker };
      const quoting: Behaviour = {
        kind: "status",
        status,
        headers,
        body: JSON.stringify({ error: { message: marker } }),
      };
      for (const provider of ["alpha", "beta", "gamma"]) await world.behave(provider, quoting);
      await world.chat({ model: "mix", ...promptOf(marker) });
    },
  })),
  ...(["reset", "hang"] as const).map((kind) => ({
    name: `providers that ${kind}`,
    act: async (world: World, marker: string) => {
      for (const provider of ["alpha", "beta", "gamma"]) await world.behave(provider, { kind });
      await world.chat({ model: "mix", ...promptOf(marker) });
    },
  })),
  {
    name: "a stream that breaks",
    act: async (world, marker) => {
      await world.behave("alpha", { kind: "stream", chunks: [`data: ${marker}\n\n`], everyMs: 30, ending: "reset" });
      const response = await world.chat({ model: "mix", stream: true, ...promptOf(marker) });
      const [event, ...rest] = (await response.text()).split("\n\n\n\n");
      expect(event).toBe(`data: ${marker}`);
      expect(rest.join("")).toContain("upstream_error");
      expect(rest.join("")).not.toContain(marker);
    },
  },
  {
    name: "a client that leaves a stream",
    act: async (world, marker) => {
      await world.behave("alpha", { kind: "stream", chunks: [`data: ${marker}\n\n`], everyMs: 30, ending: "hang" });
      const response = await world.chat({ model: "mix", stream: true, ...promptOf(marker) });
      await response.body?.cancel();
    },
  },
  {
    name: "stores that fail with it in their errors",
    act: async (world, marker) => {
      const fail = () => Promise.reject(new Error(marker));
      const { CONFIG, DB, AUDIT } = world.env;
      world.restart({ DB: replacing(DB, { batch: fail }), AUDIT: replacing(AUDIT, { send: fail }) });
      await world.chat({ model: "dirty", ...promptOf(marker) });
      world.restart({ CONFIG: readingBy(CONFIG, fail) });
      await world.chat({ model: "mix", ...promptOf(marker) });
      world.restart({ DB, CONFIG });
    },
  },
  {
    name: "a record at the edge that is not one",
    act: async (world, marker) => {
      const { CONFIG } = world.env;
      for (const garbage of [marker, `{"schema":1,"${marker}":`, `{"schema":"${marker}"}`]) {
        world.restart({ CONFIG: readingBy(CONFIG, async () => garbage) });
        await world.chat({ model: "mix", ...promptOf(marker) });
      }
      world.restart({ CONFIG });
    },
  },
])("$name leaves nothing of it behind", async ({ act }) => {
  const { world, marker, left } = await open();
  await act(world, marker);
  const found = await left();
  expect(found).not.toContain(marker);
  expect(found).not.toContain(world.key);
});

it("an organization's own provider key is stored, used, refused and removed, and is nowhere left in plain", async () => {
  const { world, marker, left } = await open({ SANDBOX_UPSTREAM: "" });
  const { env, org } = world;
  const email = "owner@acme.example";
  await createOrg(env, { id: org, name: "Acme", plan: "free", from: { via: "api", country: null } });
  await putMember(env, { org, email, role: "owner", actor: "operator" });
  const { token } = await issueToken(env, { org, email, name: null, expires_at: null, actor: "operator" });
  const ask = (method: string, path: string, body?: unknown) =>
    send(world.env, `/orgs/${org}/credentials/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const answers: string[] = [];
  const keep = async (answer: ReturnType<typeof ask>) => answers.push((await answer).text);

  const journal = replaceNetwork(() => Response.json({ error: { message: marker } }, { status: 401 }));
  await keep(ask("PUT", "alpha", { secret: marker }));
  await world.chat({ model: "alpha/mix" });
  expect(journal.map(({ authorization }) => authorization)).toEqual([`Bearer ${marker}`]);
  const { account } = await newServiceAccount();
  const wrong = [
    `{"secret":"${marker}`,
    { secret: `${marker} ` },
    { secret: [marker] },
    { secret: marker, note: marker },
  ];
  const variables = { secret: marker, variables: { region: marker, [`x${marker}`]: marker } };
  for (const body of [...wrong, variables, { service_account: { ...account, private_key: marker } }])
    await keep(ask("PUT", "alpha", body));
  await keep(ask("PUT", "nobody", { secret: marker }));
  const down = () => Promise.reject(new Error(marker));
  world.restart({ DB: replacing(env.DB, { batch: down }) });
  await keep(ask("PUT", "beta", { secret: marker }));
  world.restart({ DB: env.DB, CREDENTIALS_KEY: "" });
  await world.chat({ model: "alpha/mix" });
  const record = (await env.CONFIG.get(kvKeys.org(org))) ?? "";
  await env.CONFIG.put(kvKeys.org(org), record.replace('"secret"', `"${marker}"`));
  world.restart();
  await world.chat({ model: "alpha/mix" });
  await env.CONFIG.put(kvKeys.org(org), record);
  world.restart({ CREDENTIALS_KEY: env.CREDENTIALS_KEY ?? "" });
  const stored = await left();
  await keep(ask("DELETE", "alpha"));
  vi.unstubAllGlobals();

  expect(answers).toHaveLength(10);
  const found = [stored, await left(), ...answers].join("\n");
  expect(found).toContain("credentials.unreadable");
  expect(found).toContain("Removes the organization's own key for alpha.");
  for (const form of [marker, marker.slice(7), Buffer.from(marker).toString("base64"), btoa(marker.slice(7))])
    expect(found).not.toContain(form);
});

it("a defect of our own is logged by its kind and place, never by its message, and shuts the door", async () => {
  const { world, marker, left } = await open({ SANDBOX_UPSTREAM: "" });
  const message = `${marker}\n    at ${marker} (prompt.ts:1:1)`;
  Object.defineProperty(world.env, "ALPHA_API_KEY", {
    enumerable: true,
    get: () => {
      throw new TypeError(message);
    },
  });
  const response = await world.chat({ model: "alpha/mix", ...promptOf(marker) });
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain(marker);
  const found = await left();
  expect(found).toContain("gateway.defect");
  expect(found).not.toContain(marker);
});
