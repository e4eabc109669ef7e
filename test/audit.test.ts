// The audit log, on both databases: written with the act, never changed, read by its tenant alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { audit, type AuditEntry, readAuditLog } from "../src/audit/audit-log.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

const ENTRY: AuditEntry = {
  tenantId: "ten_1",
  actor: { kind: "person", id: "usr_1" },
  action: "member.role_changed",
  target: "usr_2",
  source: "203.0.113.7",
  before: { role: "member" },
  after: { role: "admin", password: "correct horse" },
};

describe.each(BOTH)("the audit log, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const all = (tenantId: string | null): Promise<string[]> =>
    readAuditLog(pipe.database, { tenantId, limit: 100 }).then(({ items }) => items.map(({ action }) => action));

  it("says who did what, when, from where, before and after, without the secrets", async () => {
    await pipe.database.transaction((tx) => audit(tx, ENTRY));
    const { items, next_cursor } = await readAuditLog(pipe.database, { tenantId: "ten_1", limit: 10 });
    expect(next_cursor).toBeNull();
    expect(items).toEqual([
      {
        ...ENTRY,
        id: expect.stringMatching(/^aud_/),
        at: expect.any(Date),
        after: { role: "admin", password: "[secret]" },
      },
    ]);
    expect(Math.abs((items[0]?.at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    const { rows } = await pipe.database.query("select audit_log::text as row from audit_log");
    expect(JSON.stringify(rows)).not.toContain("correct horse");
  });

  it("holds an act if, and only if, its transaction commits", async () => {
    const act = pipe.database.transaction(async (tx) => {
      await audit(tx, { ...ENTRY, tenantId: "ten_rollback" });
      throw new Error("no");
    });
    await expect(act).rejects.toThrow("no");
    expect(await all("ten_rollback")).toEqual([]);
  });

  it("refuses to be changed, deleted or emptied, also by the database's owner", async () => {
    for (const statement of [
      "update audit_log set action = 'nothing'",
      "delete from audit_log",
      "truncate audit_log",
      "insert into audit_log select * from audit_log on conflict (id) do update set action = 'nothing'",
    ])
      await expect(pipe.database.query(statement)).rejects.toThrow("append-only");
    expect(await all("ten_1")).toEqual(["member.role_changed"]);
  });

  it("shows a tenant its own entries only, newest first, page by page", async () => {
    const actions = Array.from({ length: 7 }, (_, index) => `thing.done_${index}`);
    await pipe.database.transaction(async (tx) => {
      for (const action of actions) {
        await audit(tx, { ...ENTRY, tenantId: "ten_pages", action });
        await audit(tx, { ...ENTRY, tenantId: "ten_other", action: "thing.hidden" });
      }
    });
    const read: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await readAuditLog(pipe.database, { tenantId: "ten_pages", limit: 3, cursor });
      expect(page.items.length).toBeLessThanOrEqual(3);
      read.push(...page.items.map(({ action }) => action));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(read).toEqual(actions.toReversed());
    expect(new Set(await all("ten_other"))).toEqual(new Set(["thing.hidden"]));
    await expect(readAuditLog(pipe.database, { tenantId: "ten_pages", limit: 3, cursor: "x" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  it("holds acts that belong to no tenant, and text that PostgreSQL refuses", async () => {
    await audit(pipe.database, {
      tenantId: null,
      actor: { kind: "system", id: null },
      action: "sign_in.failed",
      target: "a\0b",
      source: null,
      before: { name: "\ud800" },
    });
    const { items } = await readAuditLog(pipe.database, { tenantId: null, limit: 10 });
    expect(items).toMatchObject([{ target: "a\ufffdb", before: { name: "\ufffd" }, after: null, source: null }]);
  });
});
