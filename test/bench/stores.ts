// KV, D1 and a queue for a bare workerd, served from the bench's own process in the wire format of workerd's bindings: so
// the Worker's process holds nothing but the Worker, as in production. Counts what is asked of it.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

interface Statement {
  sql: string;
  params?: SQLInputValue[];
}

interface Answer {
  status: number;
  body: Buffer | string;
}

export interface Stores {
  port: number;
  kv: Map<string, Buffer>;
  database: DatabaseSync;
  counts: { kvReads: number; kvWrites: number; d1Calls: number; queueMessages: number };
  close(): void;
}

/** Listens on a loopback port; the database has the schema of `schemaPath` and lives in memory. */
export async function startStores(port: number, schemaPath: string): Promise<Stores> {
  const kv = new Map<string, Buffer>();
  const database = new DatabaseSync(":memory:");
  database.exec(readFileSync(schemaPath, "utf8"));
  const counts = { kvReads: 0, kvWrites: 0, d1Calls: 0, queueMessages: 0 };

  const serve = { kv: serveKv, d1: serveD1, queue: serveQueue };

  function serveKv({ method, url = "" }: IncomingMessage, body: Buffer): Answer {
    const key = decodeURIComponent(new URL(url, "http://kv").pathname.slice(1));
    if (method === "GET") {
      counts.kvReads++;
      const value = kv.get(key);
      return value === undefined ? { status: 404, body: "" } : { status: 200, body: value };
    }
    counts.kvWrites++;
    if (method === "PUT") kv.set(key, body);
    else kv.delete(key);
    return { status: 200, body: "" };
  }

  function serveD1(_request: IncomingMessage, body: Buffer): Answer {
    counts.d1Calls++;
    const asked: Statement | Statement[] = JSON.parse(String(body));
    database.exec("BEGIN");
    try {
      const results = Array.isArray(asked) ? asked.map(run) : run(asked);
      database.exec("COMMIT");
      return { status: 200, body: JSON.stringify(results) };
    } catch (error) {
      database.exec("ROLLBACK");
      return { status: 200, body: JSON.stringify({ success: false, error: String(error) }) };
    }
  }

  function run({ sql, params = [] }: Statement) {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    const rows = statement.all(...params);
    const { changes } = database.prepare("SELECT changes() AS changes").get() as { changes: number };
    return { success: true, results: { columns, rows }, meta: { changes, duration: 0 } };
  }

  function serveQueue({ url }: IncomingMessage, body: Buffer): Answer {
    counts.queueMessages += url?.startsWith("/batch") ? JSON.parse(String(body)).messages.length : 1;
    return { status: 200, body: "{}" };
  }

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const store = request.headers["x-store"] as keyof typeof serve;
    const { status, body } = serve[store](request, Buffer.concat(parts));
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port, kv, database, counts, close: () => server.close() };
}
