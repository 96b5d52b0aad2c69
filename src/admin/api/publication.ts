// Whether the edge took what was saved: as a field, and in words where it did not.
import * as z from "zod";
import type { Published } from "../../store/publish.ts";

/** The members of an answer that say so. */
export const PUBLICATION = { published: z.boolean(), note: z.string().optional() };

const REPAIR = "It is tried again every few minutes.";

/** What an answer says of a published revision; `done` is what was done all the same, such as "Revision 8 is saved". */
export function publicationOf(result: Published, done: string): { published: boolean; note?: string } {
  if (result.published) return { published: true };
  const note = `${done}, but the gateway does not enforce it yet: ${result.reason}. ${REPAIR}`;
  return { published: false, note };
}

/** The same for a key. */
export function keyPublicationOf(published: boolean, otherwise: string): { published: boolean; note?: string } {
  return published ? { published } : { published, note: `${otherwise} ${REPAIR}` };
}
