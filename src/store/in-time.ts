// How long an answer is waited for where the platform sets no bound.

/** What {@link inTime} waited for took longer than it was given. */
export class TookTooLong extends Error {}

/**
 * What `work` comes to; rejects with {@link TookTooLong}, saying `late`, when that takes longer than `milliseconds`. The
 * work itself goes on.
 */
export async function inTime<T>(work: Promise<T>, milliseconds: number, late: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TookTooLong(late)), milliseconds);
  });
  try {
    return await Promise.race([work, bound]);
  } finally {
    clearTimeout(timer);
  }
}
