// Statements that the server cancels, or has no memory for: who asked is told to ask again, at once, and nothing is lost.
import { afterAll, beforeAll, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import type { Database } from "../src/db/database.ts";
import { receiver } from "../src/inbox/receive.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET } from "./support/api-door.ts";
import { registerTenant, send } from "./support/people.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";

let door: Door;
/** The events of each statement that stores some. */
const asked: string[][] = [];
/** With this code they fail; undefined: as the server says. */
let failing: string | undefined;

function watched(database: Database): Database {
  const query: Database["query"] = (statement) => {
    if (typeof statement === "string" || statement.name !== "insert_events") return database.query(statement);
    asked.push([
      ...new Set(
        (statement.values ?? [])
          .map(String)
          .join(" ")
          .match(/evt_(canceled|53200)_\d+_/g),
      ),
    ]);
    if (failing === undefined) return database.query(statement);
    return Promise.reject(Object.assign(new Error("out of memory"), { code: failing }));
  };
  return { ...database, query };
}

beforeAll(async () => {
  door = await openDoor("server", {
    deps: (database) => ({
      receiver: receiver({
        ...{ database: watched(database), clock: systemClock, log: silentLog, platformTenant: "ten_platform" },
        secrets: [{ secret: SIGNING_SECRET, name: "STRIPE_WEBHOOK_SECRET" }],
        ...{ allowUnsigned: false, maxWaiting: 1000, maxWaitingBytes: 64 * 1024 * 1024 },
        metrics: { received: () => undefined, batch: () => undefined },
        onStored: () => undefined,
      }),
    }),
  });
});
afterAll(() => door.close());

/** Connections that are opened from now on have it, and those that there are end. */
async function limitStatements(): Promise<void> {
  await door.pipe.database.query(
    "do $$ begin execute format('alter database %I set statement_timeout = 400', current_database()); end $$",
  );
  await door.pipe.database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
}

/** What comes while a table is locked. */
async function whileLocked<T>(table: string, work: () => Promise<T>): Promise<T> {
  return door.pipe.database.transaction(
    async (tx) => {
      await tx.query(`lock table ${table} in access exclusive mode`);
      return work();
    },
    { unhurried: true },
  );
}

const webhooks = (prefix: string): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: 12 }, (_, number) => {
      const id = `evt_${prefix}_${number}_`;
      const customer = newCustomer({ id: `cus_${id}` });
      return door.webhook(JSON.stringify(event("customer.created", customer, { id, apiVersion: NEW_API })));
    }),
  );
const statuses = (answers: readonly Answer[]): unknown[] => [
  ...new Set(answers.map(({ status, headers }) => `${status} ${headers.has("retry-after") ? "again" : ""}`)),
];

it.each(["canceled", "53200"])(
  "webhooks whose statement fails as a whole (%s) are each tried once, answered 503, and stored when they come again",
  async (how) => {
    if (how === "canceled") await limitStatements();
    else failing = how;
    asked.length = 0;
    const refused = how === "canceled" ? await whileLocked("stripe_events", () => webhooks(how)) : await webhooks(how);
    failing = undefined;
    expect(statuses(refused)).toEqual(["503 again"]);
    expect(asked.flat().sort()).toEqual(Array.from({ length: 12 }, (_, number) => `evt_${how}_${number}_`).sort());
    const before = await door.storedEvents();
    expect(statuses(await webhooks(how))).toEqual(["200 "]);
    expect(await door.storedEvents()).toBe(before + 12);
  },
);

it("spends whose statement is canceled are answered 503 without being tried in parts, and each is carried out once when it comes again", async () => {
  await limitStatements();
  const { keys } = await registerTenant(door);
  const token = keys.test_secret;
  const { json } = await send(door, "POST", "/api/v1/accounts/", { token, body: {} });
  const path = `/api/v1/accounts/${String(json.id)}/credits`;
  const post = (what: string, amount: number, key: string): Promise<Answer> =>
    send(door, "POST", `${path}/${what}/`, {
      token,
      body: { amount, reason: "test" },
      headers: { "idempotency-key": key },
    });
  await post("grant", 100, "granted");
  const spends = (): Promise<Answer[]> =>
    Promise.all(Array.from({ length: 12 }, (_, number) => post("spend", 1, `spent-${number}`)));
  const begun = performance.now();
  expect(statuses(await whileLocked("credit_balances", spends))).toEqual(["503 again"]);
  // In parts it would be 23 statements of 0.4 s, one behind the other.
  expect(performance.now() - begun).toBeLessThan(6_000);
  expect(statuses(await spends())).toEqual(["201 "]);
  expect(statuses(await spends())).toEqual(["201 "]);
  expect((await send(door, "GET", `/api/v1/accounts/${String(json.id)}/`, { token })).json.credit_balance).toBe(88);
});
