// The paper trail's integrity: verify an organization's chain, take it out, and see what waits in the dead letters.
import { type Context, Hono } from "hono";
import * as z from "zod";
import { GENESIS } from "../../chain/links.ts";
import { SignedCut } from "../../chain/signed-cut.ts";
import { keyIdOf, PublicKey, SignedHead } from "../../chain/signed-head.ts";
import { publicKeys } from "../../store/audit-keys.ts";
import { type AdminEnv, requireMember } from "../authorize.ts";
import { exportChain, verifyChain } from "../chain.ts";
import { invalid } from "../problem.ts";
import { readQuery } from "./request.ts";
import { streamed } from "./streamed.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hex");
const seq = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, "must be a number")
  .transform(Number);

/** `from` and `from_hash` are the `to` of an earlier answer; `head` is a signed head as JSON. */
export const VerifyQuery = z
  .strictObject({ from: seq.optional(), from_hash: hash.optional(), head: z.string().max(1024).optional() })
  .refine(
    ({ from, from_hash }) => (from === undefined) === (from_hash === undefined),
    "from and from_hash go together",
  );

const HEAD_PROBLEMS = ["not_genuine", "other_chain", "cut_off"] as const;

const Place = z.strictObject({ seq: z.number().int().nonnegative(), hash });
export const VerifyAnswer = z.strictObject({
  ok: z.boolean(),
  complete: z.boolean(),
  checked: z.number().int(),
  from: Place,
  to: Place,
  broken: z
    .strictObject({
      seq: z.number().int(),
      event: z.string().nullable(),
      reason: z.enum(["missing", "event_missing", "event_changed", "not_linked", "out_of_order"]),
      next: z.number().int().optional(),
    })
    .nullable(),
  head_problem: z.strictObject({ seq: z.number().int(), reason: z.enum(HEAD_PROBLEMS) }).nullable(),
  proven_by: SignedHead.nullable(),
  /** What stands for the events that retention removed. */
  removed: SignedCut.nullable(),
  /** What became of the head that was given. */
  held: z.enum(["borne_out", "removed", "not_reached", ...HEAD_PROBLEMS]).nullable(),
  unsealed: z.number().int(),
  unlinked: z.array(z.string()),
});

export const ChainQuery = z.strictObject({ after: seq.default(0) });

export const AuditKeysAnswer = z.strictObject({
  keys: z.array(PublicKey.extend({ kid: z.string(), alg: z.literal("EdDSA"), use: z.literal("sig") })),
});

/** The public keys by which signed heads are checked, for anybody: a JSON Web Key Set. */
export const auditKeys = async (c: Context<AdminEnv>) => {
  const keys = await publicKeys(c.env);
  const answer: z.infer<typeof AuditKeysAnswer> = {
    keys: keys.map((key) => ({ ...key, kid: keyIdOf(key), alg: "EdDSA", use: "sig" })),
  };
  return c.json(answer);
};

export const chain = new Hono<AdminEnv>();

chain.get("/:org/events/verify", async (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const { from, from_hash, head } = readQuery(c, VerifyQuery);
  const start = from === undefined ? null : { seq: from, hash: from_hash ?? GENESIS };
  const held = head === undefined ? null : headOf(head, org);
  const verified = await verifyChain(c.env, { org, from: start, held });
  const answer: z.infer<typeof VerifyAnswer> = { ...verified, unlinked: [...verified.unlinked] };
  return c.json(answer);
});

chain.get("/:org/events/chain", (c) => {
  const { org } = requireMember(c, c.req.param("org"), "events");
  const { after } = readQuery(c, ChainQuery);
  return streamed(exportChain(c.env, { org, after }), {
    "content-type": "application/x-ndjson",
    "content-disposition": `attachment; filename="${org}-event-chain.ndjson"`,
  });
});

/** The signed head that the caller holds. Throws 400 when it is none, or another organization's. */
function headOf(text: string, org: string): SignedHead {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw invalid([{ path: "head", message: "must be a signed head as JSON" }]);
  }
  const parsed = SignedHead.safeParse(given);
  if (!parsed.success) throw invalid([{ path: "head", message: "is no signed head of this gateway" }]);
  if (parsed.data.org !== org) throw invalid([{ path: "head", message: "belongs to another organization's chain" }]);
  return parsed.data;
}
