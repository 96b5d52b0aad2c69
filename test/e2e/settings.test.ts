import { setTimeout as pause } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { openBrowser, violationsOn } from "./browser.ts";
import { admin, changePolicy, demo, journal, openai, type StoredPolicy } from "./client.ts";
import { waitUntil } from "./stack.ts";

const DEMO_POLICY: Partial<StoredPolicy> = { enabled: true, requirements: ["soc2_type2", "no_training"] };
/** openai logs prompts, so this is what turns it from allowed to blocked. */
const ALLOWED_UNTIL_NO_LOGGING = "openai/gpt-4o-mini";
/** A policy reaches an isolate within CONFIG_TTL_SECONDS. */
const IN_FORCE_MS = 15_000;

let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  complaints.length = 0;
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});
afterEach(() => context.close());

async function signIn(token = demo.admin_token): Promise<void> {
  await page.goto(`${demo.url}/settings`);
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

const ask = () =>
  openai()
    .chat.completions.create({ model: ALLOWED_UNTIL_NO_LOGGING, messages: [{ role: "user", content: "Hello" }] })
    .then(() => "served" as const)
    .catch((error: { code?: string }) => error.code ?? "failed");

it("an admin signs in, sees what a toggle would do, saves it, watches the next request be blocked, and finds the event", async () => {
  await changePolicy(DEMO_POLICY);
  await waitUntil(IN_FORCE_MS, async () => ((await ask()) === "served" ? true : null));

  await signIn();
  await page.goto(`${demo.url}/settings/compliance`);
  const impact = page.locator("#impact");
  const before = await impact.textContent();
  await page.getByLabel("No prompt logging").check();
  await waitUntil(5_000, async () => ((await impact.textContent()) === before ? null : true));
  expect(await impact.textContent()).toMatch(/newly blocked/i);
  expect(await ask()).toBe("served");
  expect(await violationsOn(page)).toEqual([]);

  await page.getByRole("button", { name: /^Save/ }).click();
  await page.waitForLoadState();
  const called = (await journal()).filter(({ provider }) => provider === "openai").length;
  await waitUntil(IN_FORCE_MS, async () => ((await ask()) === "provider_compliance_blocked" ? true : null));
  const calledWhileSpreading = (await journal()).filter(({ provider }) => provider === "openai").length;
  expect(await ask()).toBe("provider_compliance_blocked");
  expect((await journal()).filter(({ provider }) => provider === "openai").length).toBe(calledWhileSpreading);
  expect(calledWhileSpreading).toBeGreaterThanOrEqual(called);

  await page.getByRole("link", { name: "Security events" }).click();
  await page.waitForLoadState();
  const row = page.locator("table.events").getByRole("row").filter({ hasText: "gpt-4o-mini" }).first();
  expect(await row.textContent()).toContain("openai");
  await row.getByRole("link").first().click();
  await page.waitForURL(/\/settings\/events\/evt_/);
  expect(await page.locator("main").textContent()).toMatch(/logs prompts/i);
  expect(complaints).toEqual([]);
  await changePolicy(DEMO_POLICY);
});

it("everything works without JavaScript: Preview shows the impact of what was toggled", async () => {
  await changePolicy(DEMO_POLICY);
  await context.close();
  context = await browser.newContext({ javaScriptEnabled: false });
  page = await context.newPage();
  await signIn();
  await page.goto(`${demo.url}/settings/compliance`);
  await page.getByLabel("No prompt logging").check();
  await page.getByRole("button", { name: "Preview" }).click();
  await page.waitForLoadState();
  expect(await page.locator("#impact").textContent()).toMatch(/newly blocked/i);
  expect(await page.getByLabel("No prompt logging").isChecked()).toBe(true);
});

it("a save on an outdated revision says who saved, and loses nothing that was chosen", async () => {
  await changePolicy(DEMO_POLICY);
  await signIn();
  await page.goto(`${demo.url}/settings/compliance`);
  await page.getByLabel("Disclosed operator").check();
  await changePolicy({ requirements: ["soc2"] });
  await page.getByRole("button", { name: /^Save/ }).click();
  await page.waitForLoadState();
  const text = await page.locator("main").textContent();
  expect(text).toMatch(/saved/i);
  expect(text).toMatch(/admin@/);
  expect(await page.getByLabel("Disclosed operator").isChecked()).toBe(true);
  await changePolicy(DEMO_POLICY);
});

const keys = async () => ((await (await admin("/keys?limit=200")).json()) as { data: unknown[] }).data.length;

async function fillInNewKey(): Promise<void> {
  await page.getByText("New key").click();
  await page.locator("#key-project").fill("web");
  await page.locator("#key-name").fill("twice");
}

it("a double click makes one key, and its secret is shown; the same form sent again makes none", async () => {
  await signIn();
  await page.goto(`${demo.url}/settings/projects`);
  const before = await keys();
  await fillInNewKey();
  const id = await page.locator('input[name="new_id"]').inputValue();
  await page.getByRole("button", { name: "Create key" }).dblclick();
  expect(await page.locator(".secret").textContent()).toMatch(/^pcl_/);
  expect(await keys()).toBe(before + 1);

  await fillInNewKey();
  await page.locator('input[name="new_id"]').evaluate((input: HTMLInputElement, value) => {
    input.value = value;
  }, id);
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("heading", { name: "This key was created already" }).waitFor();
  expect(await violationsOn(page)).toEqual([]);
  await page.getByRole("link", { name: "The key" }).click();
  await page.getByRole("heading", { name: "twice" }).waitFor();
  expect(await keys()).toBe(before + 1);
});

it("a click while the first one is still under way does not take the place of the answer with the secret", async () => {
  await signIn();
  await page.goto(`${demo.url}/settings/projects`);
  const before = await keys();
  let asked = 0;
  await page.route("**/settings/keys", async (route) => {
    asked += 1;
    const response = await route.fetch();
    await pause(3_000);
    // Refused where another click has given this one up.
    await route.fulfill({ response }).catch(() => undefined);
  });
  await fillInNewKey();
  // Playwright's own clicks wait for what is under way.
  await page.getByRole("button", { name: "Create key" }).evaluate((button: HTMLElement) => {
    button.click();
    setTimeout(() => button.click(), 1_500);
  });
  expect(await page.getByText(/is created$|was created already$/).textContent()).toBe("The key twice is created");
  expect(await page.locator(".secret").textContent()).toMatch(/^pcl_/);
  expect(asked).toBe(1);
  expect(await keys()).toBe(before + 1);
});

it("a developer is told in plain words that the policy is not theirs to see", async () => {
  await signIn(demo.developer_token);
  const answer = await page.goto(`${demo.url}/settings/compliance`);
  expect(answer?.status()).toBe(403);
  expect(await violationsOn(page)).toEqual([]);
});

it.each(["light", "dark"] as const)(
  "axe-core finds nothing on any page, %s, wide and at 360 px",
  async (colorScheme) => {
    const [{ id: event }] = ((await (await admin("/events?limit=1")).json()) as { data: [{ id: string }] }).data;
    const [{ id: key }] = ((await (await admin("/keys?limit=1")).json()) as { data: [{ id: string }] }).data;
    await page.emulateMedia({ colorScheme });
    await page.goto(`${demo.url}/settings`);
    expect(await violationsOn(page)).toEqual([]);
    await signIn();
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of [
        "/settings/overview",
        "/settings/compliance",
        "/settings/compliance/history",
        "/settings/compliance/history/compare",
        "/settings/compliance/history/1/restore",
        "/settings/events",
        `/settings/events/${event}`,
        "/settings/projects",
        "/settings/projects/web",
        `/settings/keys/${key}`,
        `/settings/keys/${key}/revoke`,
      ]) {
        await page.goto(`${demo.url}${path}`);
        expect(await violationsOn(page), `${path} at ${width} px`).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
      }
    }
  },
);
