// The promises of the design, checked from outside: in what clients were answered, in the providers' journal, in D1, on
// the tail, and in the very bytes that KV and D1 have on disk.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JournalEntry } from "../../provider-stand-in.ts";
import { FORBIDDEN } from "./asks.ts";
import type { Asked, Enforced } from "./load.ts";
import type { Outage } from "./outages.ts";
import { CANARY } from "./plan.ts";
import { readTail } from "./tail.ts";

/** A 403 is here by then, whatever is broken; other answers wait for KV and for two providers at the most. */
const BLOCK_WITHIN_MS = 3_000;
const ANSWER_WITHIN_MS = 8_000;

const describe = (asked: Asked) => `${asked.ask.name}: ${JSON.stringify({ ...asked, ask: undefined })}`;

/** Answers that no client should have been given. */
export function unclearAnswers(asked: readonly Asked[], { codes, breaks }: Required<Outage>): string[] {
  const isFine = (each: Asked): boolean => {
    switch (each.kind) {
      case "answered":
        return !each.ask.forbidden && each.ms < ANSWER_WITHIN_MS;
      case "refused":
        if (each.code === "provider_compliance_blocked") return each.ask.forbidden && each.eventId !== null;
        return codes.includes(each.code) && each.ms < ANSWER_WITHIN_MS;
      case "broken_off":
      case "lost":
        return breaks;
      case "unclear":
        return false;
    }
  };
  return asked.filter((each) => !isFine(each)).map(describe);
}

/** Blocks whose answer took longer than is promised; `slackMs` is for a machine that does much else. */
export function lateBlocks(asked: readonly Asked[], slackMs: number): string[] {
  return asked
    .filter((each) => each.kind === "refused" && each.code === "provider_compliance_blocked")
    .filter(({ ms }) => ms > BLOCK_WITHIN_MS + slackMs)
    .map(describe);
}

/** Answers by a policy that was older than is allowed. */
export function staleAnswers(asked: readonly Asked[], enforced: readonly Enforced[], ageMs: number): string[] {
  return asked
    .filter((each) => {
      if (each.kind !== "answered" && each.kind !== "refused") return false;
      if (each.revision === null) return false;
      const { began, revision } = each;
      return enforced.some((newer) => newer.revision > revision && newer.at < began - ageMs);
    })
    .map(describe);
}

/** Prompts that reached a provider they must not reach. */
export function leaks(journal: readonly JournalEntry[], allowed: ReadonlySet<string>): string[] {
  return journal
    .filter(({ provider, body }) => !allowed.has(provider) || Buffer.from(body, "base64").includes(FORBIDDEN))
    .map(({ provider, url }) => `${provider} ${url}`);
}

/** Files of KV and D1 that hold any of a prompt. */
export function filesWithPrompts(state: string): string[] {
  return readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => readFileSync(path).includes(CANARY));
}

export interface Recorded {
  /** Blocks that clients were told of, and how many of those are in D1, and on the tail alone. */
  blocked: number;
  stored: number;
  tailed: number;
  /** Those on the tail alone that no line says so of. */
  uncounted: string[];
  /** Whose record is nowhere: blocks, and answers that the policy is unavailable. */
  missing: string[];
}

/**
 * Where each block and each unreadable policy that a client was told of is on record. The latter have no event of their
 * own where there are many without a key that is known; each has its line on the tail.
 */
export function recordsOf(
  asked: readonly Asked[],
  { events, lines }: { events: readonly { id: string; request: string }[]; lines: readonly string[] },
): Recorded {
  const ids = new Set(events.map(({ id }) => id));
  const requests = new Set(events.map(({ request }) => request));
  const tail = readTail(lines);
  const recorded: Recorded = { blocked: 0, stored: 0, tailed: 0, uncounted: [], missing: [] };
  for (const each of asked) {
    if (each.kind !== "refused") continue;
    const { eventId, requestId, code } = each;
    const isTailed = tail.requests.has(requestId);
    if (eventId !== null) {
      recorded.blocked++;
      if (ids.has(eventId)) recorded.stored++;
      else if (isTailed) {
        recorded.tailed++;
        if (!tail.alone.has(eventId)) recorded.uncounted.push(describe(each));
      } else recorded.missing.push(describe(each));
    } else if (code === "policy_unavailable" && !isTailed && !requests.has(requestId))
      recorded.missing.push(describe(each));
  }
  return recorded;
}
