// Memory for bodies outside of the engine's heap. The garbage collector sees little of it, so that what is left to it
// piles up; whoever has made such memory gives it back.

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
