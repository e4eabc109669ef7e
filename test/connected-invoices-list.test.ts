// The list of connected invoices to the microsecond: what `created` names, and pages whose rows go.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { type Door, openDoor, type Wire } from "./support/api-door.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const ACCOUNT = "acct_listed";
/** Of what was made within one second; the database keeps microseconds, answers have milliseconds. */
const TIMES = ["00.200000", "00.200001", "00.200999", "00.400000", "00.600000", "01.000000"].map(
  (seconds) => `2026-01-31T00:00:${seconds}Z`,
);
const [AT_200, AT_400, AT_600, AT_1000] = ["00.200Z", "00.400Z", "00.600Z", "01.000Z"].map(
  (seconds) => `2026-01-31T00:00:${seconds}`,
);

describe.each(BOTH)("connected invoices on the %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  let ids: string[];
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
    await connectActive(door.pipe.database, tenant.id, ACCOUNT);
  });
  afterAll(async () => door.close());

  beforeEach(async () => {
    await door.pipe.database.query("delete from connected_invoices");
    ids = TIMES.map(() => newId("cinv"));
    for (const [place, time] of TIMES.entries())
      await door.pipe.database.query({
        text: `insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, customer_email, currency, items,
                 total, status, stripe_invoice_id, created_at)
               values ($1, $2, false, $3, 'billhook', 'x@example.com', 'usd', '[]', 100, $4, $5, $6::timestamptz)`,
        values: [tenant.id, ids[place], ACCOUNT, place % 2 === 0 ? "paid" : "pending", `in_${String(place)}`, time],
      });
  });

  const list = (query: string) => send(door, "GET", `/accounts/invoices/?${query}`, { token: tenant.keys.test_secret });
  const rowsOf = ({ json }: { json: Wire }): Wire[] => json.data as Wire[];

  it.each([
    [`created[gt]=${AT_200}`, [AT_1000, AT_600, AT_400]],
    [`created[gte]=${AT_400}`, [AT_1000, AT_600, AT_400]],
    [`created[lt]=${AT_400}`, [AT_200, AT_200, AT_200]],
    [`created[lte]=${AT_200}`, [AT_200, AT_200, AT_200]],
    [`created[lt]=${AT_200}`, []],
    [`created[gt]=${AT_200}&created[lt]=${AT_600}`, [AT_400]],
    [`created[gte]=${AT_400}&created[lte]=${AT_400}&status=pending,paid`, [AT_400]],
    ["created[gt]=1769817600", [AT_1000, AT_600, AT_400, AT_200, AT_200, AT_200]],
    [
      "created[gte]=2026-01-31&created[lt]=2026-02-01T00:00:00%2B00:00",
      [AT_1000, AT_600, AT_400, ...[1, 2, 3].map(() => AT_200)],
    ],
  ])("are found by %s as their answers tell their times", async (query, expected) => {
    const found = await list(query);
    expect([found.status, rowsOf(found).map(({ created_at }) => created_at)]).toEqual([200, expected]);
  });

  it.each([
    "2026-02-31",
    "2026-02-29T12:00:00Z",
    "2100-02-29",
    "2026-04-31T00:00:00+02:00",
    "2026-00-01",
    "2026-01-00",
    "2026-13-01",
  ])("are not looked for on %s, which is no day", async (day) => {
    for (const field of ["created[gt]", "created[gte]", "created[lt]", "created[lte]"]) {
      const { status, json } = await list(`${field}=${encodeURIComponent(day)}`);
      expect([status, json.param]).toEqual([400, field]);
    }
  });

  it("are looked for on the days that leap years have", async () => {
    for (const day of ["2024-02-29", "2000-02-29T00:00:00Z", "2026-12-31"])
      expect([day, (await list(`created[gte]=${day}`)).status]).toEqual([day, 200]);
  });

  it.each(["", "&status=paid,pending", "&customer_email=x@example.com"])(
    "are all there page by page%s, newest first, also within one millisecond and when the last one shown is gone",
    async (filter) => {
      const seen: string[] = [];
      for (let cursor = ""; ;) {
        const { status, json } = await list(`limit=1${filter}${cursor}`);
        expect(status).toBe(200);
        const [row] = json.data as { id: string }[];
        seen.push(row?.id ?? "");
        await door.pipe.database.query({ text: "delete from connected_invoices where id = $1", values: [row?.id] });
        if (typeof json.next_cursor !== "string") break;
        cursor = `&cursor=${json.next_cursor}`;
      }
      expect(seen).toEqual(ids.toReversed());
    },
  );

  it("are not listed behind a cursor of the wrong form or with a time that is none", async () => {
    const [id] = ids;
    for (const place of [[id], [1, "msg_1"], [0.5, id], [1e300, id], ["2026-01-31", id], [null, id], [1, id, 1]]) {
      const cursor = Buffer.from(JSON.stringify(place)).toString("base64url");
      const { status, json } = await list(`cursor=${cursor}`);
      expect([place, status, json.param]).toEqual([place, 400, "cursor"]);
    }
    for (const micros of [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      const cursor = Buffer.from(JSON.stringify([micros, id])).toString("base64url");
      expect([micros, (await list(`cursor=${cursor}`)).status]).toEqual([micros, 200]);
    }
  });
});
