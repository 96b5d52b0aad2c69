// A download that breaks off goes on by itself: wherever it breaks, what comes out is the whole, each line once.
import { describe, expect, it } from "vitest";
import { CHAIN, FORMATS } from "../src/cli/portcullis/export-formats.ts";
import { Refused } from "../src/cli/portcullis/halts.ts";
import { type Download, resumed } from "../src/cli/portcullis/resumed.ts";

const ROWS = ["a: grün", "b: 東京", "c"];
const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

/** A file as the gateway serves it: behind a row, with a head at the beginning, or in each answer. */
interface File {
  head: "none" | "once" | "again";
}
const WHOLE = ({ head }: File) => textOf(head === "none" ? ROWS : ["head", ...ROWS]);

function answered({ head }: File, behind: string | undefined): Uint8Array {
  const rows = ROWS.slice(behind === undefined ? 0 : ROWS.findIndex((row) => row.startsWith(behind)) + 1);
  const hasHead = head === "again" || (head === "once" && behind === undefined);
  return new TextEncoder().encode(textOf(hasHead ? ["head", ...rows] : rows));
}

/** What an answer does after so many of its bytes. */
type Ending = "breaks" | "ends" | Refused;
const broken = new Refused("The answer broke off.", { passing: true });

/** Downloads while answers end early, one after the other as told; what comes out, what was asked and how long waited. */
async function download(file: File, endings: { after: number; how: Ending }[], pieceBytes = 7) {
  const asked: (string | undefined)[] = [];
  const waited: number[] = [];
  const told: string[] = [];
  const remaining = [...endings];
  const source: Download = {
    async open(behind) {
      asked.push(behind);
      const ending = remaining.shift();
      if (ending?.how instanceof Refused) throw ending.how;
      return pieces(answered(file, behind).slice(0, ending?.after), ending?.how);
    },
    placeOf: (line) => (line === "head" ? undefined : line.slice(0, 1)),
    repeatsHead: file.head === "again",
    async pause(milliseconds, why) {
      waited.push(milliseconds / 1000);
      told.push(why);
    },
  };
  async function* pieces(bytes: Uint8Array, how: Ending = "ends") {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
    if (how === "breaks") throw broken;
  }
  let out = "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const failure = await (async () => {
    // Nothing but whole lines is handed on, so that each piece is whole text.
    for await (const lines of resumed(source)) out += decoder.decode(lines);
  })().catch((error: unknown) => error);
  return { out, failure, asked, waited, told };
}

describe.each<[string, File]>([
  ["without a head", { head: "none" }],
  ["with a head at the beginning", { head: "once" }],
  ["with a head in each answer", { head: "again" }],
])("a file %s", (_, file) => {
  it.each<Ending>(["breaks", "ends"])(
    "that %s in the middle is whole, wherever it was, and a second time",
    async (how) => {
      const length = answered(file, undefined).length;
      const lineEnds = [...answered(file, undefined)].flatMap((byte, at) => (byte === 10 ? [at + 1] : []));
      for (let after = 0; after < length; after++) {
        // Ended at the end of a line, nobody can see that there was more.
        if (how === "ends" && (after === 0 || lineEnds.includes(after))) continue;
        for (const pieceBytes of [1, 7, 1000]) {
          const again = { after: 11, how: "breaks" as const };
          const { out, failure } = await download(file, [{ after, how }, again], pieceBytes);
          expect({ after, pieceBytes, out, failure }).toEqual({
            after,
            pieceBytes,
            out: WHOLE(file),
            failure: undefined,
          });
        }
      }
    },
  );
});

const plain: File = { head: "none" };
const afterTheFirst = { after: 10, how: "breaks" as const };
const refusing = (passing: boolean, retryAfterSeconds?: number) => ({
  after: 0,
  how: new Refused("Refused (503 unavailable): no.\n  and more", {
    passing,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }),
});

it("is asked for behind its last whole line, ever more slowly, and no sooner than the gateway asked", async () => {
  const endings = [
    afterTheFirst,
    refusing(true),
    refusing(true, 30),
    refusing(true),
    { after: 3, how: "breaks" as const },
  ];
  const { out, asked, waited, told } = await download(plain, endings);
  expect(out).toBe(WHOLE(plain));
  expect(asked).toEqual([undefined, "a", "a", "a", "a", "a"]);
  expect(waited).toEqual([1, 2, 30, 8, 16]);
  expect(told[1]).toBe("Refused (503 unavailable): no. Going on behind a in 2 s.");
});

it("waits little again once it got on", async () => {
  const endings = [afterTheFirst, refusing(true), { after: 11, how: "breaks" as const }];
  expect(await download(plain, endings)).toMatchObject({ asked: [undefined, "a", "a", "b"], waited: [1, 2, 1] });
});

it("gives up when nothing comes of it, with the last reason and whole lines alone", async () => {
  const last = refusing(true);
  const { out, failure, waited } = await download(plain, [afterTheFirst, ...Array(5).fill(last), refusing(true)]);
  expect({ out, failure }).toEqual({ out: `${ROWS[0]}\n`, failure: last.how });
  expect(waited).toEqual([1, 2, 4, 8, 16]);
});

it("gives up at once on what does not pass, and where it never began", async () => {
  const final = refusing(false);
  expect(await download(plain, [afterTheFirst, final])).toMatchObject({ failure: final.how, waited: [1] });
  const first = refusing(true);
  expect(await download(plain, [first])).toMatchObject({ out: "", failure: first.how, waited: [] });
});

describe("a chain from which retention removes links meanwhile", () => {
  const cut = (seq: number) => ({ seq, signature: `of ${seq}` });
  const head = (removed: unknown) => JSON.stringify({ chain: "acme", after: 0, keys: [], removed });
  const link = (seq: number) => JSON.stringify({ seq, hash: "…" });
  const breaking = async function* (lines: readonly string[]) {
    yield new TextEncoder().encode(textOf(lines));
    throw broken;
  };

  /** What comes out of answers that break off, one after the other; the last one does so for good. */
  async function exported(answers: readonly (readonly string[])[]) {
    const remaining = [...answers];
    const asked: (string | undefined)[] = [];
    let out = "";
    const source = resumed({
      ...(FORMATS[CHAIN] as (typeof FORMATS)[string]),
      async open(behind) {
        asked.push(behind);
        const lines = remaining.shift();
        if (!lines) throw new Refused("Nothing more.", { passing: false });
        return breaking(lines);
      },
      pause: async () => {},
    });
    const failure = await (async () => {
      for await (const lines of source) out += new TextDecoder().decode(lines);
    })().catch((error: Error) => error.message);
    return { out, asked, failure };
  }
  const REMOVED = "Retention removed links meanwhile: export once more.";

  it.each<[string, (readonly string[])[]]>([
    [
      "behind what was received",
      [
        [head(null), link(1), link(2)],
        [head(cut(6)), link(7)],
      ],
    ],
    [
      "behind what was received, of a chain that begins behind a cut",
      [
        [head(cut(3)), link(4)],
        [head(cut(6)), link(7)],
      ],
    ],
    ["before anything was received", [[head(null)], [head(cut(6)), link(7)]]],
    ["before anything was received, of a chain that begins behind a cut", [[head(cut(3))], [head(cut(6)), link(7)]]],
    [
      "with a head that nobody can read",
      [
        [head(null), link(1)],
        ["?", link(2)],
      ],
    ],
  ])("is given up at once %s, and no link comes out behind the gap", async (_, answers) => {
    const { out, asked, failure } = await exported(answers);
    expect({ out, failure }).toEqual({ out: textOf(answers[0] ?? []), failure: REMOVED });
    expect(asked).toHaveLength(2);
  });

  it.each([null, cut(3)])("goes on where no link is missing, begun behind %o", async (removed) => {
    const begun = [head(removed), link(4)];
    const { out, asked, failure } = await exported([[head(removed)], begun, [head(null), link(5)]]);
    expect({ out, asked, failure }).toEqual({
      out: textOf([...begun, link(5)]),
      asked: [undefined, undefined, "4", "5"],
      failure: "Nothing more.",
    });
  });
});
