// The gateway that a command is about: where it is, on whose behalf, and what it says no to.
import * as z from "zod";
import { retryAfterOf } from "../../routing/retry-after.ts";
import { type Answer, adminApi } from "../admin-api.ts";
import { readDemo } from "../demo.ts";
import { plainText } from "../plain-text.ts";
import type { Asked } from "./asked.ts";
import { misused, Refused } from "./halts.ts";

export interface Call {
  method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the organization, or below /admin/api for the operator. */
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Gateway {
  /** What it answers, checked. Halts when it says no, or cannot be reached. */
  ask<T>(schema: z.ZodType<T>, call: Call): Promise<T>;
  /** The pieces of a long answer. */
  download(call: Call): Promise<AsyncIterable<Uint8Array>>;
}

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** The gateway on behalf of a member of the organization that was asked about. */
export function asMember(asked: Asked): Gateway {
  const { url, token, org } = connectionOf(asked, "owner_token");
  if (org === undefined) throw misused("Say which organization: --org ORG, or PORTCULLIS_ORG in the environment.");
  return gatewayAt(url, token, `/orgs/${encodeURIComponent(org)}`);
}

/** The gateway on behalf of its operator. */
export function asOperator(asked: Asked): Gateway {
  const { url, token } = connectionOf(asked, "operator_token");
  return gatewayAt(url, token, "");
}

function connectionOf(asked: Asked, demoToken: "owner_token" | "operator_token") {
  const { PORTCULLIS_URL, PORTCULLIS_TOKEN, PORTCULLIS_ORG } = process.env;
  const url = asked.text("url") || PORTCULLIS_URL || undefined;
  const token = asked.text("token") || PORTCULLIS_TOKEN || undefined;
  const org = asked.text("org") || PORTCULLIS_ORG || undefined;
  // Together or not at all: a token of the demo must not travel to another address.
  const demo = url === undefined && token === undefined ? readDemo() : null;
  if (demo) return { url: demo.url, token: demo[demoToken], org: org ?? demo.org };
  if (url === undefined)
    throw misused(
      "Say where the gateway is: --url URL, or PORTCULLIS_URL in the environment.\nWithout either, the demo of `npm start` is meant, and it has not been started here.",
    );
  if (token === undefined) throw misused("Say on whose behalf: an admin token in PORTCULLIS_TOKEN, or --token TOKEN.");
  if (!/^[\x21-\x7e]+$/.test(token)) throw misused("The token has characters that no token has.");
  return { url: addressOf(url), token, org };
}

function addressOf(given: string): string {
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw misused("The URL is no address of a gateway, such as https://gateway.example.com");
  if (url.protocol === "http:" && !LOOPBACK.has(url.hostname))
    throw misused(`The token would travel to ${url.host} unencrypted. Use https.`);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function gatewayAt(url: string, token: string, base: string): Gateway {
  const api = adminApi(url, token);
  const away = (reason: string) => `${url} cannot be reached (${reason}). Is it running, and is that its address?`;
  return {
    async ask(schema, { method = "GET", path, query = {}, body, headers }) {
      const answer = await reached(() => api.call(method, `${base}${path}${searchOf(query)}`, body, headers), away);
      if (answer.status >= 300) throw refusalOf(answer);
      const parsed = schema.safeParse(answer.body);
      if (parsed.success) return parsed.data;
      throw new Refused(`What answers at ${url} is no admin API of this version of Portcullis.`, { passing: false });
    },

    async download({ path, query = {} }) {
      const response = await reached(() => api.download(`${base}${path}${searchOf(query)}`), away);
      if (!response.ok) {
        const retryAfterSeconds = retryAfterOf(response.headers, Date.now()) ?? 0;
        throw refusalOf({ status: response.status, body: await jsonOf(response) }, retryAfterSeconds);
      }
      return pieces(response);
    },
  };

  async function* pieces({ body }: Response): AsyncIterable<Uint8Array> {
    if (!body) return;
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reached(
        () => reader.read(),
        (reason) => `The answer broke off (${reason}).`,
      );
      if (done) return;
      yield value;
    }
  }
}

function searchOf(query: NonNullable<Call["query"]>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

/** Whatever fails before there is an answer, or in the middle of one, is the network's doing or the server's. */
async function reached<T>(call: () => Promise<T>, whyNot: (reason: string) => string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new Refused(whyNot(reasonOf(error)), { passing: true });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return plainText(String(code ?? message ?? "no answer"));
}

const Problem = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
});

const REMEDIES: Readonly<Record<string, string>> = {
  not_signed_in: "Set PORTCULLIS_TOKEN to a token that is valid; an owner can issue one.",
  stale_revision: "Read it with `policy get`, or see what differs with `policy diff FILE`.",
  confirmation_required: "To save it all the same, add --confirm no-providers.",
};

function refusalOf({ status, body }: Answer, retryAfterSeconds = 0): Refused {
  const waiting = { passing: status === 429 || status >= 500, retryAfterSeconds };
  const problem = Problem.safeParse(body);
  if (!problem.success) {
    const what = status < 400 ? "leads elsewhere: give the address it leads to" : "is no answer of the admin API";
    return new Refused(`The answer, ${status}, ${what}.`, waiting);
  }
  const { code, detail, errors } = problem.data;
  const lines = [
    `Refused (${status} ${code}): ${detail}`,
    ...(errors.length > 1 ? errors.map(({ path, message }) => `  ${path}: ${message}`) : []),
    ...(Object.hasOwn(REMEDIES, code) ? [REMEDIES[code] ?? ""] : []),
  ];
  return new Refused(lines.map((line) => plainText(line, 2000)).join("\n"), waiting);
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
