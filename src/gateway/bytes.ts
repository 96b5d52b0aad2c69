// Memory for bodies outside of the engine's heap. The garbage collector sees little of it, so that what is left to it
// piles up; whoever has made such memory gives it back.

const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const BACKSLASH = 0x5c;
/** Up to here a loop is faster than a call into the runtime. */
const SHORT = 128;

const encoder = new TextEncoder();

/** `text` in UTF-8. Most that is written here is short and plain, for which the encoder is far away. */
export function bytesOf(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > LAST_PRINTABLE) return encoder.encode(text);
    bytes[at] = code;
  }
  return bytes;
}

/** The text between two offsets, where it is short, printable ASCII without a backslash; null where it is not. */
export function shortText(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start > SHORT) return null;
  let text = "";
  for (let at = start; at < end; at++) {
    const code = bytes[at] as number;
    if (code < FIRST_PRINTABLE || code > LAST_PRINTABLE || code === BACKSLASH) return null;
    text += String.fromCharCode(code);
  }
  return text;
}

/** The pieces in one, in memory of its own. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/**
 * Gives back the memory of `bytes`, which are empty from then on. What the runtime still sends of them it holds by itself.
 * Does nothing when `bytes` are only a part of their memory: it is not theirs alone.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return;
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}
