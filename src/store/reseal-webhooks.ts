// After CREDENTIALS_KEY was replaced: webhook secrets that an earlier one sealed are sealed with it.
import type { Env } from "../env.ts";
import { keyringOf } from "./sealing.ts";
import { resealWebhookSecret, sealedBy } from "./webhook-secret.ts";
import type { Webhook } from "./webhooks.ts";

type Stored = Pick<Webhook, "id" | "org" | "secret" | "previous_secret">;

/**
 * Seals webhook secrets with today's key where an earlier one did. Throws, after sealing what it can, when one cannot be
 * opened. One that somebody rotates meanwhile stays as they left it.
 */
export async function resealWebhookSecrets(env: Env): Promise<void> {
  const keyring = keyringOf(env);
  const { results } = await env.DB.prepare("SELECT id, org, secret, previous_secret FROM webhooks").all<Stored>();
  const isOutdated = (stored: string | null) => stored !== null && sealedBy(stored) !== keyring.sealing?.id;
  const outdated = results.filter(({ secret, previous_secret }) => [secret, previous_secret].some(isOutdated));
  const unreadable: string[] = [];
  for (const { id, org, secret, previous_secret } of outdated) {
    const anew = resealWebhookSecret(keyring, { org, id }, secret);
    // A previous one that is lost signs nothing any more; today's goes on without it.
    const previous = previous_secret && resealWebhookSecret(keyring, { org, id }, previous_secret);
    if (anew === null) unreadable.push(id);
    else
      await env.DB.prepare("UPDATE webhooks SET secret = ?, previous_secret = ? WHERE id = ? AND secret = ?")
        .bind(anew, previous, id, secret)
        .run();
  }
  if (unreadable.length > 0) throw new Error(`unreadable: ${unreadable.join(", ")}`);
}
