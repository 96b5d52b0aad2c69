// An organization with a history, for the tests of revisions.
import type { StoredPolicy } from "../src/compliance/policy.ts";
import type { Env } from "../src/env.ts";
import { newestRevision, saveRevision } from "../src/store/revisions.ts";
import { type AdminWorld, openAdminWorld } from "./admin-world.ts";
import { policyOf, readingBy } from "./world.ts";

export const strict = policyOf({ requirements: ["soc2_type2", "no_training"] });
export const looser = policyOf({ requirements: ["soc2_type2"], providers: { allow: [], block: ["xai"] } });
/** A list that names one provider, which is blocked as well: nobody is left, whatever the catalog says of anyone. */
export const nobody = policyOf({ providers: { allow: ["openai"], block: ["openai"] } });

export const ifMatch = (revision: number) => ({ "if-match": `"${revision}"` });

/** The bindings of a world whose catalog cannot be read. */
export const withoutCatalog = (world: AdminWorld): Env => ({
  ...world.env,
  CONFIG: readingBy(world.env.CONFIG, async () => null),
});

/** An organization whose revisions are 1 (off), 2 (strict) and 3 (looser). */
export async function openWithRevisions(): Promise<AdminWorld> {
  const world = await openAdminWorld();
  await world.savePolicy("admin", strict, 1);
  await world.savePolicy("owner", looser, 2);
  return world;
}

/** Stores a policy as the next revision, as a build or a catalog of another day let somebody do. */
export async function storeRevision(world: AdminWorld, policy: StoredPolicy): Promise<void> {
  const base = await newestRevision(world.env, world.org);
  if (!base) throw new Error("no revision");
  await saveRevision(world.env, {
    base,
    next: { policy },
    change: "x",
    action: "policy.save",
    actor: "admin@acme.example",
    from: { via: "api", country: null },
  });
}
