// Applies the schema before each test file, as a deployment does: idempotent.
import { env } from "cloudflare:workers";
import { afterAll } from "vitest";

await env.DB.prepare(env.TEST_SCHEMA).run();

/** What a file put on the queue is delivered within a second. The runner could not end while a delivery waits for it. */
const DELIVERED_AFTER_MS = 1_500;
afterAll(() => new Promise((resolve) => setTimeout(resolve, DELIVERED_AFTER_MS)));
