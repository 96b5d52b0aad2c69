// What a draft policy would do to the catalog, as it is answered.
import * as z from "zod";
import { FAILURES } from "./failures.ts";

const count = z.strictObject({ allowed: z.number().int(), blocked: z.number().int() });
const change = z.enum(["newly_blocked", "newly_allowed"]).nullable();
const failures = z
  .array(
    FAILURES.element.extend({
      /** Of a project's preview: whose policy it is that is not met. */
      from: z.enum(["organization", "project"]).optional(),
    }),
  )
  .readonly();

export const PreviewAnswer = z.strictObject({
  catalog_version: z.string(),
  /** The revision in force, against which the change is told. */
  revision: z.number().int(),
  summary: z.strictObject({ providers: count, models: count }),
  providers: z.array(z.strictObject({ id: z.string(), name: z.string(), allowed: z.boolean(), failures, change })),
  models: z.array(
    z.strictObject({
      id: z.string(),
      allowed_providers: z.array(z.string()),
      blocked_providers: z.array(z.strictObject({ id: z.string(), failures })),
      change,
    }),
  ),
});
