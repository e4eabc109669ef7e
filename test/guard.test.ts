// Where webhooks may go, by the form of URLs and addresses alone: every spelling of a private address is refused.
import { spawnSync } from "node:child_process";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AddressPolicy } from "../src/outbox/address-policy.ts";
import { checkUrl, isPublicAddress, policyOf } from "../src/outbox/address-policy.ts";
import { readConfig } from "../src/config.ts";
import { NAMES, SPELLINGS } from "./support/address-spellings.ts";

const PRODUCTION: AddressPolicy = { loopback: false, allowed: [], ports: undefined };
const DEVELOPMENT: AddressPolicy = { ...PRODUCTION, loopback: true };

/** The code of the refusal, or the URL. */
function verdict(text: string, policy = PRODUCTION): string {
  const checked = checkUrl(text, policy);
  return "refused" in checked ? checked.code : checked.url.href;
}

/** As issue and RFCs have them: first address, bits. */
const BLOCKED_4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32"],
];
const BLOCKED_6 = ["2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20", "2001::/23"];

const numberOf = (address: string): number =>
  address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
const dotted = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
const rangeOf = (network: string): [number, number] => {
  const [address = "", bits] = network.split("/");
  const first = numberOf(address);
  return [first, first + 2 ** (32 - Number(bits)) - 1];
};
const RANGES_4 = BLOCKED_4.map(rangeOf);
const isBlocked4 = (number: number): boolean => RANGES_4.some(([first, last]) => number >= first && number <= last);

const long = (groups: bigint): string =>
  Array.from({ length: 8 }, (_, index) => ((groups >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");
const bits6 = (network: string): { first: bigint; bits: number } => {
  const [address = "", bits] = network.split("/");
  const groups = address.replace(/::$/, "").split(":");
  const first = groups.reduce(
    (sum, group, index) => sum + (BigInt(`0x${group || "0"}`) << BigInt(112 - 16 * index)),
    0n,
  );
  return { first, bits: Number(bits) };
};
const inNetwork = (number: bigint, network: string): boolean => {
  const { first, bits } = bits6(network);
  return number >> BigInt(128 - bits) === first >> BigInt(128 - bits);
};

describe("an address is public", () => {
  it("unless it lies in one of the blocked IPv4 networks, to the last address on each side", () => {
    const edges = RANGES_4.flatMap(([first, last]) => [first - 1, first, last, last + 1]);
    for (const number of edges.filter((edge) => edge >= 0 && edge < 2 ** 32)) {
      expect([dotted(number), isPublicAddress(dotted(number))]).toEqual([dotted(number), !isBlocked4(number)]);
    }
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (number) => isPublicAddress(dotted(number)) !== isBlocked4(number),
      ),
    );
  });

  it("of IPv6 only in 2000::/3, without Teredo, documentation and 6to4", () => {
    const isPublic = (number: bigint): boolean =>
      inNetwork(number, "2000::/3") && !BLOCKED_6.some((network) => inNetwork(number, network));
    const networks = [...BLOCKED_6, "2000::/3"].map(bits6);
    const edges = networks.flatMap(({ first, bits }) => {
      const end = first + (1n << BigInt(128 - bits));
      return [first - 1n, first, end - 1n, end];
    });
    for (const number of edges)
      expect([long(number), isPublicAddress(long(number))]).toEqual([long(number), isPublic(number)]);
    const anywhere = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
    const global = fc.bigInt({ min: 0n, max: 2n ** 125n - 1n }).map((rest) => (1n << 125n) + rest);
    fc.assert(fc.property(fc.oneof(anywhere, global), (number) => isPublicAddress(long(number)) === isPublic(number)));
  });

  it("never in a form in which IPv6 holds an IPv4 address, nor with a zone", () => {
    const part = fc.integer({ min: 0, max: 255 });
    const forms = ["::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:", "fe80::", "fc00::", "fec0::", "ff02::"];
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), fc.constantFrom(...forms), (parts, form) => {
        expect(isPublicAddress(form + parts.join("."))).toBe(false);
      }),
    );
    for (const text of [
      "::1",
      "::",
      "2606:4700::1%eth0",
      "fe80::1%lo",
      "[2606:4700::1]",
      "8.8.8.8.",
      "08.8.8.8",
      "",
      "localhost",
    ])
      expect([text, isPublicAddress(text)]).toEqual([text, false]);
    expect(["8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e"].map(isPublicAddress)).toEqual([true, true, true]);
  });

  it("in agreement with Python's tables wherever Python calls an address private", () => {
    const numbers = Array.from({ length: 4000 }, (_, index) => (index * 1_073_741 + index ** 2 * 7919) % 2 ** 32);
    const six = numbers.map((number, index) =>
      long((BigInt(index % 8) << 125n) + (BigInt(number) << BigInt((index % 13) * 8))),
    );
    const addresses = [...numbers.map(dotted), ...six, "2001:db8::1", "2002::1", "2001::1", "64:ff9b::a00:1"];
    const program =
      "import sys, ipaddress as i\nfor l in sys.stdin:\n a = i.ip_address(l.strip())\n print(int(a.is_private or a.is_multicast or a.is_reserved or a.is_loopback or a.is_link_local or a.is_unspecified))";
    const { status, stdout, stderr } = spawnSync("python3", ["-c", program], {
      input: addresses.join("\n"),
      encoding: "utf8",
    });
    expect(status, `this test needs python3: ${stderr}`).toBe(0);
    const told = stdout.trim().split("\n");
    expect(told).toHaveLength(addresses.length);
    const wrong = addresses.filter((address, index) => told[index] === "1" && isPublicAddress(address));
    expect(wrong).toEqual([]);
  });
});

const MALFORMED = [
  ...["", "https://", "https:///x", "https:\\\\example.com", "https:example.com", "//example.com/x", "example.com/x"],
  ...["http://example.com/x", "HTTP://example.com", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)"],
  ...[
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://example.com@10.0.0.1/",
    "https://:p@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
  ],
  ...[
    "https://example.com./x",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1",
    "https://[1.2.3.4]/",
  ],
  ...[
    "https://256.1.1.1/",
    "https://1.2.3.4.5/",
    "https://0x7f.0.0.0.1/",
    "https://a b.example.com/",
    "https://exa\tmple.com/",
  ],
  ...[
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com\\@10.0.0.1/",
    "https://example.com/\nx",
    "https://-/",
  ],
  ...["https://example.com:0/", "https://example.com:65536/", "https://example.com:80/", "https://example.com:22/"],
  ...[
    "https://example.com:6379/",
    "https://example.com:5432/",
    "https://example.com:25/",
    "https://example.com:11211/",
  ],
];

describe("in production a URL is refused", () => {
  it.each(SPELLINGS)("for the address %s", (host) => {
    expect(["invalid_url", "refused_address"]).toContain(verdict(`https://${host}/hook`));
    expect(verdict(`https://${host}:8443/hook`)).not.toMatch(/^https/);
  });

  it.each(NAMES)("for the internal name %s", (host) => {
    expect(verdict(`https://${host}/hook`)).toBe("refused_address");
  });

  it.each(MALFORMED)("that is malformed, not https, holds credentials or asks for a closed port: %s", (text) => {
    const checked = checkUrl(text, PRODUCTION);
    expect(checked).toMatchObject({ refused: expect.stringMatching(/^[A-Z].*\.$/) });
  });

  it("for every private address in every generated spelling", () => {
    const number = fc.constantFrom(...RANGES_4).chain(([min, max]) => fc.integer({ min, max }));
    const spelt = fc.tuple(number, fc.constantFrom(...SPELLERS)).map(([address, spell]) => spell(address));
    fc.assert(fc.property(spelt, (host) => /^(invalid_url|refused_address)$/.test(verdict(`https://${host}/`))));
  });

  it("that is longer than 2048 characters", () => {
    expect(verdict(`https://example.com/${"x".repeat(2029)}`)).toBe("invalid_url");
  });

  it("unless it is https on a public name or address", () => {
    for (const url of [
      "https://example.com/hook?a=b",
      "https://example.com:8443/",
      "https://8.8.8.8/",
      "https://[2606:4700::1]/",
    ])
      expect(verdict(url)).toBe(url);
    expect(verdict("https://EXAMPLE.com/Hook")).toBe("https://example.com/Hook");
    expect(verdict("https://bücher.example/")).toBe("https://xn--bcher-kva.example/");
  });
});

/** Ways to write one IPv4 address. */
const SPELLERS: ((number: number) => string)[] = [
  dotted,
  String,
  (number) => `0x${number.toString(16)}`,
  (number) => `0${number.toString(8)}`,
  (number) =>
    dotted(number)
      .split(".")
      .map((part) => `0x${Number(part).toString(16)}`)
      .join("."),
  (number) =>
    dotted(number)
      .split(".")
      .map((part) => `00${Number(part).toString(8)}`)
      .join("."),
  (number) => `${Math.floor(number / 2 ** 24)}.${number % 2 ** 24}`,
  (number) => `${dotted(number)}.`,
  (number) => dotted(number).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (number) => `[::ffff:${dotted(number)}]`,
  (number) => `[::${dotted(number)}]`,
  (number) => `[64:ff9b::${dotted(number)}]`,
  (number) => `[64:ff9b:1::${dotted(number)}]`,
  (number) => `[2002:${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}::1]`,
];

describe("a URL's form", () => {
  it.each([
    ["an asterisk", "https://*.example.com/"],
    ["an empty label", "https://a..b.com/"],
    ["a label that begins with a hyphen", "https://-a.com/"],
    ["a label that ends with one", "https://a-.com/"],
    ["a label of 64 characters", `https://${"a".repeat(64)}.com/`],
    ["a name of 254 characters", `https://${"ab.".repeat(83)}abcde/`],
  ])("is refused for a host that no DNS has: %s", (_, url) => {
    expect(verdict(url)).toBe("invalid_url");
  });

  it("is taken for names up to DNS's own limits, and in any script", () => {
    for (const url of [
      `https://${"a".repeat(63)}.com/`,
      `https://${"ab.".repeat(83)}abcd/`,
      "https://hooks_1.example.com/",
      "https://xn--mnchen-3ya.example/",
    ])
      expect(verdict(url)).toBe(url);
    expect(verdict("https://münchen.example/")).toBe("https://xn--mnchen-3ya.example/");
  });

  it("is as long as what is called: what is no ASCII counts with its percents", () => {
    const ascii = `https://example.com/${"a".repeat(2048 - 20)}`;
    expect(verdict(ascii)).toBe(ascii);
    expect(verdict(`${ascii}a`)).toBe("invalid_url");
    // 6 characters each in what is called.
    expect(verdict(`https://example.com/${"é".repeat(338)}`)).toMatch(/^https:/);
    expect(verdict(`https://example.com/${"é".repeat(339)}`)).toBe("invalid_url");
  });
});

describe("the policy", () => {
  it("in development allows loopback over http and https on any port, and nothing else private", () => {
    for (const url of [
      "http://localhost:3000/hook",
      "http://127.0.0.1/",
      "https://localhost:8443/",
      "http://[::1]:5432/",
      "http://a.localhost/",
    ])
      expect(verdict(url, DEVELOPMENT)).toBe(url);
    for (const host of ["10.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "192.168.0.1", "169.254.169.254", "[fd00::1]"]) {
      expect(verdict(`http://${host}/`, DEVELOPMENT), host).toMatch(/^(invalid_url|refused_address)$/);
      expect(verdict(`https://${host}/`, DEVELOPMENT), host).toBe("refused_address");
    }
    expect(verdict("http://example.com/", DEVELOPMENT)).toBe("invalid_url");
  });

  it("lets the operator vouch for exactly one host and port, without TLS only where that is said", () => {
    const config = readConfig({ WEBHOOK_ALLOWED_HOSTS: "receiver:8443, http://10.0.0.5:8080, [fd00::5]:443" });
    const policy = { ...policyOf(config), loopback: false };
    for (const url of [
      "https://receiver:8443/x",
      "http://10.0.0.5:8080/",
      "https://10.0.0.5:8080/",
      "https://[fd00::5]/",
    ])
      expect(verdict(url, policy)).toBe(url);
    for (const url of [
      "http://receiver:8443/",
      "https://receiver/",
      "https://receiver:8444/",
      "http://10.0.0.5/",
      "http://10.0.0.6:8080/",
    ])
      expect(verdict(url, policy), url).toMatch(/^(invalid_url|refused_address)$/);
    expect(verdict("https://u@receiver:8443/", policy)).toBe("invalid_url");
  });

  it("takes the operator's ports instead of its own", () => {
    const policy = { ...policyOf(readConfig({ WEBHOOK_PORTS: "443,9000-9010" })), loopback: false };
    expect(verdict("https://example.com:9000/", policy)).toBe("https://example.com:9000/");
    expect(verdict("https://example.com:8443/", policy)).toBe("invalid_url");
  });

  it("is that of production when NODE_ENV is production, and refuses settings that it cannot read", () => {
    const env = { STRIPE_SECRET_KEY: "sk_live_1", STRIPE_WEBHOOK_SECRET: "whsec_1", SECRET_KEY: "k".repeat(32) };
    const config = readConfig({ ...env, NODE_ENV: "production", PUBLIC_URL: "https://billing.example.com" });
    expect(policyOf(config)).toEqual(PRODUCTION);
    expect(policyOf(readConfig({})).loopback).toBe(true);
    for (const hosts of [
      "receiver",
      "receiver:",
      "receiver:0",
      "receiver:99999",
      "https://receiver:1/x",
      "a@b:1",
      "a:1,,b:2",
      "ftp://a:1",
      "*:8443",
      "*.internal:8443",
      "-a:1",
    ])
      expect(() => readConfig({ WEBHOOK_ALLOWED_HOSTS: hosts }), hosts).toThrow("WEBHOOK_ALLOWED_HOSTS");
    for (const ports of ["x", "0", "70000", "5-4", "443,", "-1"])
      expect(() => readConfig({ WEBHOOK_PORTS: ports }), ports).toThrow("WEBHOOK_PORTS");
  });
});
