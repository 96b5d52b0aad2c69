// Notices when bytes cease to pass, without seeing each of them: JavaScript per chunk would cost a stream three times as
// much as the runtime's own pipe. A second branch of the stream is sampled instead. While the runtime pumps one branch
// to the client the other goes in step with it: reading it never draws more from the provider than the client takes, and
// what collects in it while nobody looks is what the client took meanwhile.

const SAMPLE_BYTES = 16 * 1024;
/** How long nobody looks at first, and after each sample that was not full. */
const LOOK_AWAY_MS = 100;

export interface Watch {
  stop(): void;
}

/** Calls `onStill` when nothing has passed for `idleMs`, or up to {@link LOOK_AWAY_MS} later. */
export function watchFlow(branch: ReadableStream, idleMs: number, onStill: () => void): Watch {
  const reader = branch.getReader({ mode: "byob" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const sample = async () => {
    await scheduler.wait(LOOK_AWAY_MS);
    for (let buffer = new ArrayBuffer(SAMPLE_BYTES); !stopped; ) {
      timer = setTimeout(onStill, idleMs);
      const { done, value } = await reader.read(new Uint8Array(buffer));
      clearTimeout(timer);
      if (done) return;
      buffer = value.buffer;
      if (value.length < SAMPLE_BYTES) await scheduler.wait(LOOK_AWAY_MS);
    }
  };
  // The stream broke, which whoever pumps it learns too.
  sample().catch(() => clearTimeout(timer));
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      reader.cancel().catch(() => undefined);
    },
  };
}
