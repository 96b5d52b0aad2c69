// An owner sets how long events are kept, in a browser without JavaScript; and what axe-core says of the page.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, signedIn, violationsOn } from "./browser.ts";
import { demo } from "./client.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const PAGE = "/settings/events/retention";

/** Fills in the form and sends it; the answer is there once it says `answer`. */
async function save(
  page: Page,
  { days, hold, answer }: { days: string; hold: boolean; answer: string },
): Promise<void> {
  await page.goto(`${demo.url}${PAGE}`);
  await page.getByLabel("Days to keep events").fill(days);
  await page.getByLabel("Legal hold").setChecked(hold);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(answer).waitFor();
}

it("without JavaScript: sets a hold at once, and lifts it once that is confirmed", async () => {
  const page = await signedIn(browser, { javaScriptEnabled: false });
  await page.getByRole("navigation").getByRole("link", { name: "Security events" }).click();
  await page.getByRole("link", { name: "Events are kept for 400 days" }).click();
  await page.getByRole("heading", { name: "Retention of events" }).waitFor();
  await save(page, { days: "500", hold: true, answer: "The change is saved" });
  await page.goto(`${demo.url}/settings/events`);
  await page.getByRole("link", { name: "A legal hold keeps all events" }).waitFor();
  const lifting = { days: "400", hold: false, answer: "Lift the legal hold, and keep events for 400 days" };
  await save(page, lifting);
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Retention of events" }).waitFor();
  expect(await page.getByLabel("Legal hold").isChecked()).toBe(true);
  await save(page, lifting);
  await page.getByRole("button", { name: "Save it" }).click();
  await page.getByText("The change is saved").waitFor();
  expect(await page.getByLabel("Legal hold").isChecked()).toBe(false);
  await page.close();
});

it.each(["light", "dark"] as const)("axe-core finds nothing, %s, wide and at 360 px", async (colorScheme) => {
  const page = await signedIn(browser, { colorScheme });
  const steps: [string, () => Promise<unknown>][] = [
    ["the page", () => page.goto(`${demo.url}${PAGE}`)],
    ["the question", () => save(page, { days: "180", hold: false, answer: "They do not come back" })],
    ["an error", () => save(page, { days: "18", hold: true, answer: "must be at least 180" })],
  ];
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const [step, go] of steps) {
      await go();
      expect(await violationsOn(page), `${step} at ${width} px`).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${step} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
    }
  }
  await page.close();
});
