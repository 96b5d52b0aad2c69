// Webhooks.
import {
  NewWebhook,
  WebhookAnswer,
  WebhookChangeBody,
  WebhookRemovedAnswer,
  WebhookSecretAnswer,
  WebhooksAnswer,
  WebhookTestAnswer,
} from "../../api/webhooks.ts";
import { AT, OWNER } from "../examples.ts";
import { type Group, ORG_PATH } from "../operation.ts";

const URL_OF_RECEIVER = "https://siem.acme.example/portcullis";
const WEBHOOK = {
  id: "whk_01KAS61KM16VDC2WEWMQBCQ9Z6",
  url: URL_OF_RECEIVER,
  format: "json",
  enabled: true,
  state: "delivering",
  delivered_seq: 1204,
  waiting: 0,
  failing_since: null,
  next_attempt_at: null,
  paused_at: null,
  last_attempt_at: AT,
  last_status: 204,
  last_problem: null,
  previous_secret_until: null,
  encryption_key_id: "0f3a1c5b",
  created_at: AT,
  created_by: OWNER,
};
const SECRET = { ...WEBHOOK, secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" };
const ID = { id: { description: "The webhook's id.", example: WEBHOOK.id } };
const ONE = `${ORG_PATH}/webhooks/{id}`;

export const webhooks: Group = {
  title: "Webhooks",
  description:
    "Where an organization's events are sent as they are sealed, in their order, signed as Standard Webhooks has it.",
  operations: [
    {
      id: "createWebhook",
      method: "post",
      path: `${ORG_PATH}/webhooks`,
      summary: "Send events somewhere",
      details:
        "The secret is answered this once. Events from now on are sent, each at least once, in the order of `seq`.",
      who: "webhooks",
      body: { schema: { NewWebhook }, example: { url: URL_OF_RECEIVER, format: "json" } },
      answer: { status: 201, schema: { WebhookSecretAnswer }, example: SECRET },
      problems: { 409: ["conflict"], 503: ["credentials_key_missing"] },
    },
    {
      id: "listWebhooks",
      method: "get",
      path: `${ORG_PATH}/webhooks`,
      summary: "List the webhooks with their state",
      who: "webhooks",
      answer: { schema: { WebhooksAnswer }, example: { data: [WEBHOOK], next_cursor: null } },
    },
    {
      id: "readWebhook",
      method: "get",
      path: ONE,
      summary: "Read one webhook",
      who: "webhooks",
      parameters: ID,
      answer: { schema: { WebhookAnswer }, example: WEBHOOK },
    },
    {
      id: "changeWebhook",
      method: "patch",
      path: ONE,
      summary: "Change where and how events are sent, or stop and start it",
      who: "webhooks",
      parameters: ID,
      body: { schema: { WebhookChangeBody }, example: { enabled: false } },
      answer: { schema: { WebhookAnswer }, example: { ...WEBHOOK, enabled: false, state: "disabled" } },
    },
    {
      id: "removeWebhook",
      method: "delete",
      path: ONE,
      summary: "Remove a webhook",
      who: "webhooks",
      parameters: ID,
      answer: { schema: { WebhookRemovedAnswer }, example: { id: WEBHOOK.id } },
    },
    {
      id: "testWebhook",
      method: "post",
      path: `${ONE}/test`,
      summary: "Send a test event now",
      details: "Answers with what the receiver answered. It is no part of the sequence.",
      who: "webhooks",
      parameters: ID,
      answer: { schema: { WebhookTestAnswer }, example: { delivered: true, status: 204, problem: null } },
    },
    {
      id: "resumeWebhook",
      method: "post",
      path: `${ONE}/resume`,
      summary: "Go on after it was paused, behind the last event that was accepted",
      who: "webhooks",
      parameters: ID,
      answer: { schema: { WebhookAnswer }, example: WEBHOOK },
    },
    {
      id: "rotateWebhookSecret",
      method: "post",
      path: `${ONE}/rotate-secret`,
      summary: "Make a new secret; the one before signs too for a day",
      details:
        "Another rotation within that day ends the oldest at once. Of rotations at the same time one is made; the others answer 409.",
      who: "webhooks",
      parameters: ID,
      answer: { schema: { WebhookSecretAnswer }, example: { ...SECRET, previous_secret_until: AT } },
      problems: { 409: ["conflict"], 503: ["credentials_key_missing"] },
    },
  ],
};
