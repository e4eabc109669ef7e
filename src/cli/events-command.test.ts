import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type Ended, runBillhook } from "../../test/support/run-billhook.ts";

const asked: string[] = [];
const more = (cursor: string) => ({ data: [], has_more: true, next_cursor: cursor });
const row = { stripe_event_id: "evt_rare", type: "invoice.paid" };

/** By filter and cursor: a rare event stands on the third page, an absent one on none. */
const PAGES: Readonly<Record<string, object>> = {
  "rare ": more("a"),
  "rare a": more("b"),
  "rare b": { data: [row], has_more: true, next_cursor: "c" },
  "none ": more("d"),
  "none d": { data: [], has_more: false, next_cursor: null },
};

const server = createServer((request, response) => {
  const query = new URL(request.url ?? "", "http://there").searchParams;
  asked.push(query.toString());
  response.end(JSON.stringify(PAGES[`${query.get("text") ?? ""} ${query.get("cursor") ?? ""}`]));
});
beforeAll(() => once(server.listen(0, "127.0.0.1"), "listening"));
afterAll(() => server.close());

function list(...args: string[]): Promise<Ended> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return runBillhook(["events", "list", "--url", url, ...args], { OPERATOR_TOKEN: "o".repeat(32) });
}

it("an event behind empty pages is found, with the filters on every page", async () => {
  const found = await list("--text", "rare", "--limit", "5");
  expect([found.code, found.out]).toEqual([0, expect.stringContaining("evt_rare")]);
  expect(found.err).toBe("There are more: add --cursor c\n");
  expect(asked.splice(0)).toEqual(["", "&cursor=a", "&cursor=b"].map((cursor) => `text=rare&limit=5${cursor}`));
});

it("--json gives the first page that has rows, else the last", async () => {
  expect(JSON.parse((await list("--text", "rare", "--json")).out)).toEqual(PAGES["rare b"]);
  expect(JSON.parse((await list("--text", "none", "--json")).out)).toEqual(PAGES["none d"]);
});

it("no events match only when the last page is empty", async () => {
  asked.length = 0;
  expect(await list("--text", "none")).toEqual({ code: 0, out: "", err: "No events match.\n" });
  expect(asked).toHaveLength(2);
});
