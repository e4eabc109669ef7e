// The doctor and the database: each thing that it knows is broken, and its finding read; on both databases.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { check } from "../src/operations/doctor-check.ts";
import { diagnose } from "../src/operations/doctor.ts";
import { CHECKS } from "../src/operations/doctor-checks.ts";
import { type DoctorScene, openDoctorScene } from "./support/doctor-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newCustomer, newInvoice } from "./support/stripe-fixtures-billing.ts";

const now = (): number => Math.floor(Date.now() / 1000);

describe.each(BOTH)("the doctor's look at the database, %s", (kind) => {
  let scene: DoctorScene;
  beforeAll(async () => {
    scene = await openDoctorScene(kind);
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    expect(await scene.troubles()).toEqual([]);
  });

  const query = async (text: string, values: unknown[] = []) =>
    (await scene.door.pipe.database.query({ text, values })).rows;
  const send = async (body: object): Promise<void> => {
    const { status, text } = await scene.send(body);
    expect([status, text]).toEqual([200, '{"status":"success"}']);
  };
  const drain = (more = {}): Promise<void> => scene.door.pipe.drain(more);

  it("makes every check of a Billhook that is in order, and finds no trouble", async () => {
    const report = await scene.report();
    expect(report.findings.filter(({ severity }) => severity !== "ok" && severity !== "notice")).toEqual([]);
    expect(report.checks.map(({ code, outcome }) => [code, outcome === "failed" || outcome === "skipped"])).toEqual(
      CHECKS.map(({ code }) => [code, false]),
    );
  });

  it("an index that is gone: its statement makes it again", async () => {
    for (const index of ["stripe_events_id", "accounts_email", "customers_flagged"]) {
      const [before] = await query("select indexdef from pg_indexes where indexname = $1", [index]);
      await query(`drop index ${index}`);
      const { subject, mend } = await scene.finding("index_missing");
      expect(subject).toBe(index);
      await query(mend.replace("Run in the database: ", ""));
      expect(await query("select indexdef from pg_indexes where indexname = $1", [index])).toEqual([before]);
    }
  });

  it("an index that was left half made", async () => {
    const set = (valid: boolean) =>
      query("update pg_index set indisvalid = $1 where indexrelid = 'customers_flagged'::regclass", [valid]);
    await set(false);
    expect((await scene.finding("index_invalid")).mend).toContain("reindex index concurrently customers_flagged");
    await set(true);
  });

  it("a migration that is pending, one that was changed, and one that is newer", async () => {
    const [last] = await query(
      "delete from billhook_migrations where number = (select max(number) from billhook_migrations) returning *",
    );
    const { cause, mend } = await scene.finding("schema_pending");
    expect([cause.includes(String(last?.name)), mend.includes("billhook migrate")]).toEqual([true, true]);
    const insert = (number: unknown, name: unknown, checksum: unknown) =>
      query("insert into billhook_migrations (number, name, checksum) values ($1, $2, $3)", [number, name, checksum]);
    await insert(last?.number, last?.name, "another");
    expect((await scene.finding("schema_broken")).subject).toBe(last?.name);
    await query("update billhook_migrations set checksum = $1 where number = $2", [last?.checksum, last?.number]);
    await insert(Number(last?.number) + 1, "9999_later", "later");
    expect((await scene.finding("schema_newer")).severity).toBe("notice");
    await query("delete from billhook_migrations where name = '9999_later'");
  });

  // Embedded its statistics begin anew with each process, which alone reads it.
  if (kind === "server")
    it("a large table that is read as a whole again and again", async () => {
      await query("create table scanned as select n from generate_series(1, 60000) as n");
      await query("analyze scanned");
      // On one connection, which tells its own counts; `offset 0` makes it a scan for each turn.
      await query(
        "select pg_stat_force_next_flush(), count(found) from generate_series(1, 510) as turn cross join lateral (select n as found from scanned where n = -turn offset 0) as one",
      );
      expect(await scene.finding("table_scanned")).toMatchObject({ subject: "scanned" });
      await query("drop table scanned");
    });

  it("events that wait, longer and too long", async () => {
    await send(event("customer.created", newCustomer({ id: "cus_waits" }), { created: now(), apiVersion: NEW_API }));
    for (const [age, code] of [
      ["5 minutes", "events_late"],
      ["1 hour", "events_stuck"],
    ] as const) {
      await query(`update stripe_event_queue set queued_at = now() - interval '${age}'`);
      expect((await scene.finding(code)).mend).toContain("billhook serve");
    }
    await drain();
  });

  it("an event that was given up, with its error and the command that replays it", async () => {
    const failing = { id: "evt_fails", created: now(), apiVersion: NEW_API };
    await query(
      `create function refuse_it() returns trigger language plpgsql as $$ begin raise exception 'refused on purpose'; end $$`,
    );
    await query("create trigger refuse_it before insert on customers for each row execute function refuse_it()");
    await send(event("customer.created", newCustomer({ id: "cus_fails" }), failing));
    await drain({ maxAttempts: 1 });
    await query("drop trigger refuse_it on customers");
    await query("drop function refuse_it");
    const { subject, cause, mend } = await scene.finding("events_failed");
    expect([subject, cause.includes("refused on purpose")]).toEqual(["evt_fails", true]);
    expect(mend).toContain("billhook events replay --status failed");
    await scene.door.admin("POST", "stripe-events/evt_fails/replay/", {});
    await drain();
  });

  it("events of an account that no tenant has connected", async () => {
    const stranger = { created: now(), apiVersion: NEW_API, account: "acct_stranger" };
    await send(event("customer.created", newCustomer({ id: "cus_strange" }), stranger));
    await drain();
    const { subject, mend } = await scene.finding("events_unrouted");
    expect([subject, mend.includes("acct_stranger")]).toEqual(["acct_stranger", true]);
    await query("delete from stripe_event_outcomes");
  });

  it("rows of a shape that nobody knows", async () => {
    const strange = newInvoice({ id: "in_strange", amount_due: "a lot", created: null });
    await send(event("invoice.created", strange, { created: now(), apiVersion: NEW_API }));
    await drain();
    expect((await scene.finding("shapes_unknown")).mend).toContain("billhook drift --repair");
    await query("update invoices set unread_fields = '{}'");
  });

  it("objects that Stripe does not give", async () => {
    await query(
      "insert into stripe_fetches (livemode, stripe_account, object_type, object_id, since, reason, attempts, last_error) values (false, '', 'customer', 'cus_lost', 1, 'tie', 6, 'connect ECONNREFUSED')",
    );
    expect((await scene.finding("fetches_failing")).cause).toMatch(/cus_lost.*ECONNREFUSED/);
    await query("delete from stripe_fetches");
  });

  it("a catch-up that fails, and events that Stripe lists no longer", async () => {
    const insert =
      "insert into catch_ups (livemode, stripe_account, covered_until, last_error, missed_since, missed_until)";
    await query(`${insert} values (false, 'acct_behind', 1700000000, 'No such account', 1690000000, 1695000000)`);
    expect((await scene.finding("catch_up_failing")).mend).toContain("--account acct_behind");
    expect((await scene.finding("events_missed")).mend).toMatch(/^Run `billhook import`, without/);
    await query("delete from catch_ups");
  });

  it("a check that throws or does not come to an end is a finding itself, and keeps no other from being made", async () => {
    const { door } = scene;
    const context = {
      ...door.deps.doctor,
      database: door.pipe.database,
      stripe: door.deps.stripe,
      clock: door.deps.clock,
    };
    const of = (code: string, look: () => Promise<never>) =>
      check({ code, title: `The ${code} one`, needs: "nothing", look, judge: () => [] });
    const checks = [
      of("throwing", async () => Promise.reject(new Error("no such thing"))),
      of("endless", () => new Promise(() => undefined)),
      ...CHECKS.filter(({ code }) => code === "migrations"),
    ];
    const report = await diagnose(context, { checks, withinMs: 3_000 });
    expect(report.checks.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "ok"]);
    expect(report.findings.map(({ code, cause }) => [code, cause])).toEqual([
      ["check_failed", "The throwing one: no such thing"],
      ["check_failed", "The endless one: no answer within 3 seconds"],
    ]);
  });
});
