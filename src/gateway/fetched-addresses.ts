// Addresses in a request that the provider would fetch by itself: a picture, a document, a recording behind a URL. It
// calls whoever is named there, and the address can carry anything. Bytes and `data:` URIs are fetched from nobody. Pure.
import type { ApiId } from "../catalog/schema.ts";
import { walkPrompt } from "./prompt-walk.ts";

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
  "file_data",
  // https://www.alibabacloud.com/help/en/model-studio/qwen-omni: `input_audio.data` takes an address too.
  "data",
]);

/** The names of the members, each once, that hold an address which the provider would fetch. */
export function fetchedAddresses(api: ApiId, root: Readonly<Record<string, unknown>>): string[] {
  const found = new Set<string>();
  walkPrompt(api, root, (name) => {
    const isFetched = fetchedUnder(name);
    if (!isFetched) return undefined;
    return (value) => {
      if (typeof value === "string" && isFetched(value)) found.add(nameInWords(name));
    };
  });
  return [...found];
}

/** Which texts are fetched in a member of that name; undefined where none is. */
function fetchedUnder(name: string): ((text: string) => boolean) | undefined {
  if (ADDRESS.test(name) || CAMEL_ADDRESS.test(name)) return (text) => text !== "" && !/^data:/i.test(text);
  return BYTES_OR_ADDRESS.has(name.toLowerCase()) ? (text) => /^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text) : undefined;
}

const KNOWN_ADDRESS = /^((image|file|document|audio|video|media|source)_?)?ur[il]s?$/i;

/** A name as the paper trail may keep it: what a client calls a member itself can be anything, and its ending says enough. */
function nameInWords(name: string): string {
  if (BYTES_OR_ADDRESS.has(name.toLowerCase()) || KNOWN_ADDRESS.test(name)) return name;
  return /ur[il]s?$/i.exec(name)?.[0].toLowerCase() ?? "address";
}
