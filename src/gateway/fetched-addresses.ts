// Addresses in a request that the provider would fetch by itself: a picture, a document, a recording behind a URL. It
// calls whoever is named there, and the address can carry anything. Bytes and `data:` URIs are fetched from nobody. Pure.

/**
 * Members that hold an address, wherever in a prompt they stand. Documented for OpenAI, Anthropic, Mistral, xAI,
 * Together AI and Groq, among others: `image_url`, `file_url`, `source.url`, `document_url`, `audio_url`, `video_url`, …
 */
const ADDRESS = /(^|_)ur[il]s?$/i;
/** The same in the spelling of Google's APIs and of some SDKs: `fileUri`, `imageUrl`. */
const CAMEL_ADDRESS = /[a-z0-9](Ur[il]|UR[IL])s?$/;

/** Members that hold bytes as text, or an address instead. */
const BYTES_OR_ADDRESS: ReadonlySet<string> = new Set([
  "image",
  "images",
  "reference_images",
  "frame_images",
  "mask",
  "video",
  "audio",
  "input_audio",
  "file",
]);

/** Members that tell of a tool, of what the caller keeps, or of what was cited: nothing in them is fetched. */
export const INERT: ReadonlySet<string> = new Set([
  "tools",
  "functions",
  "response_format",
  "text",
  "metadata",
  "client_metadata",
  "annotations",
  "citations",
]);

/** Items of an earlier turn that tell of a call or of what it found, and their members with the addresses that were in it. */
const TOLD: readonly (readonly [type: RegExp, members: ReadonlySet<string>])[] = [
  [/(^|_)tool_use$/, new Set(["input"])],
  [/_call$/, new Set(["action", "actions", "outputs", "results"])],
  [/^web_[a-z]+_tool_result$/, new Set(["content"])],
];

/** The names of the members, each once, that hold an address which the provider would fetch. */
export function fetchedAddresses(root: Readonly<Record<string, unknown>>): string[] {
  const found = new Set<string>();
  look(root, "", found);
  return [...found];
}

function look(value: unknown, name: string, found: Set<string>): void {
  if (typeof value === "string") {
    if (isFetched(value, name)) found.add(name);
  } else if (Array.isArray(value)) {
    for (const each of value) look(each, name, found);
  } else if (typeof value === "object" && value !== null) {
    const told = toldBy((value as { type?: unknown }).type);
    for (const [key, child] of Object.entries(value)) if (!INERT.has(key) && !told?.has(key)) look(child, key, found);
  }
}

function toldBy(type: unknown): ReadonlySet<string> | undefined {
  return typeof type === "string" ? TOLD.find(([pattern]) => pattern.test(type))?.[1] : undefined;
}

function isFetched(text: string, name: string): boolean {
  if (ADDRESS.test(name) || CAMEL_ADDRESS.test(name)) return text !== "" && !/^data:/i.test(text);
  return BYTES_OR_ADDRESS.has(name.toLowerCase()) && /^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text);
}
