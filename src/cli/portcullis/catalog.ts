// `catalog publish`: the operator puts a catalog in force.
import * as z from "zod";
import type { Catalog } from "../../catalog/schema.ts";
import { readShippedCatalog } from "../catalog.ts";
import type { Command } from "./asked.ts";
import { asOperator } from "./gateway.ts";
import { readInput } from "./input-file.ts";
import { print, printJson } from "./printing.ts";

const Published = z.object({ version: z.string(), providers: z.number(), models: z.number() });

/** The gateway checks it whole; this much is looked at here so that no other file is sent. */
const GivenCatalog = z.looseObject({
  version: z.string(),
  providers: z.array(z.unknown()),
  models: z.array(z.unknown()),
});

const publish: Command = {
  name: "catalog publish",
  argument: "[FILE]",
  summary: "Put a catalog in force for all organizations",
  details:
    "The token is the operator's. FILE is { version, providers, models } as JSON; without one, the catalog of this repository\nis published.",
  options: {},
  async run(asked) {
    const catalog: Catalog | z.infer<typeof GivenCatalog> =
      asked.argument === undefined ? readShippedCatalog() : readInput(asked.argument, GivenCatalog, "a catalog");
    const published = await asOperator(asked).ask(Published, { method: "PUT", path: "/catalog", body: catalog });
    if (asked.has("json")) return printJson(published);
    print(`Catalog ${published.version} is in force: ${published.providers} providers, ${published.models} models.`);
  },
};

export const catalogCommands: readonly Command[] = [publish];
