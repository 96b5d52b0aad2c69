// API keys.
import { KeysAnswer, NewKey, NewKeyAnswer, RevokedKeyAnswer } from "../../api/keys.ts";
import { PageQuery } from "../../api/page.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const ID = "key_01KAS5ZQ4M3V0WQ6W1E9A2C7XD";

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
        example: { project: "web", name: "Website, production", id: ID, key: "pcl_…", published: true },
      },
    },
    {
      id: "listKeys",
      method: "get",
      path: `${ORG_PATH}/keys`,
      summary: "List the keys, newest first",
      who: "keys",
      query: PageQuery,
      answer: {
        schema: { KeysAnswer },
        example: {
          data: [
            {
              id: ID,
              prefix: "pcl_3fQx",
              project: "web",
              name: "Website, production",
              created_at: AT,
              created_by: OWNER,
              expires_at: null,
              revoked_at: null,
              published: true,
            },
          ],
          next_cursor: null,
        },
      },
    },
    {
      id: "revokeKey",
      method: "delete",
      path: `${ORG_PATH}/keys/{id}`,
      summary: "Revoke a key",
      details: "For good. It is refused everywhere usually within a minute.",
      who: "keys",
      parameters: { id: { description: "The key's id.", example: ID } },
      answer: { schema: { RevokedKeyAnswer }, example: { id: ID, published: true } },
    },
  ],
};
