// The whole way of an owner: from signing in to a restored revision, with the gateway asked at each stage.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, violationsOn } from "./browser.ts";
import { admin, changePolicy, demo, openai, type StoredPolicy } from "./client.ts";
import { waitUntil } from "./stack.ts";

const OLD_POLICY: StoredPolicy = {
  enabled: true,
  requirements: ["soc2_type2", "no_training"],
  headquarters: [],
  providers: { allow: [], block: [] },
  models: { allow: [], block: [] },
};
/** openai logs prompts. */
const ALLOWED_UNTIL_NO_LOGGING = "openai/gpt-4o-mini";
/** A policy reaches an isolate within CONFIG_TTL_SECONDS. */
const IN_FORCE_MS = 15_000;
const REASON = "Audit finding A-12: nobody may log prompts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const ask = () =>
  openai()
    .chat.completions.create({ model: ALLOWED_UNTIL_NO_LOGGING, messages: [{ role: "user", content: "Hello" }] })
    .then(() => "served" as const)
    .catch((error: { code?: string }) => error.code ?? "failed");
const untilGateway = (answer: string) => waitUntil(IN_FORCE_MS, async () => ((await ask()) === answer ? true : null));

it.each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])(
  "an owner adds a requirement with a reason, finds it in the history, and restores what was: %s",
  async (_, javaScriptEnabled) => {
    const before = await changePolicy(OLD_POLICY);
    await untilGateway("served");
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    const follow = async (name: string | RegExp) => {
      await page.getByRole("link", { name }).first().click();
      await page.waitForLoadState();
    };

    await page.goto(`${demo.url}/settings`);
    await page.getByLabel("Admin token").fill(demo.owner_token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/settings\/overview$/);
    expect(await textOf(page)).toContain("SOC 2 Type 2");

    await follow(/^Compliance$/);
    await page.getByLabel("Reason").fill(REASON);
    await page.getByLabel("No prompt logging").check();
    // A live preview replaces the bar that the reason stands in.
    if (javaScriptEnabled) await page.locator("#save-bar").getByText("Now requires No prompt logging.").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.waitForURL(/saved=/);
    expect(await textOf(page)).toContain(`Saved as revision ${before + 1}`);
    await untilGateway("provider_compliance_blocked");

    await follow("history");
    const entry = page.locator(`#revision-${before + 1}`);
    expect(await entry.textContent()).toContain(REASON);
    expect(await entry.textContent()).toContain("in the browser");
    await page.getByRole("button", { name: "Compare the two chosen" }).click();
    await page.waitForURL(/\/compare\?/);
    expect(await textOf(page)).toContain("Now requires No prompt logging.");
    expect(await page.locator("#provider-openai").textContent()).toContain("newly blocked");

    await follow("Policy history");
    await page
      .locator(`#revision-${before}`)
      .getByRole("link", { name: /^Restore/ })
      .click();
    await page.waitForURL(/\/restore$/);
    if (javaScriptEnabled) expect(await violationsOn(page)).toEqual([]);
    expect(await page.locator("#provider-openai").textContent()).toContain("newly allowed");
    await page.getByLabel("Reason").fill("Too early");
    await page.getByRole("button", { name: `Restore it as revision ${before + 2}` }).click();
    await page.waitForURL(/saved=/);
    expect(await textOf(page)).toContain(`Restored revision ${before}.`);

    const { policy, revision } = (await (await admin("/policy")).json()) as { policy: StoredPolicy; revision: number };
    expect({ policy, revision }).toEqual({ policy: OLD_POLICY, revision: before + 2 });
    await untilGateway("served");
    expect(complaints).toEqual([]);
    await context.close();
  },
  90_000,
);

async function textOf(page: Page): Promise<string> {
  return (await page.locator("main").textContent()) ?? "";
}
