import { expect, it } from "vitest";
import { networkOf } from "../src/admin/caller-address.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:0002::9", "2001:db8:1:2::/64"],
  ["2001:db8:1::9", "2001:db8:1:0::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
  ["", null],
  ["unknown", null],
  ["203.0.113.7, 10.0.0.1", null],
])("%s is the network %s", (address, network) => {
  expect(networkOf(new Headers({ "cf-connecting-ip": address }))).toBe(network);
});

it("a header that a client may write itself says nothing", () => {
  expect(networkOf(new Headers({ "x-forwarded-for": "203.0.113.7", "x-real-ip": "203.0.113.7" }))).toBeNull();
});
