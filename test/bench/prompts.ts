// Chat requests as real clients send them, of a given size: a long plain text, source code full of escapes, other scripts.

const PROSE =
  "The committee met on Tuesday to review the quarterly results, and agreed that the new process, although slower at first, had reduced the number of complaints by nearly a third. ";
const CODE = `export async function load(path: string): Promise<Config> {
\tconst raw = await readFile(path, "utf8");
\tif (raw.length === 0) throw new Error("empty \\"config\\" at " + path);
\treturn Config.parse(JSON.parse(raw)); // \u0060strict\u0060: unknown keys are refused
}
`;
const SCRIPTS = "Die Prüfung läuft für jede Anfrage – naïve Caches zählen nicht; 東京の提供者 … “quoted” 🙂 ";

/** `prose`: few long messages without escapes. `code`: many messages with escapes, as agents send. */
export type PromptKind = "prose" | "code" | "unicode";

interface PromptKindShape {
  unit: string;
  /** Characters in one message; a prompt smaller than that is one message. */
  messageCharacters: number;
}

const KINDS: Record<PromptKind, PromptKindShape> = {
  prose: { unit: PROSE, messageCharacters: 30_000 },
  code: { unit: CODE, messageCharacters: 900 },
  unicode: { unit: SCRIPTS + CODE, messageCharacters: 900 },
};

/** A chat completion request of about `bytes` bytes. */
export function chatBody(
  model: string,
  { kind, bytes, stream }: { kind: PromptKind; bytes: number; stream?: boolean },
): Buffer {
  const { unit, messageCharacters } = KINDS[kind];
  const messages = [{ role: "system", content: "You are a careful engineer. Answer in one paragraph." }];
  const body = () =>
    Buffer.from(
      JSON.stringify({
        model,
        ...(stream && { stream: true }),
        messages,
        temperature: 0.2,
        max_completion_tokens: 512,
      }),
    );
  let left = bytes - body().length;
  while (left > 100) {
    const role = messages.length % 2 === 1 ? "user" : "assistant";
    const content = fill(unit, Math.min(messageCharacters, left), left - 40);
    messages.push({ role, content });
    left -= Buffer.byteLength(JSON.stringify({ role, content })) + 1;
  }
  return body();
}

/** `unit` repeated to about `characters`, and cut so that it takes at most `bytes` as JSON. */
function fill(unit: string, characters: number, bytes: number): string {
  let text = unit
    .repeat(Math.ceil(characters / unit.length))
    .slice(0, characters)
    .toWellFormed();
  while (Buffer.byteLength(JSON.stringify(text)) > bytes) text = text.slice(0, -16).toWellFormed();
  return text;
}
