// The policy, its preview, and routing.
import {
  PolicyAnswer,
  PolicyBody,
  PolicyQuery,
  PolicySavedAnswer,
  RoutingBody,
  RoutingQuery,
  RoutingSavedAnswer,
} from "../../api/policy.ts";
import { PreviewAnswer } from "../../api/preview.ts";
import { POLICY, PREVIEW, REVISED } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const CHANGE = "Now requires No training on prompts. Now blocks xai.";

export const policy: Group = {
  title: "Policy",
  description:
    "What an organization asks of a provider, and the order in which `auto` tries models. Every save is a revision.",
  operations: [
    {
      id: "readPolicy",
      method: "get",
      path: `${ORG_PATH}/policy`,
      summary: "Read the policy in force",
      details: "As the database has it. The ETag is the revision that a change names in If-Match.",
      who: "policy",
      answer: { schema: { PolicyAnswer }, example: { policy: POLICY, ...REVISED }, headers: ["etag"] },
    },
    {
      id: "savePolicy",
      method: "put",
      path: `${ORG_PATH}/policy`,
      summary: "Save the policy as a new revision",
      details:
        "Takes effect at once in the database and usually everywhere within a minute; `published` says whether the edge took it. A save that would leave no model with an allowed provider asks for a confirmation.",
      who: "policy",
      query: PolicyQuery,
      ifMatch: "required",
      body: { schema: { Policy: PolicyBody }, example: POLICY },
      answer: {
        schema: { PolicySavedAnswer },
        example: { policy: POLICY, ...REVISED, change: CHANGE, published: true },
        headers: ["etag"],
      },
      problems: { 403: ["plan_required"], 409: ["confirmation_required"] },
    },
    {
      id: "previewPolicy",
      method: "post",
      path: `${ORG_PATH}/policy/preview`,
      summary: "See what a draft would do",
      details:
        "Judges every provider and model of the catalog by the draft, with the evaluator that judges requests. Nothing is saved.",
      who: "policy",
      body: { schema: { Policy: PolicyBody }, example: POLICY },
      answer: { schema: { PreviewAnswer }, example: PREVIEW },
    },
    {
      id: "saveRouting",
      method: "put",
      path: `${ORG_PATH}/routing`,
      summary: "Set the models that auto tries",
      details: "In that order; an empty list leaves `auto` to the price. If-Match is heeded when it is there.",
      who: "policy",
      query: RoutingQuery,
      ifMatch: "optional",
      body: { schema: { Routing: RoutingBody }, example: { auto: ["gpt-oss-120b", "deepseek-v3.2"] } },
      answer: {
        schema: { RoutingSavedAnswer },
        example: {
          routing: { auto: ["gpt-oss-120b", "deepseek-v3.2"] },
          ...REVISED,
          change: "Tries gpt-oss-120b, deepseek-v3.2 for auto.",
          published: true,
        },
        headers: ["etag"],
      },
    },
  ],
};
