// Requests as real clients send them on each surface, of a given size: a long plain text, source code full of escapes,
// other scripts.

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

export type PromptSurface = "chat" | "messages" | "responses" | "embeddings";

interface Turn {
  role: "user" | "assistant";
  content: string;
}

const SYSTEM = "You are a careful engineer. Answer in one paragraph.";

/** What a body holds besides the model and `stream`. */
const BODIES: Record<PromptSurface, (turns: readonly Turn[]) => object> = {
  chat: (turns) => ({
    messages: [{ role: "system", content: SYSTEM }, ...turns],
    temperature: 0.2,
    max_completion_tokens: 512,
  }),
  messages: (turns) => ({ max_tokens: 512, system: SYSTEM, messages: turns, temperature: 0.2 }),
  responses: (turns) => ({ instructions: SYSTEM, input: turns, temperature: 0.2, max_output_tokens: 512 }),
  embeddings: (turns) => ({ input: turns.map(({ content }) => content), encoding_format: "float" }),
};

export interface PromptShape {
  surface: PromptSurface;
  kind: PromptKind;
  bytes: number;
  stream?: boolean;
}

/** A request of about `bytes` bytes. */
export function promptBody(model: string, { surface, kind, bytes, stream }: PromptShape): Buffer {
  const { unit, messageCharacters } = KINDS[kind];
  const turns: Turn[] = [];
  const body = () => Buffer.from(JSON.stringify({ model, ...(stream && { stream: true }), ...BODIES[surface](turns) }));
  let left = bytes - body().length;
  while (left > 100) {
    const role = turns.length % 2 === 0 ? "user" : "assistant";
    const turn: Turn = { role, content: fill(unit, Math.min(messageCharacters, left), left - 40) };
    turns.push(turn);
    left -= Buffer.byteLength(JSON.stringify(turn)) + 1;
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
