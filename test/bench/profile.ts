// Where the Worker's time goes: V8's CPU profile of the gateway under load, over workerd's inspector.
import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import * as z from "zod";
import { allowedCall, type Prompt } from "./data-plane.ts";
import { measure } from "./load.ts";
import { table } from "./report.ts";
import { portOf, type Stack } from "./stack.ts";

const SAMPLING_MICROSECONDS = 100;
const WARM_UP_ROUNDS = 15;
const PROFILED_ROUNDS = 25;
const LINES_SHOWN = 25;

const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({
        functionName: z.string(),
        url: z.string(),
        lineNumber: z.number(),
        columnNumber: z.number(),
      }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds. */
  timeDeltas: z.array(z.number()),
});
type Profile = z.infer<typeof Profile>;

const Targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));
const Reply = z.object({ id: z.number().optional(), result: z.object({ profile: Profile.optional() }).optional() });

/** Names the place in the sources that a frame of the built Worker stands for. */
type Locate = (frame: Profile["nodes"][number]["callFrame"]) => string;

/** The functions that cost most in an allowed request, for each prompt, as text. `main` is the built Worker's path. */
export async function profilePrompts(stack: Stack, main: string, prompts: readonly Prompt[]): Promise<string> {
  const locate = await sourcesOf(main);
  const inspector = await connect();
  await inspector.send("Profiler.enable");
  await inspector.send("Profiler.setSamplingInterval", { interval: SAMPLING_MICROSECONDS });
  const shown: string[] = [];
  for (const prompt of prompts) {
    const call = allowedCall(stack, prompt);
    await measure(stack.gateway, call, prompt.count * WARM_UP_ROUNDS);
    await inspector.send("Profiler.start");
    const requests = prompt.count * PROFILED_ROUNDS;
    await measure(stack.gateway, call, requests);
    const profile = await inspector.send("Profiler.stop");
    if (profile) shown.push(hottest(prompt.name, profile, { requests, locate }));
  }
  inspector.close();
  return shown.join("\n\n");
}

async function sourcesOf(main: string): Promise<Locate> {
  const map = new SourceMap(JSON.parse(await readFile(`${main}.map`, "utf8")));
  return ({ functionName, url, lineNumber, columnNumber }) => {
    const name = functionName || "(anonymous)";
    if (url.startsWith("node")) return `${name} ${url}`;
    const entry = map.findEntry(lineNumber, columnNumber);
    if (!url || !("originalSource" in entry)) return name;
    const source = entry.originalSource.replace(/^.*?(src|node_modules)\//, (_, top) => (top === "src" ? "src/" : ""));
    return `${name} ${source}:${entry.originalLine + 1}`;
  };
}

function hottest(
  name: string,
  { nodes, samples, timeDeltas }: Profile,
  { requests, locate }: { requests: number; locate: Locate },
): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const costs = new Map<string, { own: number; whole: number }>();
  for (const [index, node] of samples.entries()) {
    const time = (timeDeltas[index] ?? 0) / requests;
    const counted = new Set<string>();
    for (let at: number | undefined = node; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at);
      if (!frame) break;
      const place = locate(frame);
      const cost = costs.get(place) ?? { own: 0, whole: 0 };
      costs.set(place, cost);
      if (at === node) cost.own += time;
      if (!counted.has(place)) cost.whole += time;
      counted.add(place);
    }
  }
  const top = (by: "own" | "whole") =>
    [...costs]
      .sort(([, a], [, b]) => b[by] - a[by])
      .slice(0, LINES_SHOWN)
      .map(([place, { own, whole }]) => [`  ${place}`, own.toFixed(1), whole.toFixed(1)]);
  const head = (title: string) => [`${name}, allowed, ${title}: µs/request`, "own", "with callees"];
  return table([head("own time"), ...top("own"), [""], head("with callees"), ...top("whole")]);
}

interface Inspector {
  send(method: string, params?: object): Promise<Profile | undefined>;
  close(): void;
}

async function connect(): Promise<Inspector> {
  const listed = await fetch(`http://127.0.0.1:${portOf("inspector")}/json`);
  const [worker] = Targets.parse(await listed.json());
  if (!worker) throw new Error("workerd's inspector lists no Worker");
  const socket = new WebSocket(worker.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("workerd's inspector does not answer"));
  });
  const waiting = new Map<number, (profile: Profile | undefined) => void>();
  let lastId = 0;
  socket.onmessage = ({ data }) => {
    const { id, result } = Reply.parse(JSON.parse(String(data)));
    if (id !== undefined) waiting.get(id)?.(result?.profile);
  };
  return {
    send(method, params = {}) {
      const id = ++lastId;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    close: () => socket.close(),
  };
}
