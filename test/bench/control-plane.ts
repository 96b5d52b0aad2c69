// The parts of the bench that are not about a request to a model: the evaluator alone, and the preview behind the settings
// page.
import { DEMO_ORG } from "../../src/cli/seed.ts";
import { type Built, readCompatibility } from "./build.ts";
import { type Call, measure } from "./load.ts";
import { portOf, type Stack } from "./stack.ts";
import { median } from "./statistics.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

/** CPU milliseconds. */
export interface EvaluationCost {
  /** The first time in a fresh isolate: code not yet compiled, nothing remembered. */
  first: number;
  /** With rules never seen before, code compiled. */
  newRules: number;
  /** The whole preview, code compiled. */
  preview: number;
  /** Parsing, checking and indexing a catalog that came from KV, code compiled. */
  catalog: number;
}

/** What judging every provider and every model at each of its providers costs, in a Worker that does nothing else. */
export async function measureEvaluation(
  directory: string,
  { modules }: Built,
  rounds: number,
): Promise<EvaluationCost> {
  const compatibility = await readCompatibility();
  const start = () =>
    startWorkerd(directory, { name: "evaluation", port: portOf("evaluation"), modules, compatibility, text: {} });
  const first: number[] = [];
  let workerd = await start();
  for (let round = 0; round < rounds; round++) {
    await workerd.stop();
    workerd = await start();
    // The catalog is read, and the way in is warm; of the evaluator nothing has run yet.
    for (let call = 0; call < 20; call++) await cpuMilliseconds(workerd, "/evaluate", 0);
    const empty = await cpuMilliseconds(workerd, "/evaluate", 0);
    first.push((await cpuMilliseconds(workerd, "/evaluate", 1)) - empty);
  }
  const warm = async (path: string, times: number) => {
    await cpuMilliseconds(workerd, path, times);
    const costs: number[] = [];
    for (let round = 0; round < rounds; round++) costs.push((await cpuMilliseconds(workerd, path, times)) / times);
    return median(costs);
  };
  const cost = {
    first: median(first),
    newRules: await warm("/evaluate", 100),
    preview: await warm("/preview", 50),
    catalog: await warm("/catalog", 10),
  };
  await workerd.stop();
  return cost;
}

async function cpuMilliseconds(workerd: Workerd, path: string, times: number): Promise<number> {
  const call = {
    method: "GET",
    path: `${path}?times=${times}`,
    headers: {},
    body: Buffer.alloc(0),
    status: 200,
  } as const;
  return (await measure(workerd, call, 1)).cpuMicroseconds / 1000;
}

/** CPU milliseconds of a preview over the admin API. */
export async function measurePreview({ gateway, credentials }: Stack, rounds: number): Promise<number> {
  const draft = {
    enabled: true,
    requirements: ["soc2_type2", "no_training", "zero_retention"],
    headquarters: ["US", "FR", "DE"],
    providers: { allow: [], block: ["xai"] },
    models: { allow: [], block: [] },
  };
  const call: Call = {
    method: "POST",
    path: `/admin/api/orgs/${DEMO_ORG}/policy/preview`,
    headers: { authorization: `Bearer ${credentials.admin_token}`, "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(draft)),
    status: 200,
  };
  await measure(gateway, call, 20);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) costs.push((await measure(gateway, call, 10)).cpuMicroseconds / 1000);
  return median(costs);
}
