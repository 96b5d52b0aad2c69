// What the stand-in says where the answer is no chat: an image of one pixel, a tenth of a second of silence, and what it
// claims to have heard. Pure.
import type { AudioResponse, ImageResponse, TranscriptionResponse } from "@copilotkit/aimock";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const SAMPLES_PER_SECOND = 8_000;
const SILENT_SAMPLES = SAMPLES_PER_SECOND / 10;

export const image: ImageResponse = { image: { b64Json: PIXEL } };

export const speech: AudioResponse = { audio: silence().toString("base64"), format: "wav" };

/** What was heard, in the terms of the model that was asked. */
export function transcript(model: string): TranscriptionResponse {
  return { transcription: { text: `The stand-in for a provider listens as ${model}, and hears nothing.` } };
}

/** A WAV file: one channel of eight bits, in which 128 is silence. */
function silence(): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + SILENT_SAMPLES, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 36);
  header.writeUInt32LE(SILENT_SAMPLES, 40);
  return Buffer.concat([header, Buffer.alloc(SILENT_SAMPLES, 128)]);
}
