// How the dashboard is served: its page for every address that is nobody's, its files for ever, and the policy on each answer.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readDashboard } from "../src/api/dashboard-assets.ts";
import { contentPolicy } from "../src/api/dashboard-policy.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { builtDashboard } from "./support/dashboard-build.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("the dashboard", () => {
  let door: Door;
  let script: string;
  beforeAll(async () => {
    const dashboard = await builtDashboard();
    script = [...dashboard.assets.keys()].find((path) => /^\/assets\/react-.*\.js$/.test(path)) ?? "";
    const mail = { productName: `Q"<b>`, showsOneTimeLinks: true };
    door = await openDoor("embedded", { deps: { dashboard, mail, sandboxUrl: "http://127.0.0.1:12111" } });
  }, 120_000);
  afterAll(() => door.close());

  it.each(["/", "/dashboard/credits", "/operator/stripe-events/evt_1?a=b", "/sign-in", "/assets", "/index.html/x"])(
    "%s is its page, which is kept nowhere and may load nothing foreign",
    async (path) => {
      const answer = await door.call("GET", path, { headers: HTML });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(answer.text).toContain('<div id="root">');
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(/default-src 'none'; script-src 'self';/);
      expect(policy).toContain("connect-src 'self' http://127.0.0.1:12111");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|stripe/);
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("referrer-policy")).toBe("strict-origin");
    },
  );

  it("each page has a nonce of its own, and what is configured stays text", async () => {
    const pages = await Promise.all([1, 2].map(() => door.call("GET", "/", { headers: HTML })));
    const nonces = pages.map(({ text, headers }) => {
      const [, nonce = ""] = /name="billhook-nonce" content="([^"]+)"/.exec(text) ?? [];
      expect(headers.get("content-security-policy")).toContain(`'nonce-${nonce}'`);
      return nonce;
    });
    expect(new Set(nonces).size).toBe(2);
    expect(pages[0]?.text).toContain("Q&quot;&lt;b&gt;");
    expect(pages[0]?.text).not.toMatch(/\{\{|<b>/);
  });

  it("with real keys Stripe's script may come, and nothing else", () => {
    const policy = contentPolicy({ nonce: "n", sandboxUrl: undefined, withStripe: true });
    expect(policy).toContain("script-src 'self' https://js.stripe.com https://*.js.stripe.com;");
    expect(policy).toContain("connect-src 'self' https://api.stripe.com;");
  });

  it.each([
    ["GET", "/api/v1/nothing", 404],
    ["GET", "/account/nothing", 404],
    ["GET", "/healthz/nothing", 404],
    ["GET", "/stripe/webhook/", 405],
    ["POST", "/dashboard/credits", 404],
    ["DELETE", "/", 404],
  ])("%s %s is answered as the API answers, also to a browser: %s", async (method, path, status) => {
    const answer = await door.call(method, path, { headers: HTML });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/json; charset=utf-8"]);
    expect(answer.json).toHaveProperty("request_id");
  });

  it("who asks for no page gets no page", async () => {
    const answer = await door.call("GET", "/dashboard/credits", { headers: { accept: "application/json" } });
    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
  });

  it("a file is kept for ever, and sent as small as the browser takes it", async () => {
    const ask = async (encoding: string) => {
      const { rest, body } = await raw(door, script, encoding);
      expect(rest).toMatch(/cache-control: public, max-age=31536000, immutable/i);
      expect(rest).toMatch(/content-type: text\/javascript/i);
      return { encoding: /content-encoding: (\w+)/i.exec(rest)?.[1], body };
    };
    const plain = await ask("identity");
    const [brotli, gzip, refused] = [await ask("gzip, deflate, br"), await ask("gzip"), await ask("br;q=0, gzip;q=0")];
    expect([plain.encoding, brotli.encoding, gzip.encoding, refused.encoding]).toEqual([
      undefined,
      "br",
      "gzip",
      undefined,
    ]);
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
  });

  it("HEAD answers as GET, without a body", async () => {
    for (const [path, headers] of [
      ["/dashboard", HTML],
      [script, {}],
    ] as const) {
      const [head, get] = [await door.call("HEAD", path, { headers }), await door.call("GET", path, { headers })];
      expect([head.status, head.text, head.headers.get("content-type")]).toEqual([
        200,
        "",
        get.headers.get("content-type"),
      ]);
    }
  });

  it.each([
    "/assets/../../../package.json",
    "/..%2f..%2fpackage.json",
    "/assets/%2e%2e/index.html",
    "/sources",
    "/index.html",
    "//etc/passwd",
  ])("%s reaches no file", async (path) => {
    const answer = await door.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it("not built, it says what to run, and the API works", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-dashboard-"));
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "assets", "left.js"), "left");
    const bare = await openDoor("embedded", { deps: { dashboard: readDashboard(folder) } });
    const answer = await bare.call("GET", "/", { headers: HTML });
    expect([answer.status, answer.text.includes("npm run build:dashboard")]).toEqual([503, true]);
    expect((await bare.call("GET", "/healthz")).status).toBe(200);
    await bare.close();
    rmSync(folder, { recursive: true });
  });
});

/** As on the wire: fetch would unpack it. */
async function raw(door: Door, path: string, encoding: string): Promise<{ rest: string; body: Buffer }> {
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\nConnection: close\r\n\r\n`;
  const [rest = "", body = ""] = (await door.raw(request)).split(/\r\n\r\n([^]*)/);
  return { rest, body: Buffer.from(body, "latin1") };
}
