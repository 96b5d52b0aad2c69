// What a webhook sends: an event with its place in the chain, a signed head, a test; as JSON or OCSF, signed as Standard
// Webhooks has it. Pure. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { Webhook as Signer } from "standardwebhooks";
import * as z from "zod";
import type { Seal } from "../chain/links.ts";
import type { SignedHead } from "../chain/signed-head.ts";
import { SecurityEvent } from "./event.ts";
import { ocsfNotice, ocsfOf } from "./ocsf.ts";

export const WEBHOOK_FORMATS = ["json", "ocsf"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** Whose message it is, and how it is to look. */
export interface Addressed {
  readonly id: string;
  readonly org: string;
  readonly format: WebhookFormat;
}

export interface Message {
  /** The same in every attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly body: string;
}

export interface SignedMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every build has stored in an event; one that knows more of them may have written it. */
const Stored = z.looseObject({ id: z.string(), type: z.string(), at: z.string() });
export type StoredEvent = z.infer<typeof Stored>;

/** The event in a row of D1, or null where it is none any more: somebody has been at the database. */
export function storedEvent(text: string | null): StoredEvent | null {
  try {
    return Stored.parse(JSON.parse(text ?? "null"));
  } catch {
    return null;
  }
}

/** An event with its seal: as JSON the very line of the chain's export, so that a receiver can verify it. */
export function eventMessage({ id, org, format }: Addressed, event: StoredEvent, seal: Seal): Message {
  const { type, at } = event;
  const { seq, prev_hash, hash } = seal;
  const messageId = `${event.id}_${id}`;
  if (format === "json") return message(messageId, { type, timestamp: at, data: { org, seq, prev_hash, hash, event } });
  const known = SecurityEvent.safeParse(event);
  if (known.success) return message(messageId, ocsfOf(known.data, seal));
  const unmapped = { event, seal: { seq, prev_hash, hash } };
  return message(
    messageId,
    ocsfNotice({ uid: event.id, org, type, at, message: "An event of another version.", unmapped }),
  );
}

/** A signed head: where the chain of the events that were sent ends, for somebody outside to hold. */
export function headMessage({ id, org, format }: Addressed, head: SignedHead): Message {
  const { seq, at } = head;
  const type = "audit.head";
  const uid = `head_${seq}_${id}`;
  if (format === "json") return message(uid, { type, timestamp: at, data: head });
  const words = `The chain of security events has ${seq} links.`;
  return message(uid, ocsfNotice({ uid, org, type, at, message: words, unmapped: { head } }));
}

/** A message that is about nothing, to try a receiver with. `uid` is of its own. */
export function testMessage({ id, org, format }: Addressed, { uid, at }: { uid: string; at: string }): Message {
  const type = "webhook.test";
  const data = { org, webhook: id };
  if (format === "json") return message(uid, { type, timestamp: at, data });
  return message(uid, ocsfNotice({ uid, org, type, at, message: "A test of this webhook.", unmapped: data }));
}

function message(id: string, content: object): Message {
  return { id, body: JSON.stringify(content) };
}

/** The message with its headers for an attempt at `now` (epoch milliseconds); one signature for each secret. */
export function signMessage({ id, body }: Message, secrets: readonly string[], now: number): SignedMessage {
  const at = new Date(now);
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "Portcullis-Webhooks/1",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now / 1000)),
      "webhook-signature": secrets.map((secret) => new Signer(secret).sign(id, at, body)).join(" "),
    },
    body,
  };
}
