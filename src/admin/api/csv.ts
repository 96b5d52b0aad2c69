// A security event as a row of CSV (RFC 4180), safe to open in a spreadsheet. Pure.
import type { SecurityEvent } from "../../store/event.ts";
import { failuresInWords } from "../../store/failures-in-words.ts";

const COLUMNS = {
  id: ({ id }) => id,
  at: ({ at }) => at,
  type: ({ type }) => type,
  outcome: ({ outcome }) => outcome,
  org: ({ org }) => org,
  project: ({ project }) => project,
  key_id: ({ key_id }) => key_id,
  request_id: ({ request_id }) => request_id,
  client_request_id: ({ client_request_id }) => client_request_id,
  api: ({ api }) => api,
  mode: ({ mode }) => mode,
  model: ({ model }) => model,
  providers: ({ providers }) => [...new Set(providers.map(({ id }) => id))].join(" "),
  failures: failuresInWords,
  reason: ({ reason }) => reason ?? null,
  policy_revision: ({ policy_revision }) => policy_revision,
  catalog_version: ({ catalog_version }) => catalog_version,
  colo: ({ colo }) => colo,
  country: ({ country }) => country,
  /** How many requests an event stands for that folds repeats, at least; empty where it is one. */
  repeats_at_least: ({ repeats }) => repeats?.at_least ?? null,
} satisfies Record<string, (event: SecurityEvent) => string | number | null>;

export const CSV_HEADER = `${Object.keys(COLUMNS).join(",")}\r\n`;

/** One row, with its line end. */
export function csvRow(event: SecurityEvent): string {
  const cells = Object.values(COLUMNS).map((column) => cell(column(event)));
  return `${cells.join(",")}\r\n`;
}

/**
 * One line, quoted where RFC 4180 asks for it. What a spreadsheet would take for a formula is marked as text by an
 * apostrophe: a client chooses the model's name, and somebody else opens the file.
 */
function cell(value: string | number | null): string {
  if (value === null) return "";
  const line = String(value).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  const text = typeof value === "string" && /^\s*[=+\-@＝＋－＠]/u.test(line) ? `'${line}` : line;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
