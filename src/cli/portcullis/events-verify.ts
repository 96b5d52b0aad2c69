// `events verify`: an exported chain, verified on this machine; nothing is asked of the gateway.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type Flaw, type Verdict, verifyExport } from "../../chain/export-file.ts";
import type { Break } from "../../chain/links.ts";
import { PublicKey, SignedHead } from "../../chain/signed-head.ts";
import { plainText } from "../plain-text.ts";
import { type Asked, type Command, misuse } from "./asked.ts";
import { guardFailed, misused } from "./halts.ts";
import { readText } from "./input-file.ts";
import { print, printJson, remark } from "./printing.ts";

export const verifyCommand: Command = {
  name: "events verify",
  argument: "FILE",
  summary: "Verify an exported chain of events, offline",
  details:
    "FILE is from `events export --format chain`. Exits 0 when no event in it was changed, left out, moved or put in, up to a\nsigned head; else 1, and names the first place where it does not hold. What proves most is what you kept elsewhere: the\npublic key from /.well-known/portcullis-audit-keys (--key), and signed heads (--head).",
  options: {
    key: {
      value: "X",
      repeatable: true,
      help: "the x of a public key to check signatures by, in place of the file's own",
    },
    head: { value: "HEAD", repeatable: true, help: "a signed head kept elsewhere, as JSON or as @FILE" },
    after: { value: "N", help: "the file is known to begin behind link N" },
  },
  async run(asked) {
    const path = asked.argument ?? "";
    const held = { keys: keysOf(asked), heads: headsOf(asked), after: afterOf(asked) };
    const verdict = await verifyExport(() => linesOf(path), held);
    if (asked.has("json")) printJson(verdict);
    else if (verdict.flaw === null) print(provenInWords(verdict));
    if (verdict.flaw !== null) throw guardFailed(`NOT PROVEN. ${flawInWords(verdict.flaw)}`);
    if (verdict.keys === "given") return;
    remark("The signatures were checked by keys that the file itself brings: a forger would bring their own.");
    remark("Pin the key with --key, kept elsewhere.");
  },
};

function keysOf(asked: Asked): PublicKey[] {
  return asked.texts("key").map((x) => {
    const key = PublicKey.safeParse({ kty: "OKP", crv: "Ed25519", x });
    if (key.success) return key.data;
    throw misuse(verifyCommand, "--key takes the x of an Ed25519 public key: 43 characters of base64url.");
  });
}

function headsOf(asked: Asked): SignedHead[] {
  return asked.texts("head").map((given) => {
    const head = SignedHead.safeParse(jsonOf(given.startsWith("@") ? readText(given.slice(1)) : given));
    if (head.success) return head.data;
    throw misuse(verifyCommand, "--head takes a signed head as JSON, or @FILE with one.");
  });
}

function afterOf(asked: Asked): number {
  const given = asked.text("after") ?? "0";
  if (/^(0|[1-9]\d{0,14})$/.test(given)) return Number(given);
  throw misuse(verifyCommand, "--after takes the number of a link.");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path);
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === undefined) throw error;
    throw misused(`${plainText(path)} cannot be read (${plainText(String(code))}).`);
  } finally {
    stream.destroy();
  }
}

function provenInWords({ chain, from, to, checked, proven_by, removed }: Verdict): string {
  const before = removed
    ? ` Retention removed events 1 to ${removed.seq}, of before ${removed.removed_before}; a signed cut says so.`
    : "";
  if (checked === 0) return `PROVEN. Nothing stands behind link ${to.seq} of ${chain}, which is signed.${before}`;
  const { at, key_id } = proven_by ?? {};
  return `PROVEN. Of ${chain}, events ${from.seq + 1} to ${to.seq}: none is missing, changed, moved or put in, up to the head signed ${at} (key ${key_id}).${before}`;
}

function flawInWords(flaw: Flaw): string {
  switch (flaw.kind) {
    case "unreadable":
      return `Line ${flaw.line} is no line of an export: it was changed, or the file is cut off.`;
    case "broken":
      return breakInWords(flaw.broken);
    case "head":
      return headInWords(flaw);
    case "head_before":
      return `The head of link ${flaw.seq} is of a place before the file begins: an older export is needed to check it.`;
    case "begins_late":
      return `The chain begins behind link ${flaw.after}: links 1 to ${flaw.after} are missing, and no signed cut says that retention removed them. If you know that the file begins there, say so with --after ${flaw.after}.`;
    case "unsigned":
      return "The chain is whole, but no signed head stands for it: whoever can write to the database could have made it. Give a head kept elsewhere with --head.";
    case "unsigned_end":
      return `Up to link ${flaw.from - 1} it is proven; links ${flaw.from} to ${flaw.to} stand behind the last signed head, where anybody could have put them. If they are that new, export again in a moment.`;
  }
}

function breakInWords(broken: Break): string {
  const where = `Broken at link ${broken.seq}`;
  switch (broken.reason) {
    case "missing":
      return `${where}: it is missing; link ${broken.next} follows in its place.`;
    case "event_missing":
      return `${where}: its event is gone.`;
    case "event_changed":
      return `${where}: event ${broken.event ?? "without an id"} is not what was sealed.`;
    case "not_linked":
      return `${where}: it does not follow from the link before it.`;
    case "out_of_order":
      return `${where}: it stands in another's place, or twice.`;
  }
}

function headInWords({ seq, reason }: Extract<Flaw, { kind: "head" }>): string {
  const head = `The signed head of link ${seq}`;
  switch (reason) {
    case "not_genuine":
      return `${head} was signed by none of the keys that count, or was changed.`;
    case "other_chain":
      return `${head} is of another chain: this one was built anew.`;
    case "cut_off":
      return `${head} is of a longer chain: the end of this one was cut off.`;
    case "other_organization":
      return `${head} is another organization's.`;
  }
}
