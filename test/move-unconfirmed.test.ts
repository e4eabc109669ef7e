// The last word of `billhook move`, through a proxy that loses answers: the rows are never thrown away while the server may have heard it.
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, expect, it } from "vitest";

import { openServer } from "../src/db/server.ts";
import { freshDatabase } from "./support/postgres.ts";
import { runBillhook } from "./support/run-billhook.ts";
import { OPERATOR_TOKEN, post, SECRET_KEY, serve } from "./support/serve.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-unconfirmed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** What becomes of the server's answer to the last word, each time that it is told; or the word itself is changed. */
type Fate = "of another move" | ((response: ServerResponse, time: number) => "passed on" | "lost");

async function proxyTo(url: string, fate: Fate): Promise<string> {
  let finished = 0;
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
    const { authorization = "" } = request.headers;
    const isLast = body.includes('"finish"');
    const path = isLast && fate === "of another move" ? `/api/v1/admin/move/${"0".repeat(32)}/` : (request.url ?? "");
    const answer = await fetch(url + path, {
      ...{ method: request.method ?? "GET", headers: { authorization, "content-type": "application/json" } },
      ...(body === "" ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (isLast && fate !== "of another move" && fate(response, ++finished) === "lost") return;
    response.writeHead(answer.status, { "content-type": "application/json" }).end(bytes);
  };
  const proxy = createServer((request, response) => void pass(request, response));
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  closing.push(async () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

/** Moves a server that holds one event; what the command said, and what each side has then. */
async function moved(name: string, fate: Fate) {
  const dataDir = join(folder, name);
  const url = await freshDatabase();
  const old = await serve({ DATA_DIR: dataDir });
  closing.push(() => old.end("SIGKILL"));
  await old.ready();
  const paid = newInvoice({ id: "in_1", ...PAID });
  expect(await post(old.url, JSON.stringify(event("invoice.paid", paid, { id: "evt_1", apiVersion: NEW_API })))).toBe(
    200,
  );
  const env = { OPERATOR_TOKEN, SECRET_KEY, SANDBOX_PORT: "off", DATA_DIR: dataDir };
  const { code, err } = await runBillhook(["move", "--to", url, "--url", await proxyTo(old.url, fate)], env);
  const target = await openServer({ url, poolSize: 1 });
  closing.push(() => target.close());
  const { rows } = await target.query<{ name: string | null }>("select to_regclass('stripe_events')::text as name");
  return { code, err, marked: existsSync(join(dataDir, "moved.json")), kept: rows[0]?.name === "stripe_events" };
}

function cutOff(response: ServerResponse): "lost" {
  response.writeHead(200, { "content-length": 1000 });
  response.write('{"move":', () => setTimeout(() => response.destroy(), 20));
  return "lost";
}

function page(response: ServerResponse): "lost" {
  response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad gateway</html>");
  return "lost";
}

it("whose answer breaks off, or is a proxy's page, is told again until it is heard", async () => {
  const fate: Fate = (response, time) => (time === 1 ? cutOff(response) : time === 2 ? page(response) : "passed on");
  expect(await moved("heard", fate)).toMatchObject({ code: 0, marked: true, kept: true });
}, 120_000);

it("that is never confirmed leaves the rows in the new database, and says how to find out", async () => {
  const { code, err, ...sides } = await moved("unconfirmed", page);
  expect([code, err]).toEqual([1, expect.stringContaining("If moved.json is in its DATA_DIR")]);
  expect(sides).toEqual({ marked: true, kept: true });
}, 120_000);

it("that the server refuses empties the new database", async () => {
  const { code, err, ...sides } = await moved("refused", "of another move");
  expect([code, err]).toEqual([1, expect.stringContaining("This move has ended")]);
  expect(sides).toEqual({ marked: false, kept: false });
}, 120_000);
