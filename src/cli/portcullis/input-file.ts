// A file that a command is given: JSON that must fit a schema.
import { readFileSync } from "node:fs";
import type * as z from "zod";
import { checkGiven } from "../../admin/field-words.ts";
import { plainText } from "../plain-text.ts";
import { misused } from "./halts.ts";

/** The text of a file, or of stdin for `-`. Halts when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    throw misused(`${plainText(path)} cannot be read (${plainText(String(code ?? "unknown"))}).`);
  }
}

/** What a JSON file holds. Halts, naming each field, when it does not fit; `what` is what it should be. */
export function readInput<T>(path: string, schema: z.ZodType<T>, what: string): T {
  const parsed = checkGiven(schema, jsonOf(readText(path), path));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.slice(0, 20).map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw misused([`${plainText(path)} is not ${what}:`, ...lines.map((line) => plainText(line))].join("\n"));
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misused(`${plainText(path)} is not valid JSON.`);
  }
}
