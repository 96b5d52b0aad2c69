// Seals: a sealed text opens for its own purpose with its own key, whole, and in no other way.
import { describe, expect, it } from "vitest";
import type { Env } from "../src/env.ts";
import { keyringOf, open, Sealed, seal } from "../src/store/sealing.ts";
import { newCredentialsKey } from "./credential-fixtures.ts";

const ringOf = (CREDENTIALS_KEY?: string, CREDENTIALS_KEY_PREVIOUS?: string) =>
  keyringOf({ CREDENTIALS_KEY, CREDENTIALS_KEY_PREVIOUS } as unknown as Env);
const ring = ringOf(newCredentialsKey());
const sealingKey = ring.sealing as NonNullable<typeof ring.sealing>;
const sealed = seal(sealingKey, "a secret", "purpose");
const bytesOf = ({ data }: Sealed) => Buffer.from(data, "base64");
const withData = (data: Uint8Array): Sealed => ({ ...sealed, data: Buffer.from(data).toString("base64") });
function flipped(at: number): Sealed {
  const bytes = bytesOf(sealed);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return withData(bytes);
}

it("opens what it sealed, for the same purpose", () => {
  expect(open(ring, Sealed.parse(JSON.parse(JSON.stringify(sealed))), "purpose")).toEqual({
    ok: true,
    text: "a secret",
  });
});

it("never seals alike: each text has an IV of its own", () => {
  const many = Array.from({ length: 200 }, () => seal(sealingKey, "a secret", "purpose"));
  expect(new Set(many.map(({ iv }) => iv)).size).toBe(200);
  expect(new Set(many.map(({ data }) => data)).size).toBe(200);
});

it("holds neither the text nor the key", () => {
  expect(JSON.stringify(sealed) + bytesOf(sealed).toString("latin1")).not.toMatch(/a secret/);
  expect(sealed.key_id).toMatch(/^[0-9a-f]{8}$/);
});

it.each<[string, Sealed, string]>([
  ["another purpose", sealed, "purpose2"],
  ["no purpose", sealed, ""],
  ["its first byte changed", flipped(0), "purpose"],
  ["its tag changed", flipped(bytesOf(sealed).byteLength - 1), "purpose"],
  ["another IV", { ...sealed, iv: seal(sealingKey, "", "").iv }, "purpose"],
  ["its end cut off", withData(bytesOf(sealed).subarray(0, -1)), "purpose"],
  ["a tag alone", withData(bytesOf(sealed).subarray(-16)), "purpose"],
  ["nothing", withData(new Uint8Array()), "purpose"],
])("stays shut to %s", (_, changed, purpose) => {
  expect(open(ring, changed, purpose)).toEqual({ ok: false, why: "not authentic" });
});

it("stays shut to the beginning of a right tag, which workerd itself accepts", () => {
  const tag = Buffer.from(seal(sealingKey, "", "purpose").data, "base64");
  for (let length = 1; length < 16; length++)
    expect(open(ring, withData(tag.subarray(0, length)), "purpose").ok).toBe(false);
});

it("stays shut to another key of the same id", () => {
  const other = ringOf(newCredentialsKey());
  const forged = new Map([[sealed.key_id, { ...(other.sealing as typeof sealingKey), id: sealed.key_id }]]);
  expect(open({ ...other, byId: forged }, sealed, "purpose")).toEqual({ ok: false, why: "not authentic" });
  expect(open(other, sealed, "purpose")).toEqual({ ok: false, why: "unknown key" });
});

describe("the keys of an installation", () => {
  const key = newCredentialsKey();
  it("are named by the first eight hex digits of their SHA-256", async () => {
    const digest = await crypto.subtle.digest("SHA-256", Buffer.from(key, "base64"));
    expect(ringOf(key).sealing?.id).toBe(Buffer.from(digest).toString("hex").slice(0, 8));
  });

  it.each([undefined, ""])("are none when nothing is set (%j), and that is no mistake", (value) => {
    expect(ringOf(value, value)).toMatchObject({ sealing: null, problem: null });
  });

  it.each([
    "short",
    "AAAA",
    key.slice(0, -4),
    `${key.slice(0, -1)}!`,
    Buffer.from(key, "base64").toString("hex"),
    `${key}${key}`,
    key.replace("=", ""),
    "               ",
  ])("a malformed one is none, and named without its value: %j", (value) => {
    const { sealing, problem, byId } = ringOf(value);
    expect({ sealing, size: byId.size }).toEqual({ sealing: null, size: 0 });
    expect(problem).toBe("CREDENTIALS_KEY must be 32 bytes in base64");
  });

  it("a malformed earlier one is named, and keeps neither the others nor today's from opening", () => {
    const earlier = newCredentialsKey();
    const keyring = ringOf(key, `${earlier},nonsense, ,`);
    expect(keyring.problem).toBe("CREDENTIALS_KEY_PREVIOUS must be 32 bytes in base64");
    expect([...keyring.byId.keys()]).toEqual([keyring.sealing?.id, ringOf(earlier).sealing?.id]);
  });

  it("are read with the line's end that a pipe leaves", () => {
    expect(ringOf(`${key}\n`).sealing?.id).toBe(ringOf(key).sealing?.id);
  });
});
