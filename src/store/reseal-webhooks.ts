// After CREDENTIALS_KEY was replaced: webhook secrets that an earlier one sealed are sealed with it.
import type { Env } from "../env.ts";
import { keyringOf } from "./sealing.ts";
import { resealWebhookSecret, sealedBy } from "./webhook-secret.ts";
import type { Webhook } from "./webhooks.ts";

type Stored = Pick<Webhook, "id" | "org" | "secret" | "previous_secret">;

/** In one query, however many they are. */
const RESEALED_PER_RUN = 1_000;

/**
 * Seals webhook secrets with today's key where an earlier one did, as many as fit a run. Throws, after sealing what it can,
 * when one cannot be opened. One that somebody rotates meanwhile stays as they left it.
 */
export async function resealWebhookSecrets(env: Env): Promise<void> {
  const keyring = keyringOf(env);
  const { results } = await env.DB.prepare("SELECT id, org, secret, previous_secret FROM webhooks").all<Stored>();
  const isOutdated = (stored: string | null) => stored !== null && sealedBy(stored) !== keyring.sealing?.id;
  const outdated = results.filter(({ secret, previous_secret }) => [secret, previous_secret].some(isOutdated));
  const resealed: { id: string; was: string; secret: string; previous: string | null }[] = [];
  const unreadable: string[] = [];
  for (const { id, org, secret: was, previous_secret } of outdated) {
    if (resealed.length === RESEALED_PER_RUN) break;
    const secret = resealWebhookSecret(keyring, { org, id }, was);
    // A previous one that is lost signs nothing any more; today's goes on without it.
    const previous = previous_secret && resealWebhookSecret(keyring, { org, id }, previous_secret);
    if (secret === null) unreadable.push(id);
    else resealed.push({ id, was, secret, previous });
  }
  if (resealed.length > 0)
    await env.DB.prepare(
      `UPDATE webhooks SET secret = r.value ->> 'secret', previous_secret = r.value ->> 'previous' FROM json_each(?) r
       WHERE webhooks.id = r.value ->> 'id' AND secret = r.value ->> 'was'`,
    )
      .bind(JSON.stringify(resealed))
      .run();
  if (unreadable.length > 0) throw new Error(`unreadable: ${unreadable.join(", ")}`);
}
