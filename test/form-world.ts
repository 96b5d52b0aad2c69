// A gateway to send forms to, and the form that most tests send.
import { expect } from "vitest";
import type { Catalog, Provider } from "../src/catalog/schema.ts";
import { FORM_TYPE, field, file, readAtProvider } from "./forms.ts";
import { modelOf, providerOf } from "./small-catalog.ts";
import { errorOf, openWorld, policyOf, type World } from "./world.ts";

const url = "https://provider.example/v1";
const apis: Provider["apis"] = {
  audio_transcriptions: { url, auth: "bearer" },
  images_edits: { url, auth: "bearer" },
  chat_completions: { url, auth: "bearer" },
};
const served = { apis: ["audio_transcriptions", "images_edits"] as const };
const by = (price: number) => ({ apis: [...served.apis], price: { input: price, output: price } });

const catalog: Catalog = {
  version: "forms",
  providers: [
    providerOf("alpha", { apis }),
    providerOf("beta", { apis }),
    providerOf("leaky", { apis, dataPolicy: { ...providerOf("x").dataPolicy, trainsOnPrompts: true } }),
  ],
  models: [
    modelOf("hear", { leaky: by(0.5), alpha: by(1), beta: by(2) }),
    modelOf("write", { alpha: { apis: ["audio_transcriptions"] } }),
    modelOf("chat", { alpha: 1 }),
  ],
};

export const open = (vars = {}) => openWorld({ policy: policyOf({ requirements: ["no_training"] }), catalog, vars });
const TRANSCRIPTIONS = "/v1/audio/transcriptions";

export const post = (world: World, body: BodyInit, { path = TRANSCRIPTIONS, type = FORM_TYPE, headers = {} } = {}) =>
  world.call(path, { method: "POST", body, headers: { ...(type && { "content-type": type }), ...headers } });

export const audio = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
export const model = field("model", "hear");
export const sound = file("file", "a.mp3", "sound");

/** The bytes of the call that reached a provider, one character each. */
export const bytesOf = async (world: World, at = -1) => atob((await world.journal()).at(at)?.body ?? "");
export const readOf = async (world: World) => {
  const entry = (await world.journal()).at(-1);
  return entry ? readAtProvider(entry) : [];
};

export async function refusedUnsent(
  world: World,
  response: Response,
  expected: Record<string, unknown>,
): Promise<void> {
  const type = "invalid_request_error";
  expect(await errorOf(response)).toMatchObject({ status: 400, type, code: "invalid_request", ...expected });
  expect(await world.journal()).toEqual([]);
}
