// The kinds of call in words. Pure.
import type { ApiId } from "../../catalog/schema.ts";

export const API_LABELS: Readonly<Record<ApiId, string>> = {
  chat_completions: "Chat completions",
  responses: "Responses",
  embeddings: "Embeddings",
  messages: "Messages",
  completions: "Completions",
  moderations: "Moderations",
  rerank: "Rerank",
  images_generations: "Image generation",
  images_edits: "Image editing",
  audio_speech: "Speech",
  audio_transcriptions: "Transcription",
  audio_translations: "Audio translation",
};

/** Several of them: "Chat completions, Responses". */
export function apisInWords(apis: readonly ApiId[]): string {
  return apis.length === 0 ? "none" : apis.map((api) => API_LABELS[api]).join(", ");
}
