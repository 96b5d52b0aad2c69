// Organizations.
import { NewOrg, NewOrgAnswer, OrgAnswer, OrgChange } from "../../api/orgs.ts";
import { AT, POLICY } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const ORG = { id: "acme", name: "Acme", plan: "enterprise" };

export const organizations: Group = {
  title: "Organizations",
  description: "The operator creates them and sets their plan, and sees nothing of what they decide.",
  operations: [
    {
      id: "createOrganization",
      method: "post",
      path: "/admin/api/orgs",
      summary: "Create an organization",
      who: "operator",
      body: { schema: { NewOrg }, example: { ...ORG, policy: POLICY } },
      answer: {
        status: 201,
        schema: { NewOrgAnswer },
        example: { ...ORG, created_at: AT, revision: 1, published: true },
        headers: ["location"],
      },
      problems: { 409: ["conflict"] },
    },
    {
      id: "changeOrganization",
      method: "patch",
      path: ORG_PATH,
      summary: "Change an organization's name or plan",
      details: "The plan decides who may edit the policy, never whether it is enforced.",
      who: "operator",
      body: { schema: { OrgChange }, example: { plan: "pro" } },
      answer: { schema: { OrgAnswer }, example: { ...ORG, plan: "pro", created_at: AT } },
    },
  ],
};
