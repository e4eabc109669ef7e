// POST under the guard, where it must never connect: a canary on a private address listens.
import { networkInterfaces } from "node:os";

import { afterEach, describe, expect, it, vi } from "vitest";

import type { Resolve } from "../src/outbox/address-policy.ts";
import { dnsAddresses, type Exchange } from "../src/outbox/guarded-post.ts";
import { NAMES, SPELLINGS } from "./support/address-spellings.ts";
import { openDnsServer } from "./support/dns-server.ts";
import { closeAll, closing, DEVELOPMENT, http, policy, post, urlOf } from "./support/post-scene.ts";

afterEach(closeAll);

describe("a canary on a private address sees no connection", () => {
  it("whoever is sent there by any spelling of an address, or by a name that public DNS never has", async () => {
    const canary = await http((_, response) => response.end());
    for (const host of [...SPELLINGS, ...NAMES]) {
      for (const scheme of ["https", "http"]) {
        // Not by a timeout: it is refused before a connection is opened.
        const code = expect.toBeOneOf(["refused_address", "invalid_url"]);
        const exchange = await post(`${scheme}://${host}:${canary.port}/`, policy());
        expect([host, exchange]).toMatchObject([host, { outcome: "failed", code }]);
      }
    }
    expect(canary.opened).toBe(0);
  });

  it("when a name resolves to it, alone or beside public addresses, in any form", async () => {
    const canary = await http((_, response) => response.end());
    const answers = [
      ["127.0.0.1"],
      ["11.0.0.1", "127.0.0.1"],
      ["::1"],
      ["::ffff:127.0.0.1"],
      ["0.0.0.0"],
      ["::"],
      ["64:ff9b::7f00:1"],
      ["nonsense"],
    ];
    for (const found of answers) {
      const under = policy({ resolve: async () => found });
      expect(await post(`https://evil.example:${canary.port}/`, under)).toMatchObject({ code: "refused_address" });
    }
    expect(canary.opened).toBe(0);
  });

  it("when DNS says a public address first and a private one at the next question", async () => {
    const canary = await http((_, response) => response.end());
    // Nobody answers at 11.0.0.1.
    const server = await openDnsServer((_, type, time) =>
      type === "AAAA" ? [] : [time === 1 ? "11.0.0.1" : "127.0.0.1"],
    );
    closing.push(() => server.close());
    const under = policy({ resolve: dnsAddresses([server.address]) });
    const url = `https://rebinding.example:${canary.port}/`;
    const first = await post(url, under, 400);
    expect(["timeout", "connect"]).toContain(first.outcome === "failed" ? first.code : "answered");
    expect(await post(url, under, 400)).toMatchObject({ code: "refused_address" });
    const asked = server.asked.filter((question) => question === "rebinding.example A");
    expect([canary.opened, asked.length]).toEqual([0, 2]);
  });

  it("when a name that was allowed moves inside: the next connection asks DNS again", async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === "IPv4" && !one.internal)?.address;
    const receiver = await http((_, response) => response.writeHead(200, { connection: "close" }).end("ok"));
    const server = await openDnsServer((_, type, time) =>
      type === "AAAA" ? [] : [time === 1 ? "127.0.0.1" : time === 2 ? "0.0.0.0" : (own ?? "10.0.0.1")],
    );
    closing.push(() => server.close());
    // Loopback stands for the public network here, and 0.0.0.0 for a private way to the same listener.
    const under = policy({ ...DEVELOPMENT, resolve: dnsAddresses([server.address]) });
    const url = `http://moving.localhost:${receiver.port}/`;
    expect(await post(url, under)).toMatchObject({ statusCode: 200 });
    expect(await post(url, under)).toMatchObject({ code: "refused_address" });
    expect(await post(url, under)).toMatchObject({ code: "refused_address" });
    expect(receiver.opened).toBe(1);
  });

  it("when a receiver redirects to it, by any status, header or page", async () => {
    const canary = await http((_, response) => response.end());
    const location = `http://127.0.0.1:${canary.port}/`;
    let status = 300;
    const server = await http((_, response) => {
      const headers = {
        location,
        refresh: `0; url=${location}`,
        "content-location": location,
        link: `<${location}>; rel=next`,
      };
      response.writeHead(status, headers).end(`<meta http-equiv=refresh content="0;url=${location}">`);
    });
    const under = policy(DEVELOPMENT);
    for (status of [200, 201, 300, 301, 302, 303, 304, 305, 307, 308, 401, 407, 421, 426, 503]) {
      expect(await post(urlOf(server), under)).toMatchObject({ outcome: "answered", statusCode: status });
    }
    expect(canary.opened).toBe(0);
  });

  it("when a receiver redirects to another one, which redirects to it", async () => {
    const canary = await http((_, response) => response.end());
    const second = await http((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${canary.port}/` }).end();
    });
    const first = await http((_, response) => response.writeHead(308, { location: urlOf(second) }).end());
    expect(await post(urlOf(first), policy(DEVELOPMENT))).toMatchObject({ outcome: "answered", statusCode: 308 });
    expect([first.opened, second.opened, canary.opened]).toEqual([1, 0, 0]);
  });

  it("when a name moves inside after its connections were forgotten for those of a thousand others", async () => {
    const receiver = await http((_, response) => response.writeHead(200, { connection: "close" }).end());
    let asked = 0;
    const resolve: Resolve = async (name) => {
      if (!name.startsWith("moving")) return ["127.0.0.1"];
      asked += 1;
      // As above: a private way to the same listener.
      return [asked === 1 ? "127.0.0.1" : "0.0.0.0"];
    };
    const under = policy({ ...DEVELOPMENT, resolve });
    const to = (name: string): Promise<Exchange> => post(`http://${name}.localhost:${receiver.port}/`, under, 20_000);
    expect(await to("moving")).toMatchObject({ statusCode: 200 });
    for (let from = 0; from < 1100; from += 50) {
      const others = await Promise.all(Array.from({ length: 50 }, (_, index) => to(`other${from + index}`)));
      expect(others.every(({ outcome }) => outcome === "answered")).toBe(true);
    }
    const before = receiver.opened;
    expect(await to("moving")).toMatchObject({ code: "refused_address" });
    expect([asked, receiver.opened]).toEqual([2, before]);
  });

  it("though the system's resolver or a proxy of the environment would lead there", async () => {
    const canary = await http((_, response) => response.end());
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"])
      vi.stubEnv(name, `http://127.0.0.1:${canary.port}`);
    expect(await post("https://unknown.invalid/", policy({ resolve: async () => [] }))).toMatchObject({ code: "dns" });
    const rejects = { resolve: () => Promise.reject(new Error("SERVFAIL")) };
    expect(await post("https://unknown.invalid/", policy(rejects))).toMatchObject({ code: "dns" });
    expect(canary.opened).toBe(0);
  });
});
