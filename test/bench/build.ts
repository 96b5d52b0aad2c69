// Builds a Worker as `wrangler deploy` would, without deploying it, and says how large it is.
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { WRANGLER_CONFIG } from "../../src/cli/paths.ts";
import { runWrangler } from "../../src/cli/wrangler.ts";
import type { WorkerdModule } from "./workerd.ts";

export interface Built {
  /** The main module first. */
  modules: WorkerdModule[];
  /** For `wrangler check startup`. */
  bundle: string;
  bytes: number;
  gzipBytes: number;
  /** What wrangler itself says of its size. */
  wranglerSays: string;
}

/** Builds `script`, or the Worker of wrangler.toml, into `directory`. */
export async function buildWorker(directory: string, script?: string): Promise<Built> {
  const bundle = `${directory}.bundle`;
  const positional = script === undefined ? [] : [script];
  const args = ["deploy", ...positional, "--dry-run", "--outdir", directory, "--outfile", bundle];
  const run = await runWrangler([...args, "--config", WRANGLER_CONFIG]);
  if (!run.ok) throw new Error(`wrangler could not build the Worker:\n${run.output}`);
  const names = (await readdir(directory)).filter((name) => name !== "README.md" && !name.endsWith(".map"));
  const main = `${basename(script ?? "index.ts").replace(/\.\w+$/, "")}.js`;
  names.sort((a, b) => Number(b === main) - Number(a === main));
  const modules = names.map((name): WorkerdModule => {
    return { name, path: join(directory, name), type: name === main ? "esModule" : "text" };
  });
  const contents = await Promise.all(modules.map(({ path }) => readFile(path)));
  return {
    modules,
    bundle,
    bytes: contents.reduce((sum, content) => sum + content.length, 0),
    gzipBytes: contents.reduce((sum, content) => sum + gzipSync(content).length, 0),
    wranglerSays: /Total Upload: (.*)/.exec(run.output)?.[1]?.trim() ?? "nothing",
  };
}

/** The compatibility date and flags of wrangler.toml, so that every process of the bench runs by the same. */
export async function readCompatibility(): Promise<{ date: string; flags: string[] }> {
  const config = await readFile(WRANGLER_CONFIG, "utf8");
  const date = /^compatibility_date = "([^"]+)"/m.exec(config)?.[1];
  const flags = /^compatibility_flags = (\[[^\]]*\])/m.exec(config)?.[1];
  if (!date || !flags) throw new Error("wrangler.toml names no compatibility date or flags");
  return { date, flags: JSON.parse(flags) };
}
