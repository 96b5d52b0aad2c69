// Following the list of events: each is shown once, none is left out, and time is the server's.
import { describe, expect, it } from "vitest";
import type { EventRow } from "../src/cli/portcullis/event-row.ts";
import { followEvents } from "../src/cli/portcullis/follow-events.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 1) + seconds * 1000).toISOString();
const row = (id: string, seconds: number): EventRow => ({ id, at: at(seconds) });

/** Follows a list that `turns` change one after the other, until they are through. */
async function follow(stored: EventRow[], turns: (() => void)[], begin?: string) {
  const shown: string[] = [];
  const asked: (string | undefined)[] = [];
  const remaining = [...turns];
  const ended = followEvents({
    begin,
    read: async ({ from, limit }) => {
      asked.push(from);
      const found = stored
        .filter((each) => from === undefined || each.at >= from)
        .sort((a, b) => (a.at < b.at ? 1 : -1));
      return found.slice(0, limit);
    },
    show: ({ id }) => shown.push(id),
    pause: async () => {
      const turn = remaining.shift();
      if (!turn) throw new Error("through");
      turn();
    },
  });
  await expect(ended).rejects.toThrow("through");
  return { shown, asked };
}

describe("following", () => {
  it("begins with the next event, and shows each once, oldest first", async () => {
    const stored = [row("old", 0), row("newer", 30)];
    const add =
      (...rows: EventRow[]) =>
      () =>
        void stored.push(...rows);
    const { shown } = await follow(stored, [add(row("b", 41), row("a", 40)), () => {}, add(row("c", 42))]);
    expect(shown).toEqual(["a", "b", "c"]);
  });

  it("shows an event that is stored late, behind younger ones", async () => {
    const stored = [row("old", 0)];
    const add =
      (...rows: EventRow[]) =>
      () =>
        void stored.push(...rows);
    const { shown } = await follow(stored, [add(row("young", 100)), add(row("late", 70)), () => {}]);
    expect(shown).toEqual(["young", "late"]);
  });

  it("shows two of one moment", async () => {
    const stored = [row("old", 0)];
    const { shown } = await follow(stored, [() => void stored.push(row("a", 5)), () => void stored.push(row("b", 5))]);
    expect(shown).toEqual(["a", "b"]);
  });

  it("begins where it is told to", async () => {
    const { shown } = await follow([row("before", 0), row("a", 10), row("b", 20)], [() => {}, () => {}], at(10));
    expect(shown).toEqual(["a", "b"]);
  });

  it("of an organization without events shows the first one", async () => {
    const stored: EventRow[] = [];
    const { shown } = await follow(stored, [() => {}, () => void stored.push(row("first", 1))]);
    expect(shown).toEqual(["first"]);
  });

  it("never asks for all of a long history again", async () => {
    const { asked } = await follow([row("old", 0), row("newer", 1_000)], [() => {}, () => {}]);
    expect(asked.slice(1)).toEqual([at(940), at(940), at(940), at(940)]);
  });
});
