// An owner manages members in a browser without JavaScript; and what axe-core says of the pages they do it on.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, signedIn, violationsOn } from "./browser.ts";
import { demo } from "./client.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

it("without JavaScript: adds a member, hands them a token, and removes them, which signs them out", async () => {
  const owner = await signedIn(browser, { javaScriptEnabled: false });
  await owner.getByRole("link", { name: "Members" }).click();
  await owner.getByLabel("Email address").fill("journey@acme.example");
  await owner.getByLabel("Role").selectOption("admin");
  await owner.getByRole("button", { name: "Add" }).click();
  await owner.getByText("journey@acme.example is a member now, as admin.").waitFor();
  await owner.getByRole("link", { name: "journey@acme.example" }).click();
  await owner.getByLabel("Name, optional").fill("Laptop");
  await owner.getByRole("button", { name: "Issue" }).click();
  const token = (await owner.locator(".secret").textContent()) ?? "";

  const member = await signedIn(browser, {}, token);
  await member.goto(`${demo.url}/settings/members`);
  expect(await member.locator("h1").textContent()).toBe("Not part of your role");

  await owner.getByRole("link", { name: "Remove this member…" }).click();
  await owner.getByRole("button", { name: "Remove" }).click();
  await owner.getByText("journey@acme.example is no member any more.").waitFor();
  await member.goto(`${demo.url}/settings/compliance`);
  expect(new URL(member.url()).pathname).toBe("/settings/sign-in");
  for (const page of [owner, member]) await page.close();
});

it("a reload of the page that shows a new token issues no other one", async () => {
  const member = "/settings/members/developer%40acme.example";
  const owner = await signedIn(browser);
  await owner.goto(`${demo.url}${member}`);
  await owner.getByLabel("Name, optional").fill("Issued once");
  await owner.getByRole("button", { name: "Issue" }).click();
  await owner.locator(".secret").waitFor();
  await owner.waitForURL(`${demo.url}${member}`);
  await owner.reload();
  expect(await owner.locator(".secret").count()).toBe(0);
  expect(await owner.getByRole("row").filter({ hasText: "Issued once" }).count()).toBe(1);
  await owner.close();
});

it.each(["light", "dark"] as const)("axe-core finds nothing, %s, wide and at 360 px", async (colorScheme) => {
  const page = await signedIn(browser, { colorScheme });
  const member = "/settings/members/developer%40acme.example";
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ["/settings/members", member, `${member}/remove`, "/settings/organization"]) {
      await page.goto(`${demo.url}${path}`);
      expect(await violationsOn(page), `${path} at ${width} px`).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
    }
    await page.goto(`${demo.url}/settings/members`);
    await page.getByLabel("Email address").fill("no address");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("Enter an email address").waitFor();
    expect(await violationsOn(page), `an error at ${width} px`).toEqual([]);
  }
  await page.close();
});
