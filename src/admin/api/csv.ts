// A security event as a row of CSV (RFC 4180), safe to open in a spreadsheet. Pure.
import { foundInWords } from "../../compliance/words.ts";
import type { SecurityEvent } from "../../store/event.ts";

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
} satisfies Record<string, (event: SecurityEvent) => string | number | null>;

export const CSV_HEADER = `${Object.keys(COLUMNS).join(",")}\r\n`;

/** One row, with its line end. */
export function csvRow(event: SecurityEvent): string {
  const cells = Object.values(COLUMNS).map((column) => cell(column(event)));
  return `${cells.join(",")}\r\n`;
}

function failuresInWords({ providers, providers_omitted }: SecurityEvent): string {
  const each = providers.map(({ id, model, failures }) => {
    const reasons = failures.map((failure) => `${failure.code} (${foundInWords(failure)})`).join(", ");
    return `${id}${model === undefined ? "" : `/${model}`}: ${reasons}`;
  });
  if (providers_omitted) each.push(`and ${providers_omitted} more`);
  return each.join("; ");
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
