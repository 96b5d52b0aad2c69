// The real Worker under broken bindings and a wrong clock: the entry that the chaos suite runs in place of
// src/index.ts. Under /__chaos the test says what is broken, and reaches what lies behind the faults.

import type { Env } from "../../../../src/env.ts";
import portcullis from "../../../../src/index.ts";
import { Plan } from "../plan.ts";
import { afflictedEnv, clockMs, deliver, follow, told } from "./afflicted.ts";

const CONTROL = "/__chaos";

globalThis.Date = new Proxy(Date, {
  get: (target, name) => (name === "now" ? () => target.now() + clockMs() : Reflect.get(target, name)),
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [target.now() + clockMs()] : args),
});

/**
 * What an isolate remembers hangs on its `env`: with one for each plane, what an admin saves reaches the data plane as
 * it does from another isolate, through KV.
 */
interface Isolates {
  data: Env;
  control: Env;
}
const isolates = new WeakMap<Env, Isolates>();

function isolatesOf(env: Env): Isolates {
  const known = isolates.get(env) ?? { data: afflictedEnv(env), control: afflictedEnv(env) };
  isolates.set(env, known);
  return known;
}

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(`${CONTROL}/`)) return control(pathname.slice(CONTROL.length + 1), request, env);
    const { data, control: admin } = isolatesOf(env);
    return portcullis.fetch(request, pathname.startsWith("/v1/") ? data : admin, context);
  },
  queue: (batch, env, context) => deliver(batch, (each) => portcullis.queue(each, isolatesOf(env).control, context)),
  scheduled: (event, env) => portcullis.scheduled(event, isolatesOf(env).control),
} satisfies ExportedHandler<Env>;

async function control(what: string, request: Request, { DB, CONFIG }: Env): Promise<Response> {
  switch (what) {
    case "plan":
      follow(Plan.parse(await request.json()));
      return Response.json(told);
    case "schema":
      await DB.prepare(await request.text()).run();
      return Response.json(told);
    case "corrupt": {
      const { key, value } = await request.json<{ key: string; value: string }>();
      await CONFIG.put(key, value);
      return Response.json(told);
    }
    case "events": {
      const { results } = await DB.prepare("SELECT id, event ->> '$.request_id' AS request FROM security_events").all();
      return Response.json(results);
    }
    case "dead": {
      const { results } = await DB.prepare("SELECT body FROM dead_letters").all();
      return Response.json(results);
    }
  }
  return new Response("no such thing", { status: 404 });
}
