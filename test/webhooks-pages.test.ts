// Settings → Webhooks: set one up, see how it goes, and do something about it.
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signInWith, visitPage } from "./page-visit.ts";
import { openWebhookWorld, placesIn, type WebhookWorld } from "./webhook-world.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const SECRET = /whsec_[A-Za-z0-9+/]{43}=/;

async function open() {
  const world = await openWebhookWorld();
  const cookie = await signInWith(world.env, world.world.tokens.admin);
  return {
    ...world,
    look: (path = "") => visitPage(world.env, `/webhooks${path}`, { cookie }),
    post: (path: string, form: Record<string, string> = {}) =>
      visitPage(world.env, `/webhooks${path}`, { cookie, form }),
    /** The fields of the page that asks whether to rotate. */
    async confirmed(id: string): Promise<Record<string, string>> {
      const { html } = await visitPage(world.env, `/webhooks/${id}/rotate-secret`, { cookie });
      return fieldsOf(html);
    },
  };
}
const fieldsOf = (html: string) =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
const idOf = async ({ ask }: Pick<WebhookWorld, "ask">): Promise<string> =>
  (await ask("GET", "/webhooks")).body.data[0].id;

describe("the page", () => {
  it("sets up a webhook and shows its secret once", async () => {
    const world = await open();
    expect((await world.look()).html).toContain("No event is sent anywhere yet.");
    const created = await world.post("", { url: world.address("siem"), format: "ocsf" });
    expect(created.status).toBe(200);
    expect(created.html).toMatch(SECRET);
    const list = await world.look();
    const shown = await world.look(`/${await idOf(world)}`);
    expect(list.html).toContain("delivering");
    for (const { html } of [list, shown]) expect(html).not.toContain("whsec_");
  });

  it.each([
    [
      "an address that may not be called",
      { url: "https://169.254.169.254/", format: "json" },
      "Address must name a host",
    ],
    ["no address", { url: "", format: "json" }, "Address must be an address"],
    ["an unknown format", { url: "https://siem.example.com", format: "cef" }, "Choose one of the formats"],
  ])("refuses %s beside the field, and keeps what was typed", async (_, form, words) => {
    const world = await open();
    const { status, html } = await world.post("", form);
    expect(status).toBe(422);
    expect(html).toContain(words);
    expect(html).toContain('aria-invalid="true"');
    if (form.url !== "") expect(html).toContain(`value="${form.url}"`);
    expect((await world.ask("GET", "/webhooks")).body.data).toEqual([]);
  });

  it("says what the operator has to do where no secret can be stored", async () => {
    const world = await open();
    const { CREDENTIALS_KEY: _, ...without } = world.env;
    const cookie = await signInWith(world.env, world.world.tokens.admin);
    const { status, html } = await visitPage(without, "/webhooks", { cookie });
    expect([status, html.includes("CREDENTIALS_KEY"), html.includes("New webhook")]).toEqual([200, true, false]);
  });

  it("shows a receiver that fails, with its last answer, what waits and when it is tried again", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    await world.behave("siem", { kind: "status", status: 503 });
    await world.seal(2);
    await world.deliver();
    const { html } = await world.look(`/${id}`);
    expect(html).toContain("The receiver does not accept: 503");
    expect(html).toContain("2 events wait, and none is lost.");
    expect((await world.look()).html).toContain("retrying");
  });

  it("shows one that was given up, and resumes it", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    await world.behave("siem", { kind: "status", status: 410 });
    await world.seal(1);
    await world.deliver();
    expect((await world.look(`/${id}`)).html).toContain("Paused: the last answer was 410");
    await world.behave("siem", null);
    const resumed = await world.post(`/${id}/resume`);
    expect(resumed).toMatchObject({ status: 303, location: `/webhooks/${id}?done=resumed` });
    await world.deliver();
    expect(placesIn(await world.received("siem"))).toEqual([1, 1]);
  });

  it("sends a test, and says what came of it", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    expect((await world.post(`/${id}/test`)).html).toContain("The test was accepted: 204");
    await world.behave("siem", { kind: "status", status: 302, headers: { location: world.address("elsewhere") } });
    expect((await world.post(`/${id}/test`)).html).toContain("The test was not accepted: 302, not followed");
  });

  it("changes, pauses, rotates and removes, the last two after a confirmation", async () => {
    const world = await open();
    const { id, secret } = await world.add("siem");
    await world.post(`/${id}`, { url: world.address("other"), format: "json" });
    expect(await world.show(id)).toMatchObject({ url: world.address("other") });
    expect((await world.post(`/${id}`, { url: "https://10.0.0.1", format: "json" })).status).toBe(422);
    await world.post(`/${id}/pause`);
    expect(await world.show(id)).toMatchObject({ state: "disabled" });
    expect((await world.look(`/${id}`)).html).toContain("Somebody paused it by hand");
    for (const step of ["rotate-secret", "remove"])
      expect((await world.look(`/${id}/${step}`)).html).toContain(`action="/settings/webhooks/${id}/${step}"`);
    const [rotated] = SECRET.exec((await world.post(`/${id}/rotate-secret`, await world.confirmed(id))).html) ?? [];
    expect(rotated).toMatch(SECRET);
    expect(rotated).not.toBe(secret);
    expect(await world.post(`/${id}/remove`)).toMatchObject({ status: 303, location: "/webhooks?done=removed" });
    expect((await world.look(`/${id}`)).status).toBe(404);
  });

  it("rotates once for a button that was pressed twice, and says what to do without the secret", async () => {
    const world = await open();
    const { id, secret: old } = await world.add("siem");
    const asked = await world.confirmed(id);
    const first = await world.post(`/${id}/rotate-secret`, asked);
    const [secret = ""] = SECRET.exec(first.html) ?? [];
    const again = await world.post(`/${id}/rotate-secret`, asked);
    expect(again.status).toBe(409);
    expect(again.html).toContain("It was rotated meanwhile");
    expect(again.html).not.toMatch(SECRET);
    await world.seal(1);
    await world.deliver();
    const [both] = await world.received("siem");
    for (const either of [old, secret]) new Webhook(either).verify(both?.body ?? "", both?.headers ?? {});
    // Whoever means it, having read that, can.
    const { status, html } = await world.post(`/${id}/rotate-secret`, fieldsOf(again.html));
    expect([status, SECRET.test(html)]).toEqual([200, true]);
  });

  it("says before a rotation within the day of another that it ends the secret which the receiver may still know", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    expect((await world.look(`/${id}/rotate-secret`)).html).not.toContain("stops at once");
    await world.ask("POST", `/webhooks/${id}/rotate-secret`);
    expect((await world.look(`/${id}/rotate-secret`)).html).toContain("stops at once");
  });

  it("rotates nothing for a form that does not say what it was shown", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    expect((await world.post(`/${id}/rotate-secret`)).status).toBe(409);
    expect(await world.show(id)).toMatchObject({ previous_secret_until: null });
  });

  it.each(["", "/test", "/pause", "/resume", "/rotate-secret", "/remove"])(
    "posting to %s of another organization's webhook finds nothing and changes nothing",
    async (path) => {
      const [mine, theirs] = [await open(), await openWebhookWorld()];
      const { id } = await theirs.add("siem");
      const before = await theirs.show(id);
      const answer = await mine.post(`/${id}${path}`, { url: mine.address("mine"), format: "json" });
      expect(answer.status).toBe(404);
      expect(await theirs.show(id)).toEqual(before);
      expect(await theirs.received("siem")).toEqual([]);
    },
  );

  it("takes no form from another site", async () => {
    const world = await open();
    const { id } = await world.add("siem");
    const cookie = await signInWith(world.env, world.world.tokens.admin);
    for (const path of ["/pause", "/remove", "/rotate-secret", "/test"]) {
      const headers = { origin: "https://evil.test" };
      const answer = await visitPage(world.env, `/webhooks/${id}${path}`, { cookie, form: {}, headers });
      expect(answer.status, path).toBe(403);
    }
    expect(await world.show(id)).toMatchObject({ state: "delivering", previous_secret_until: null });
  });
});
