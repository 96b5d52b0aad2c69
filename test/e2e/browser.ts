// Chromium, driven by playwright-core; Debian's package, since a browser of its own cannot be assumed.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { demo } from "./client.ts";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}

/** A new page of somebody who has signed in: of the demo's owner, where no other token is given. */
export async function signedIn(
  browser: Browser,
  options: Parameters<Browser["newPage"]>[0] = {},
  token = demo.owner_token,
): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(`${demo.url}/settings/sign-in`);
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/settings\/overview$/);
  return page;
}

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds on the page, one line per violation. */
export async function violationsOn(page: Page): Promise<string[]> {
  // Through the debugger: the page's own content security policy refuses injected scripts, as it should.
  await page.evaluate(await axeSource);
  const found = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run(),
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" · ")}`);
}
