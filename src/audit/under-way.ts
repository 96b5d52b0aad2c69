// Counts what an isolate does at once, so that there is a bound to it.

const LOST_AFTER_MS = 30_000;

/** Work that is under way. What has taken longer than a request may go on was lost with its request. */
export class UnderWay {
  readonly #begun = new Set<{ readonly since: number }>();
  readonly #most: number;
  constructor(most: number) {
    this.#most = most;
  }
  isFull(): boolean {
    if (this.#begun.size < this.#most) return false;
    const now = Date.now();
    for (const each of this.#begun) if (Math.abs(now - each.since) > LOST_AFTER_MS) this.#begun.delete(each);
    return this.#begun.size >= this.#most;
  }
  async during<T>(work: () => Promise<T>): Promise<T> {
    const begun = { since: Date.now() };
    this.#begun.add(begun);
    try {
      return await work();
    } finally {
      this.#begun.delete(begun);
    }
  }
}
