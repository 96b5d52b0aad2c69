// `events export`: the events, or their chain, as a file.
import { once } from "node:events";
import { createWriteStream, renameSync, rmSync } from "node:fs";
import type { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { plainText } from "../plain-text.ts";
import { type Asked, type Command, misuse } from "./asked.ts";
import { FILTERS, filtersOf } from "./event-filters.ts";
import { CHAIN, FORMATS } from "./export-formats.ts";
import { asMember } from "./gateway.ts";
import { misused } from "./halts.ts";
import { remark } from "./printing.ts";
import { type Download, resumed } from "./resumed.ts";

export const exportCommand: Command = {
  name: "events export",
  summary: "Download security events as a file",
  details:
    "With --format chain it is the whole hash chain, oldest first, for `events verify`; filters do not apply to it. An\nexport that breaks off goes on by itself where it was. A file is there only when it is complete.",
  options: {
    ...FILTERS,
    format: { value: "FORMAT", help: "ndjson (unless given), csv, ocsf, or chain" },
    output: { value: "FILE", short: "o", help: "where to; else to stdout" },
  },
  async run(asked) {
    const lines = resumed(downloadOf(asked));
    const path = asked.text("output");
    if (path === undefined) return writeAll(lines, process.stdout);
    await writeFile(lines, path);
    remark(`Written to ${path}.`);
  },
};

function downloadOf(asked: Asked): Download {
  const format = asked.text("format") ?? "ndjson";
  const lines = FORMATS[format];
  if (!lines) throw misuse(exportCommand, `--format takes one of ${Object.keys(FORMATS).join(", ")}.`);
  const gateway = asMember(asked);
  const filters = filtersOf(asked);
  const isChain = format === CHAIN;
  if (isChain && Object.values(filters).some((filter) => filter !== undefined))
    throw misuse(exportCommand, "A chain is verified whole: it takes no filters.");
  return {
    open: (behind) =>
      gateway.download(
        isChain
          ? { path: "/events/chain", query: { after: behind } }
          : { path: "/events/export", query: { ...filters, format, cursor: behind } },
      ),
    ...lines,
    pause(milliseconds, why) {
      remark(why);
      return setTimeout(milliseconds);
    },
  };
}

async function writeFile(pieces: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const file = createWriteStream(unfinished);
  try {
    await opened(file, unfinished);
    await writeAll(pieces, file);
    file.end();
    await once(file, "close");
    renameSync(unfinished, path);
  } catch (error) {
    file.destroy();
    rmSync(unfinished, { force: true });
    throw error;
  }
}

async function opened(file: Writable, path: string): Promise<void> {
  try {
    await once(file, "open");
  } catch (error) {
    throw misused(`${plainText(path)} cannot be written (${plainText(String((error as { code?: unknown }).code))}).`);
  }
}

/** Takes the next piece only when the last one is out. */
async function writeAll(pieces: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  for await (const piece of pieces) if (!to.write(piece)) await once(to, "drain");
}
