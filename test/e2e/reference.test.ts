// The served OpenAPI document by the specification's own schema, and the reference page in a browser.
import { Validator } from "@seriousme/openapi-schema-validator";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, violationsOn } from "./browser.ts";
import { demo } from "./client.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

it("the document is valid OpenAPI 3.1, and all that it refers to is in it", async () => {
  const document = await (await fetch(`${demo.url}/admin/api/openapi.json`)).json();
  const validator = new Validator();
  expect(await validator.validate(document as Record<string, unknown>)).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  expect(() => validator.resolveRefs()).not.toThrow();
});

it.each<[string, BrowserContextOptions]>([
  ["light, wide", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark, wide", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  ["light, at 360 px", { colorScheme: "light", viewport: { width: 360, height: 800 } }],
  ["dark, at 360 px", { colorScheme: "dark", viewport: { width: 360, height: 800 } }],
])("axe-core finds nothing on the page, and nothing is asked of elsewhere: %s", async (_, options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).origin));
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  await page.goto(`${demo.url}/admin/api/docs`);
  expect(await violationsOn(page)).toEqual([]);
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  ).toBeLessThanOrEqual(0);
  expect(new Set(asked)).toEqual(new Set([demo.url]));
  expect(complaints).toEqual([]);
  await context.close();
});

it("the page works without JavaScript: its list leads to each call", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${demo.url}/admin/api/docs`);
  await page.getByRole("link", { name: "Save the policy as a new revision" }).click();
  expect(page.url()).toContain("#savePolicy");
  const call = page.getByRole("article", { name: "Save the policy as a new revision" });
  expect(await call.textContent()).toMatch(/PUT.*\/policy[\s\S]*If-Match[\s\S]*412 *stale_revision/);
  await context.close();
});
