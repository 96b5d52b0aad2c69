// Models, providers and the audit log in a real browser: as a developer and an owner use them, by keyboard, without
// JavaScript, on a phone.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { openBrowser, violationsOn } from "./browser.ts";
import { changePolicy, demo } from "./client.ts";

const PAGES = [
  "/settings/models",
  "/settings/models?q=nonsense",
  "/settings/providers",
  "/settings/providers?show=expiring",
  "/settings/providers/openai",
  "/settings/providers/nanogpt",
  "/settings/audit-log",
  "/settings/audit-log?actor=nobody",
  "/settings/audit-log?from=yesterday",
];

let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  await changePolicy({ enabled: true, requirements: ["soc2_type2", "no_training"] });
});
afterAll(() => browser.close());
beforeEach(() => open({ timezoneId: "Asia/Tokyo" }));
afterEach(() => context.close());

async function open(options: Parameters<Browser["newContext"]>[0]): Promise<void> {
  context = await browser.newContext(options);
  page = await context.newPage();
}

async function signIn(token = demo.owner_token): Promise<void> {
  await page.goto(`${demo.url}/settings`);
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

it("a developer lands on the models, finds one that is allowed, and is offered no other page", async () => {
  await signIn(demo.developer_token);
  expect(new URL(page.url()).pathname).toBe("/settings/models");
  expect(await page.getByRole("navigation", { name: "Settings" }).getByRole("link").allTextContents()).toEqual([
    "Models",
  ]);
  await page.getByLabel("Search").fill("deepseek");
  await page.getByLabel("Allowed only").check();
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/q=deepseek.*allowed=true/);
  const tags = await page.locator("tbody th .tag").allTextContents();
  expect(tags.length).toBeGreaterThan(0);
  expect(tags).not.toContain("Blocked");
  expect(await page.getByLabel("Allowed only").isChecked()).toBe(true);
  await page.getByRole("link", { name: "Clear" }).click();
  await page.waitForURL(/\/settings\/models$/);
});

it("everything works without JavaScript: filters, the next page, the record of an act, one provider", async () => {
  await context.close();
  await open({ javaScriptEnabled: false });
  await signIn();
  await page.goto(`${demo.url}/settings/models`);
  const first = await page.locator("tbody th code").first().textContent();
  await page.getByRole("link", { name: "Next" }).click();
  await page.waitForURL(/after=/);
  expect(await page.locator("tbody th code").first().textContent()).not.toBe(first);

  await page.goto(`${demo.url}/settings/providers`);
  await page.getByLabel("Show").selectOption("blocked");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/show=blocked/);
  await page.locator("tbody th a").first().click();
  await page.waitForURL(/\/settings\/providers\/./);
  expect(await page.locator("main").textContent()).toContain("Verdict: blocked");

  await page.goto(`${demo.url}/settings/audit-log`);
  await page.getByLabel("Act").selectOption("policy.save");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/action=policy.save/);
  expect(await page.locator("tbody time").first().textContent()).toMatch(/ UTC$/);
  await page.locator("summary").first().click();
  expect(await page.locator("details[open] dl").textContent()).toContain("policy.requirements");
});

it("times are the reader's, with UTC on hover", async () => {
  await signIn();
  await page.goto(`${demo.url}/settings/audit-log`);
  const time = page.locator("tbody time").first();
  const at = new Date((await time.getAttribute("datetime")) ?? "");
  const inTokyo = at.toLocaleTimeString("en-US", { timeStyle: "short", timeZone: "Asia/Tokyo" });
  expect(await time.textContent()).toContain(inTokyo.replace(/\s.*/, ""));
  expect(await time.getAttribute("title")).toBe(`${at.toISOString().slice(0, 19).replace("T", " ")} UTC`);
});

it.each([
  ["models", ["Search", "Provider", "API", "Judged for", "Allowed only", "Without retired", "Filter"]],
  ["providers", ["Search", "Show", "Filter"]],
])("the keyboard reaches the %s' filter in reading order, past the navigation", async (name, expected) => {
  await signIn();
  await page.goto(`${demo.url}/settings/${name}`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const reached: (string | undefined)[] = [];
  for (const _ of expected) {
    await page.keyboard.press("Tab");
    reached.push(
      await page.evaluate(() => {
        const element = document.activeElement as HTMLInputElement | null;
        return (element?.labels?.[0] ?? element)?.textContent?.trim();
      }),
    );
  }
  expect(reached).toEqual(expected);
});

it.each(["light", "dark"] as const)(
  "axe-core finds nothing, and no page is wider than the screen: %s, at 1280 and 360 px",
  async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await signIn();
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of PAGES) {
        await page.goto(`${demo.url}${path}`);
        for (const summary of (await page.locator("summary").all()).slice(0, 3)) await summary.click();
        expect(await violationsOn(page), `${path} at ${width} px`).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${path} at ${width} px`).toBeLessThanOrEqual(0);
      }
    }
  },
);
