// An answer that is made while it is sent, so that it never stands in memory whole.

/** A response of these pieces of text. Pieces are asked for only as fast as the client takes them. */
export function streamed(pieces: AsyncIterator<string>, headers: Record<string, string>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return?.();
    },
  });
  return new Response(body, { headers });
}
