// A security event: what the paper trail keeps of a refusal. Ids, names and reasons; never content, never keys.
import * as z from "zod";

/** Of a text in an event. */
export const MAX_TEXT_LENGTH = 512;
const text = z.string().max(MAX_TEXT_LENGTH);
export const EVENT_ID_PATTERN = /^evt_[0-9A-HJKMNP-TV-Z]{26}$/;

export const SecurityEvent = z.strictObject({
  id: z.string().regex(EVENT_ID_PATTERN),
  type: z.enum(["compliance.blocked", "policy.unavailable"]),
  outcome: z.enum(["refused", "rerouted"]),
  at: z.iso.datetime({ precision: 3 }),
  org: text.nullable(),
  project: text.nullable(),
  key_id: text.nullable(),
  request_id: text,
  client_request_id: text.nullable(),
  api: text.nullable(),
  model: text.nullable(),
  mode: z.enum(["pinned", "auto"]).nullable(),
  providers: z.array(
    z.strictObject({
      id: text,
      /** The model this provider was refused for, where the request named several. */
      model: text.optional(),
      failures: z.array(z.strictObject({ code: text, found: z.union([text, z.number(), z.boolean(), z.null()]) })),
    }),
  ),
  /** Providers left out of `providers` because the event would have grown past its bound. */
  providers_omitted: z.number().int().positive().optional(),
  /** What stood in the way where it was no provider: an unreadable policy, or a field of the request. */
  reason: text.optional(),
  /**
   * Many blocks of one key within a minute, folded into this one event, which is as the first of them was. The count is
   * a lower bound; it is complete, as far as it will be, after `to`.
   */
  repeats: z
    .strictObject({
      at_least: z.number().int().positive(),
      from: z.iso.datetime({ precision: 3 }),
      to: z.iso.datetime({ precision: 3 }),
    })
    .optional(),
  policy_revision: z.number().int().nullable(),
  catalog_version: text.nullable(),
  colo: text.nullable(),
  country: text.nullable(),
});
export type SecurityEvent = z.infer<typeof SecurityEvent>;

/** What is left to say of a stored event that this build cannot read: another one wrote it, or it was changed in D1. */
export const UnreadableEvent = z.strictObject({ id: z.string(), at: z.string(), unreadable: z.literal(true) });
export type UnreadableEvent = z.infer<typeof UnreadableEvent>;

/** A stored event as lists have it: one that cannot be read stands in its place, and keeps no other from being shown. */
export type ListedEvent = SecurityEvent | UnreadableEvent;

export const isReadable = (event: ListedEvent): event is SecurityEvent => !("unreadable" in event);
