// A gateway that judges nothing: Hono, and the calls that the contract asks of the runtime (headers by allow-list both
// ways, ids on the answer, a time-out, the client's abort, no redirects). What is above it is Portcullis' own doing.
import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";

const HEADERS_TIMEOUT_MS = 300_000;
const FORWARDED = ["accept", "anthropic-version", "anthropic-beta", "openai-beta"];
const RETURNED = /^(content-type|retry-after|(x-|anthropic-)?ratelimit-.*)$/;

const app = new Hono<{ Bindings: { SANDBOX_UPSTREAM: string } }>({ router: new RegExpRouter() });

app.post("/v1/*", async (c) => {
  const { headers, signal, url } = c.req.raw;
  const key = headers.get("authorization") ?? headers.get("x-api-key");
  if (headers.get("content-encoding") !== null || headers.get("content-length") === null) return c.text("", 400);
  const sent: Record<string, string> = { "content-type": "application/json", authorization: `${key}` };
  for (const name of FORWARDED) {
    const value = headers.get(name);
    if (value !== null) sent[name] = value;
  }
  const body = await c.req.raw.arrayBuffer();
  const answer = fetch(c.env.SANDBOX_UPSTREAM + url.slice(url.indexOf("/v1")), {
    method: "POST",
    headers: sent,
    body,
    redirect: "manual",
    signal,
  });
  const response = await inTime(answer);
  const id = `req_${crypto.randomUUID()}`;
  const returned: Record<string, string> = {
    "cache-control": "no-store",
    "portcullis-request-id": id,
    "x-request-id": id,
    "request-id": id,
    "portcullis-policy-revision": "1",
    "portcullis-provider": "none",
  };
  response.headers.forEach((value, name) => {
    if (RETURNED.test(name)) returned[name] = value;
  });
  return new Response(response.body, { status: response.status, headers: returned });
});

async function inTime(answer: Promise<Response>): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no response headers")), HEADERS_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, bound]);
  } finally {
    clearTimeout(timer);
  }
}

export default app;
