// Whose an account is and since when: what is written and told does not depend on whether an event or the connection came first.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { lockOwner } from "../src/connections/owner-locks.ts";
import { recordConnection } from "../src/connect/record-connection.ts";
import type { Database, Queryable } from "../src/db/database.ts";
import { enqueueRoutable } from "../src/inbox/event-tables.ts";
import { processOnce } from "../src/inbox/process.ts";
import { replayRange } from "../src/inbox/replay.ts";
import { newTenant } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice } from "./support/stripe-fixtures-billing.ts";

const ACT = { actor: { kind: "system", id: null }, source: null } as const;
const NOW = Math.floor(Date.now() / 1000);

describe.each(BOTH)("an account, %s database", (kind) => {
  let pipe: Pipe;
  let made = 0;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const newAccount = (): string => `acct_${kind}${String((made += 1))}`;

  async function connect(tenantId: string, account: string, connectedAt: number): Promise<void> {
    const context = { database: pipe.database, platformTenant: pipe.platformTenant, wake: () => undefined };
    const connection = {
      tenantId,
      livemode: false,
      account,
      method: "oauth",
      connectedAt,
      fetched: undefined,
    } as const;
    await recordConnection(context, { ...connection, action: "stripe.connected" }, ACT);
  }

  async function ask(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
    return (await pipe.database.query({ text, values })).rows;
  }

  const disconnected = (account: string, at: number) =>
    ask(
      `update connections set disconnected_at = to_timestamp($2), disconnected_reason = 'disconnected', status = 'disconnected'
       where stripe_account = $1`,
      ...[account, at],
    );

  async function arrive(
    account: string,
    type: string,
    object: Record<string, unknown>,
    created: number,
  ): Promise<void> {
    await pipe.arrive([{ event: { ...event(type, object, { id: `evt_${newId("node")}`, account, created }) } }]);
  }

  /** All that is queued, and then what was nobody's. */
  async function drain(): Promise<void> {
    await pipe.drain();
    await enqueueRoutable(pipe.database, 1000);
    await pipe.drain();
  }

  const toldOf = async (tenant: string): Promise<unknown[]> =>
    (
      await ask(
        "select type from events where tenant_id = $1 and type not like '%.status_changed' order by type",
        tenant,
      )
    ).map(({ type }) => type);

  /** `disconnected` at its time, or never; then connected again. */
  it.each([
    ["is confirmed", undefined],
    ["was disconnected and is connected again", NOW - 500],
  ])("that %s tells what happened since its tenant connected it first, processed before or after", async (_, end) => {
    for (const order of ["before", "after"]) {
      const [tenant, account] = [await newTenant(pipe.database), newAccount()];
      await connect(tenant, account, NOW - 1000);
      if (end !== undefined) await disconnected(account, end);
      const customer = newCustomer({ id: `cus_${account}` });
      const older = newCustomer({ id: `cus_older_${account}` });
      const happened = async (): Promise<void> => {
        await arrive(account, "customer.created", older, NOW - 1001);
        await arrive(account, "customer.created", customer, NOW - 400);
        await drain();
      };
      if (order === "before") await happened();
      await connect(tenant, account, NOW - 300);
      if (order === "after") await happened();
      expect((await toldOf(tenant)).filter((type) => type === "customer.created")).toEqual(["customer.created"]);
      const told = await ask(
        "select object_id as id from events where tenant_id = $1 and type = 'customer.created'",
        ...[tenant],
      );
      expect(told).toEqual([{ id: `cus_${account}` }]);
    }
  });

  it("that another tenant connects tells that one nothing of before", async () => {
    const [first, second, account] = [await newTenant(pipe.database), await newTenant(pipe.database), newAccount()];
    await connect(first, account, NOW - 1000);
    await disconnected(account, NOW - 500);
    await connect(second, account, NOW - 300);
    await arrive(account, "customer.created", newCustomer({ id: `cus_${account}` }), NOW - 400);
    await drain();
    expect(await toldOf(second)).not.toContain("customer.created");
  });

  it("that a process of the version before gives to another tenant tells that one nothing of before either", async () => {
    const [first, second, account] = [await newTenant(pipe.database), await newTenant(pipe.database), newAccount()];
    await connect(first, account, NOW - 1000);
    await ask(
      "update connections set tenant_id = $2, connected_at = to_timestamp($3) where stripe_account = $1",
      ...[account, second, NOW - 300],
    );
    await arrive(account, "customer.created", newCustomer({ id: `cus_before_${account}` }), NOW - 400);
    await arrive(account, "customer.created", newCustomer({ id: `cus_after_${account}` }), NOW - 200);
    await drain();
    const told = await ask(
      "select object_id as id from events where tenant_id = $1 and type = 'customer.created'",
      ...[second],
    );
    expect(told).toEqual([{ id: `cus_after_${account}` }]);
  });

  it("that said how it is before it was connected tells its tenant so, as one that says it after, and again or not", async () => {
    for (const again of [false, true]) {
      const told: unknown[] = [];
      for (const order of ["before", "after"]) {
        const [tenant, account] = [await newTenant(pipe.database), newAccount()];
        const said = { id: account, object: "account", charges_enabled: true, payouts_enabled: true };
        if (order === "before") {
          await arrive(account, "account.updated", said, NOW - 5);
          await drain();
        }
        await connect(tenant, account, NOW - 6);
        if (order === "after") await arrive(account, "account.updated", said, NOW - 5);
        if (again) await arrive(account, "account.updated", said, NOW - 4);
        await drain();
        const rows = await ask("select tenant_id as of from connected_accounts where id = $1", account);
        expect(rows).toEqual([{ of: tenant }]);
        told.push(await toldOf(tenant));
      }
      expect(told[0]).toContain("connected_account.updated");
      expect(told[0]).toEqual(told[1]);
    }
  });

  it("that moves brings its invoices as they stand, and a replay changes nothing of them", async () => {
    const [first, second, account] = [await newTenant(pipe.database), await newTenant(pipe.database), newAccount()];
    await connect(first, account, NOW - 1000);
    const invoice = newInvoice({ id: `in_${account}`, status: "open" });
    await arrive(account, "invoice.payment_failed", invoice, NOW - 900);
    await drain();
    await disconnected(account, NOW - 500);
    await connect(second, account, NOW - 300);
    const look = () =>
      ask(
        "select tenant_id as of, status from connected_invoices where stripe_invoice_id = $1 order by tenant_id = $2",
        ...[`in_${account}`, second],
      );
    const both = [first, second].map((of) => ({ of, status: "payment_failed" }));
    expect(await look()).toEqual(both);
    await replayRange(pipe.database, { types: [] });
    await drain();
    expect(await look()).toEqual(both);
  });
});

describe("an account that moves while a batch is under way", () => {
  it("waits for it, and takes with it what that has written", async () => {
    const pipe = await openPipe("server");
    const { database, platformTenant } = pipe;
    const [first, second] = [await newTenant(database), await newTenant(database)];
    const account = "acct_moves";
    const context = { database, platformTenant, wake: () => undefined };
    const connect = (tenantId: string, connectedAt: number) => {
      const connection = {
        tenantId,
        livemode: false,
        account,
        method: "oauth",
        connectedAt,
        fetched: undefined,
      } as const;
      return recordConnection(context, { ...connection, action: "stripe.connected" }, ACT);
    };
    await connect(first, NOW - 1000);
    await database.query(
      "update connections set disconnected_at = now(), disconnected_reason = 'disconnected', status = 'disconnected'",
    );
    await pipe.arrive([
      { event: { ...event("customer.created", newCustomer({ id: "cus_moves" }), { account, created: NOW - 400 }) } },
    ]);
    let moving: Promise<unknown> | undefined;
    /** Behind the question whose the account is, and before anything is written by the answer. */
    const moveNow = async (): Promise<void> => {
      if (moving !== undefined) return;
      let moved = false;
      moving = connect(second, NOW - 300).then(() => (moved = true));
      const waits = "select from pg_locks where locktype = 'advisory' and not granted";
      await expect.poll(async () => moved || (await database.query(waits)).rows.length > 0).toBe(true);
    };
    const watched = (tx: Queryable): Queryable => ({
      query: async (statement) => {
        const answer = await tx.query(statement);
        if (typeof statement !== "string" && statement.name === "owners_of") await moveNow();
        return answer as never;
      },
    });
    const held: Database = {
      ...database,
      transaction: (work, options) => database.transaction((tx) => work(watched(tx)), options),
    };
    await pipe.drain({ database: held });
    await moving;
    await enqueueRoutable(database, 1000);
    await pipe.drain();
    expect((await database.query("select tenant_id as of from customers")).rows).toEqual([{ of: second }]);
    await pipe.close();
  });

  it("holds up no event of another account, and none of the platform", async () => {
    const pipe = await openPipe("server");
    const { database } = pipe;
    const tenant = await newTenant(database);
    const [moves, stays] = ["acct_moving", "acct_stays"];
    for (const account of [moves, stays])
      await database.transaction((tx) =>
        connectAccount(tx, tenant, { livemode: account === stays, account }, { connectedAt: NOW - 1000 }),
      );
    const say = (id: string, account?: string) => {
      const options = {
        livemode: account === stays,
        created: NOW - 400,
        ...(account === undefined ? {} : { account }),
      };
      return { event: { ...event("customer.created", newCustomer({ id }), { ...options, id: `evt_${id}` }) } };
    };
    await pipe.arrive([say("cus_moves", moves), say("cus_stays", stays), say("cus_platform")]);
    const known = async () => (await database.query<{ id: string }>("select id from customers order by id")).rows;
    await database.transaction(async (tx) => {
      await lockOwner(tx, "server", moves);
      await processOnce({ ...pipe.processOptions() });
      expect(await known()).toEqual([{ id: "cus_platform" }, { id: "cus_stays" }]);
    });
    await pipe.drain();
    expect(await known()).toHaveLength(3);
    await pipe.close();
  });
});
