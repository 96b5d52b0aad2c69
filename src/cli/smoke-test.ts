// Whether a deployed gateway works, asked from outside: its doors are shut to strangers, and its catalog reads back.
import type { AdminApi } from "./admin-api.ts";
import { publishedVersion } from "./catalog.ts";
import { Halt } from "./command.ts";

/** Asks the gateway at `url`; returns what holds, and ends the command on the first thing that does not. */
export async function smokeTest(url: string, operator: AdminApi, version: string): Promise<string[]> {
  const inForce = await publishedVersion(operator);
  if (inForce !== version) throw new Halt(`The catalog in force is ${inForce}, not ${version}.`);
  return [
    "the catalog reads back",
    await answers(url, "/v1/models", 401, "a request without a key is refused"),
    await answers(url, "/admin/api/catalog", 401, "the admin API is closed to strangers"),
    await answers(url, "/settings/sign-in", 200, "the settings page asks to sign in"),
  ];
}

async function answers(url: string, path: string, expected: number, what: string): Promise<string> {
  const { status } = await fetch(`${url}${path}`, { redirect: "manual" });
  if (status !== expected) throw new Halt(`GET ${url}${path} answered ${status} where ${expected} was expected.`);
  return `${what} (GET ${path}: ${status})`;
}
