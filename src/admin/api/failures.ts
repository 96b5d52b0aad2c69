// Why a provider fails, as it is answered: the rule's code, and what the catalog says (null: unknown).
import * as z from "zod";

export const FAILURES = z.array(
  z.strictObject({ code: z.string(), found: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
);
