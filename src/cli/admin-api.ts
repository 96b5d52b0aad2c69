// The admin API, called as anyone else would: over HTTP, with a token.
import * as z from "zod";
import { Halt } from "./command.ts";
import { plainText } from "./plain-text.ts";

const CALL_TIMEOUT_MS = 30_000;
/** By this a revision knows that it was saved from the command line. */
const USER_AGENT = "portcullis-cli";

export interface Answer {
  status: number;
  body: unknown;
}

export interface AdminApi {
  call(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The answer of a GET as it comes in, however long it takes. */
  download(path: string): Promise<Response>;
}

type Method = "GET" | "PUT" | "POST" | "DELETE";

const Problem = z.object({ code: z.string(), detail: z.string().optional() });

/** The admin API of the Worker at `url`, on behalf of whoever holds `token`. */
export function adminApi(url: string, token: string): AdminApi {
  const identity = { authorization: `Bearer ${token}`, "user-agent": USER_AGENT };
  return {
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${url}/admin/api${path}`, {
        method,
        headers: {
          ...headers,
          ...identity,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: "manual",
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      const text = await response.text();
      return { status: response.status, body: isJson(response) ? JSON.parse(text) : text };
    },

    download(path) {
      return fetch(`${url}/admin/api${path}`, { headers: identity, redirect: "manual" });
    },
  };
}

/** Ends the command when the answer's status is none of those expected. */
export function expectStatus({ status, body }: Answer, expected: readonly number[], what: string): void {
  if (expected.includes(status)) return;
  const problem = Problem.safeParse(body);
  const why = problem.success ? `${problem.data.code}: ${problem.data.detail ?? ""}` : String(body);
  throw new Halt(`The Worker answered ${status} when ${what}: ${plainText(why)}`);
}

function isJson(response: Response): boolean {
  return /^application\/(problem\+)?json\b/.test(response.headers.get("content-type") ?? "");
}
