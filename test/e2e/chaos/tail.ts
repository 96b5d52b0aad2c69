// What the Worker printed about its record, as wrangler shows it.

export interface Tail {
  /** Requests and events of which a line holds the whole event. */
  requests: ReadonlySet<string>;
  events: ReadonlySet<string>;
  /** Events that are said to be on the tail alone. */
  alone: ReadonlySet<string>;
}

interface Line {
  message: string;
  id: string;
  request_id?: string;
  providers?: unknown;
}

export function readTail(lines: readonly string[]): Tail {
  const requests = new Set<string>();
  const events = new Set<string>();
  const alone = new Set<string>();
  for (const line of lines) {
    // wrangler marks what was printed as an error.
    const json = /\{"message":".*\}/.exec(line)?.[0];
    if (!json) continue;
    const { message, id, request_id, providers } = JSON.parse(json) as Line;
    if (message === "audit.not_stored") alone.add(id);
    if (!Array.isArray(providers)) continue;
    events.add(id);
    if (request_id !== undefined) requests.add(request_id);
  }
  return { requests, events, alone };
}
