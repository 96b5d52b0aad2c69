// A webhook from its first form to a block on the receiver's side, in a browser without JavaScript; and what axe-core says.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, signedIn, violationsOn } from "./browser.ts";
import { demo } from "./client.ts";
import { waitUntil } from "./stack.ts";

let browser: Browser;
let receiver: Server;
const received: { headers: Record<string, string>; body: string }[] = [];
beforeAll(async () => {
  browser = await openBrowser();
  receiver = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    received.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(pieces).toString() });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await browser.close();
  receiver.closeAllConnections();
  receiver.close();
});

const address = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/siem`;

it("without JavaScript: is set up and tried out, and a block arrives within seconds, signed", async () => {
  const page = await signedIn(browser, { javaScriptEnabled: false });
  await page.getByRole("link", { name: "Webhooks" }).click();
  await page.getByText("New webhook").click();
  await page.getByLabel("Address").fill(address());
  await page.getByRole("button", { name: "Set up" }).click();
  const secret = (await page.locator(".secret").textContent()) ?? "";
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByText("The test was accepted: 204").waitFor();

  const blocked = await fetch(`${demo.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${demo.api_keys.web}` },
    body: JSON.stringify({ model: "deepseek/deepseek-v3.2", messages: [{ role: "user", content: "Hi" }] }),
  });
  expect(blocked.status).toBe(403);
  const { error } = (await blocked.json()) as { error: { details: { event_id: string } } };
  const event = await waitUntil(15_000, async () => {
    const found = received.find(({ headers }) => headers["webhook-id"]?.startsWith(error.details.event_id));
    return found ?? null;
  });
  expect(new Webhook(secret).verify(event.body, event.headers)).toMatchObject({ type: "compliance.blocked" });
  await page.close();
});

it.each(["light", "dark"] as const)("axe-core finds nothing, %s, wide and at 360 px", async (colorScheme) => {
  const page = await signedIn(browser, { colorScheme });
  await page.goto(`${demo.url}/settings/webhooks`);
  const webhook = (await page.locator(".webhooks a").first().getAttribute("href")) ?? "";
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ["/settings/webhooks", webhook, `${webhook}/rotate-secret`, `${webhook}/remove`]) {
      await page.goto(`${demo.url}${path}`);
      if (path === "/settings/webhooks") await page.getByText("New webhook").click();
      expect(await violationsOn(page), `${path} at ${width} px`).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${path} at ${width} px is wider than the screen`).toBeLessThanOrEqual(0);
    }
  }
  await page.close();
});
