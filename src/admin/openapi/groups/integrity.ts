// The chain of events, its keys, and the dead letters.
import { AuditKeysAnswer, ChainQuery, VerifyAnswer, VerifyQuery } from "../../api/chain.ts";
import { DeadLettersAnswer, DeadLettersQuery, ReplayAnswer } from "../../api/dead-letters.ts";
import { AT, EVENT, HASH, HEAD } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const LETTER = { description: "The dead letter's id.", example: "4e1c1b0c9e7f4a0d" };

export const integrity: Group = {
  title: "Integrity of the record",
  description:
    "Events are sealed into a hash chain per organization, whose ends are signed (Ed25519). Verify it here, or take it out and verify it elsewhere: `npm run portcullis -- events verify FILE`.",
  operations: [
    {
      id: "verifyChain",
      method: "get",
      path: `${ORG_PATH}/events/verify`,
      summary: "Verify the chain of events in place",
      details:
        "Walks at most 20,000 links; where `complete` is false, ask again with `from` and `from_hash` set to the answer's `to`.",
      who: "events",
      query: VerifyQuery,
      answer: {
        schema: { VerifyAnswer },
        example: {
          ok: true,
          complete: true,
          checked: 1204,
          from: { seq: 0, hash: "0".repeat(64) },
          to: { seq: 1204, hash: HASH },
          broken: null,
          head_problem: null,
          proven_by: HEAD,
          unsealed: 0,
          removed: null,
          held: "borne_out",
          unlinked: [],
        },
      },
    },
    {
      id: "exportChain",
      method: "get",
      path: `${ORG_PATH}/events/chain`,
      summary: "Download the chain, to verify it elsewhere",
      details:
        "A line with the public keys, a line for each link, and a line with the newest signed head. It breaks off where retention removes links that were still to come: ask again.",
      who: "events",
      query: ChainQuery,
      answer: { texts: { "application/x-ndjson": { description: "The chain, oldest link first." } } },
    },
    {
      id: "readAuditKeys",
      method: "get",
      path: "/.well-known/portcullis-audit-keys",
      summary: "Read the public keys of signed heads",
      details: "A JSON Web Key Set. Keep a copy elsewhere: a key that comes with what it vouches for proves little.",
      who: "anybody",
      problems: { 500: ["internal"], 503: ["misconfigured"] },
      answer: {
        schema: { AuditKeysAnswer },
        example: {
          keys: [
            {
              kty: "OKP",
              crv: "Ed25519",
              x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
              kid: "21fe31dfa154a261",
              alg: "EdDSA",
              use: "sig",
            },
          ],
        },
      },
    },
    {
      id: "listDeadLetters",
      method: "get",
      path: "/admin/api/dead-letters",
      summary: "List what the audit queue gave up on",
      who: "operator",
      query: DeadLettersQuery,
      answer: {
        schema: { DeadLettersAnswer },
        example: {
          waiting: 1,
          data: [{ id: LETTER.example, received_at: AT, body: JSON.stringify({ id: EVENT.id }), replayed_at: null }],
        },
      },
    },
    {
      id: "replayDeadLetter",
      method: "post",
      path: "/admin/api/dead-letters/{id}/replay",
      summary: "Send a dead letter on its way again",
      who: "operator",
      parameters: { id: LETTER },
      answer: { schema: { ReplayAnswer }, example: { id: LETTER.example, replayed: true } },
      problems: { 404: ["not_found"] },
    },
  ],
};
