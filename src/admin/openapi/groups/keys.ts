// API keys.
import {
  ChangedKeyAnswer,
  KeyChange,
  KeysAnswer,
  KeysQuery,
  NewKey,
  NewKeyAnswer,
  RevokedKeyAnswer,
} from "../../api/keys.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const ID = "key_01KAS5ZQ4M3V0WQ6W1E9A2C7XD";

const PARAMETERS = { id: { description: "The key's id.", example: ID } };
const KEY = {
  id: ID,
  prefix: "pcl_3fQx",
  project: "web",
  name: "Website, production",
  created_at: AT,
  created_by: OWNER,
  expires_at: null,
  revoked_at: null,
  last_used_on: "2026-11-23",
  published: true,
};

export const keys: Group = {
  title: "API keys",
  description: "What a project's requests to /v1 carry.",
  operations: [
    {
      id: "createKey",
      method: "post",
      path: `${ORG_PATH}/keys`,
      summary: "Create a key",
      details: "The key is in this answer and nowhere else: only its hash is stored.",
      who: "keys",
      body: { schema: { NewKey }, example: { project: "web", name: "Website, production" } },
      answer: {
        status: 201,
        schema: { NewKeyAnswer },
        example: {
          project: "web",
          name: "Website, production",
          id: ID,
          key: "pcl_…",
          expires_at: null,
          published: true,
        },
      },
    },
    {
      id: "listKeys",
      method: "get",
      path: `${ORG_PATH}/keys`,
      summary: "List the keys, newest first",
      who: "keys",
      query: KeysQuery,
      answer: { schema: { KeysAnswer }, example: { data: [KEY], next_cursor: null } },
    },
    {
      id: "changeKey",
      method: "patch",
      path: `${ORG_PATH}/keys/{id}`,
      summary: "Rename a key, or change when it ends",
      who: "keys",
      parameters: PARAMETERS,
      body: { schema: { KeyChange }, example: { expires_at: "2027-01-31T00:00:00Z" } },
      answer: { schema: { ChangedKeyAnswer }, example: { ...KEY, expires_at: "2027-01-31T00:00:00.000Z" } },
      problems: { 409: ["key_revoked"] },
    },
    {
      id: "revokeKey",
      method: "delete",
      path: `${ORG_PATH}/keys/{id}`,
      summary: "Revoke a key",
      details: "For good. It is refused everywhere usually within a minute.",
      who: "keys",
      parameters: PARAMETERS,
      answer: { schema: { RevokedKeyAnswer }, example: { id: ID, published: true } },
    },
  ],
};
