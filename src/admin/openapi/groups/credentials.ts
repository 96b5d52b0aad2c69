// An organization's own provider keys.
import {
  CredentialRemovedAnswer,
  CredentialSavedAnswer,
  CredentialsAnswer,
  SecretBody,
  ServiceAccountBody,
} from "../../api/credentials.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const CREDENTIAL = {
  provider: "azure",
  kind: "secret",
  hint: "x7Qd",
  variables: { resource: "acme-eu" },
  encryption_key_id: "9b2f60d1",
  created_at: AT,
  created_by: OWNER,
  published: true,
};

export const credentials: Group = {
  title: "Own provider keys",
  description: "Used before the installation's. Write-only: nothing gives one out again.",
  operations: [
    {
      id: "listCredentials",
      method: "get",
      path: `${ORG_PATH}/credentials`,
      summary: "List the organization's provider keys, masked",
      who: "credentials",
      answer: { schema: { CredentialsAnswer }, example: { data: [CREDENTIAL], next_cursor: null } },
    },
    {
      id: "saveCredential",
      method: "put",
      path: `${ORG_PATH}/credentials/{provider}`,
      summary: "Store a provider key, in place of an earlier one",
      details: "A provider that takes a Google service account is given its JSON, every other one a `secret`.",
      who: "credentials",
      body: {
        schema: { SecretBody, ServiceAccountBody },
        example: { secret: "the-provider-key-itself", variables: { resource: "acme-eu" } },
      },
      answer: { schema: { CredentialSavedAnswer }, example: { ...CREDENTIAL, revision: 8 } },
      problems: { 409: ["conflict"], 503: ["credentials_key_missing"] },
    },
    {
      id: "removeCredential",
      method: "delete",
      path: `${ORG_PATH}/credentials/{provider}`,
      summary: "Remove a provider key",
      who: "credentials",
      answer: {
        schema: { CredentialRemovedAnswer },
        example: { provider: "azure", revision: 9, published: true },
      },
      problems: { 409: ["conflict"] },
    },
  ],
};
