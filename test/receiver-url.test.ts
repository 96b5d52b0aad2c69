// Where events may be sent: nowhere that the open internet does not reach.
import { describe, expect, it } from "vitest";
import { checkReceiverUrl } from "../src/store/receiver-url.ts";

const REFUSED = [
  // Not https, or no address at all.
  "",
  "siem.example.com",
  "http://siem.example.com/hook",
  "ftp://siem.example.com/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "data:text/plain,x",
  "https://",
  // This machine, in every way to write it.
  "https://127.0.0.1/",
  "https://127.1/",
  "https://0x7f.0.0.1/",
  "https://0177.0.0.1/",
  "https://2130706433/",
  "https://１２７.0.0.1/",
  "https://①②⑦.0.0.1/",
  "https://0.0.0.0/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://localhost/",
  "https://LOCALHOST/",
  "https://localhost./",
  "https://a.localhost/",
  "https://loc%61lhost/",
  // Private, link-local and carrier networks, and the metadata of clouds.
  "https://10.0.0.1/",
  "https://172.16.0.1/",
  "https://192.168.1.1/",
  "https://100.64.0.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://168.63.129.16/",
  "https://[fd00:ec2::254]/",
  "https://[fe80::1]/",
  "https://[fc00::1]/",
  "https://metadata.google.internal/",
  "https://metadata/",
  // An address that is nobody's private one is no name either.
  "https://8.8.8.8/",
  "https://[2606:4700::1111]/",
  // Names of networks at home.
  "https://siem/",
  "https://siem.local/",
  "https://siem.corp/",
  "https://siem.lan.home.arpa/",
  "https://siem.intranet/",
  "https://siem.internal./",
  "https://siem.example.com./",
  "https://x.onion/",
  // What an address can carry along.
  "https://user@siem.example.com/",
  "https://user:password@siem.example.com/",
  "https://siem.example.com@127.0.0.1/",
  "https://siem.example.com:8443/",
  "https://siem.example.com:22/",
  "https://siem.example.com/#fragment",
  `https://siem.example.com/${"x".repeat(2048)}`,
];

describe("an address that may not be called", () => {
  it.each(REFUSED)("%s", (url) => {
    const checked = checkReceiverUrl(url, { sandbox: false });
    expect(checked).toEqual({ ok: false, why: expect.stringMatching(/^must \S/) });
  });

  it.each(REFUSED.filter((url) => !/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url)))(
    "%s, in the sandbox too",
    (url) => {
      expect(checkReceiverUrl(url, { sandbox: true }).ok).toBe(false);
    },
  );
});

it.each([
  ["https://siem.example.com/portcullis?token=1", "https://siem.example.com/portcullis?token=1"],
  ["https://siem.example.com:443/", "https://siem.example.com/"],
  ["https://SIEM.Example.com", "https://siem.example.com/"],
  ["https://bücher.example.com/", "https://xn--bcher-kva.example.com/"],
  ["https://internal.example.com/", "https://internal.example.com/"],
  ["https://10.0.0.1.example.com/", "https://10.0.0.1.example.com/"],
])("%s is a public host's, and is kept as it will be called", (given, url) => {
  expect(checkReceiverUrl(given, { sandbox: false })).toEqual({ ok: true, url });
});

it.each(["http://127.0.0.1:9999/x", "http://localhost:1/", "http://[::1]:8080/"])(
  "%s passes in the sandbox, and nowhere else",
  (url) => {
    expect(checkReceiverUrl(url, { sandbox: true }).ok).toBe(true);
    expect(checkReceiverUrl(url, { sandbox: false }).ok).toBe(false);
  },
);

it.each(["http://10.0.0.1/", "http://192.168.1.1:80/", "http://localhost.example.com/", "http://127.0.0.1.nip.io/"])(
  "%s is not this machine, in the sandbox either",
  (url) => {
    expect(checkReceiverUrl(url, { sandbox: true }).ok).toBe(false);
  },
);
