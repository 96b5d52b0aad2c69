// Sends requests to a workerd process, a bounded number at a time, and measures what they cost it.
import { Agent, request } from "node:http";
import type { Workerd } from "./workerd.ts";

export interface Call {
  method: "GET" | "POST";
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The status that the answer must have: a bench of refusals it did not expect would look fast. */
  status: number;
}

export interface Sample {
  requestsPerSecond: number;
  /** CPU time of the workerd process per request. */
  cpuMicroseconds: number;
}

const CONCURRENCY = 16;
/** workerd closes a connection that is idle for 5 s; one that idles before its turn comes must be gone by then. */
const IDLE_MS = 3_000;
const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

/** Sends `call` `count` times, as fast as {@link CONCURRENCY} connections can. */
export async function measure(workerd: Workerd, call: Call, count: number): Promise<Sample> {
  let left = count;
  const client = async () => {
    while (left-- > 0) await send(workerd.port, call);
  };
  const cpuBefore = await workerd.cpuNanoseconds();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = (await workerd.cpuNanoseconds()) - cpuBefore;
  return { requestsPerSecond: count / seconds, cpuMicroseconds: cpu / count / 1000 };
}

/** Sends one request and resolves to the answer's text, when it has the expected status. */
export function send(port: number, { method, path, headers, body, status }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path, agent, headers: { ...headers, "content-length": body.length } },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(parts).toString();
          if (answer.statusCode === status) resolve(text);
          else
            reject(new Error(`${method} ${path} answered ${answer.statusCode}, not ${status}: ${text.slice(0, 400)}`));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
