// Dead letters: what the audit queue gave up on, for the operator to look at and to send on its way again.
import { Hono } from "hono";
import * as z from "zod";
import { countDeadLetters, listDeadLetters, replayDeadLetter } from "../../store/dead-letters.ts";
import { type AdminEnv, requireOperator } from "../authorize.ts";
import { Problem } from "../problem.ts";
import { readQuery } from "./request.ts";

export const DeadLettersQuery = z.strictObject({ after: z.string().max(256).optional() });
export const DeadLettersAnswer = z.strictObject({
  waiting: z.number().int(),
  data: z.array(
    z.strictObject({ id: z.string(), received_at: z.iso.datetime(), body: z.string(), replayed_at: z.null() }),
  ),
});
export const ReplayAnswer = z.strictObject({ id: z.string(), replayed: z.literal(true) });

const PER_PAGE = 100;

export const deadLetters = new Hono<AdminEnv>();

deadLetters.get("/", async (c) => {
  requireOperator(c);
  const { after } = readQuery(c, DeadLettersQuery);
  const [waiting, letters] = await Promise.all([
    countDeadLetters(c.env),
    listDeadLetters(c.env, { after, limit: PER_PAGE }),
  ]);
  const answer: z.infer<typeof DeadLettersAnswer> = {
    waiting,
    data: letters.map((letter) => ({ ...letter, replayed_at: null })),
  };
  return c.json(answer);
});

deadLetters.post("/:id/replay", async (c) => {
  requireOperator(c);
  const id = c.req.param("id");
  if (!(await replayDeadLetter(c.env, id)))
    throw new Problem({ status: 404, code: "not_found", detail: "No such dead letter waits." });
  const answer: z.infer<typeof ReplayAnswer> = { id, replayed: true };
  return c.json(answer);
});
