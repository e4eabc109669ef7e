// What tenants can read of their events over HTTP, on both databases: the catalogue, lists, one event, sending it again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { timeOfId } from "../src/base/ids.ts";
import { matchesPattern } from "../src/outbox/event-types.ts";
import { deleteOldEvents, publishEvents } from "../src/outbox/event-table.ts";
import { type Answer, type Door, openDoor, type Wire } from "./support/api-door.ts";
import { addMember, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const EVENTS = "/api/v1/events/";

interface EventView extends Wire {
  id: string;
  type: string;
  created: string;
  created_at: string;
  data: { object: Wire };
}

const listed = ({ json }: Answer): EventView[] => json.data as EventView[];

describe.each(BOTH)("a tenant's events, %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  let other: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
    other = await registerTenant(door);
  });
  afterAll(async () => door.close());

  const get = (path: string, token = tenant.keys.test_secret): Promise<Answer> => send(door, "GET", path, { token });
  const post = (path: string, body: unknown = {}, token = tenant.keys.test_secret): Promise<Answer> =>
    send(door, "POST", path, { body, token });

  async function publish(type: string, objectId: string, livemode = false, of = tenant): Promise<void> {
    const object = { id: objectId, object: "invoice" };
    await door.pipe.database.transaction((tx) =>
      publishEvents(tx, [{ tenantId: of.id, livemode, type, objectType: "invoice", objectId, object }]),
    );
  }

  async function newEndpoint(body: Wire = {}, token = tenant.keys.test_secret): Promise<string> {
    const answer = await post("/api/v1/webhook-endpoints/", { url: "https://example.com/hook", ...body }, token);
    if (answer.status !== 201) throw new Error(answer.text);
    return String(answer.json.id);
  }

  it("the catalogue is for anyone: every type with a schema and an example of it", async () => {
    const { status, json } = await door.call("GET", "/api/v1/event-types/");
    const types = json.data as { type: string; schema: Wire; example: Wire; object: string }[];
    expect([status, json.api_version]).toEqual([200, "2026-11-21"]);
    const paid = types.find(({ type }) => type === "invoice.paid");
    expect(paid).toMatchObject({ object: "invoice", example: { status: "paid", paid: true } });
    expect(Object.keys(paid?.schema.properties as Wire)).toEqual(Object.keys(paid?.example ?? {}));
    expect(types.some(({ type }) => matchesPattern("credit.*", type))).toBe(true);
  });

  it("the catalogue's schemas take an event with a field that came later, and none that says something else", async () => {
    const { json } = await door.call("GET", "/api/v1/event-types/");
    const types = json.data as { type: string; schema: Wire; example: Wire }[];
    const forbids = types.filter(({ schema }) => JSON.stringify(schema).includes('"additionalProperties":false'));
    expect(forbids.map(({ type }) => type)).toEqual([]);
    for (const { type, schema, example } of types) {
      const takes = (event: Wire) => z.fromJSONSchema(schema).safeParse(event).success;
      const events = [example, { ...example, came_later: 1 }, { ...example, object: "another" }];
      expect([type, ...events.map(takes)]).toEqual([type, true, true, false]);
    }
  });

  it("lists newest first, page by page, and filters by type, family, object and time", async () => {
    for (const [index, type] of ["invoice.paid", "invoice.voided", "invoice.paid", "refund.created"].entries())
      await publish(type, index === 3 ? "re_list" : `in_list${String(index % 2)}`);
    const types = async (query: string): Promise<string[]> =>
      listed(await get(`${EVENTS}?${query}`)).map(({ type }) => type);
    const all = listed(await get(`${EVENTS}?limit=4`));
    expect(all.map(({ type }) => type)).toEqual(["refund.created", "invoice.paid", "invoice.voided", "invoice.paid"]);
    expect(await types("type=invoice.paid")).toEqual(["invoice.paid", "invoice.paid"]);
    expect(await types("type=invoice.*")).toEqual(["invoice.paid", "invoice.voided", "invoice.paid"]);
    expect(await types("object_id=in_list0")).toEqual(["invoice.paid", "invoice.paid"]);
    expect((await types("type=key.created")).length).toBe(2);
    const seen: string[] = [];
    for (let cursor = ""; ;) {
      const page = await get(`${EVENTS}?type=invoice.*&limit=2${cursor}`);
      seen.push(...listed(page).map(({ id }) => id));
      if (page.json.has_more !== true) break;
      cursor = `&cursor=${String(page.json.next_cursor)}`;
    }
    expect(seen).toEqual(all.slice(1).map(({ id }) => id));
    expect(await types(`since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual([]);
    expect(await types("until=2026-01-01T00:00:00Z")).toEqual([]);
    expect((await types("since=2026-01-01T00:00:00Z&type=refund.*")).length).toBe(1);
    // To the millisecond, as `created_at` says it.
    const [newest = { id: "" }] = all;
    const at = (after: number): string => new Date(timeOfId(newest.id) + after).toISOString();
    expect(await types(`since=${at(0)}&type=refund.*`)).toEqual(["refund.created"]);
    expect(await types(`since=${at(1)}&type=refund.*`)).toEqual([]);
    expect(await types(`until=${at(1)}&type=refund.*`)).toEqual(["refund.created"]);
    expect(await types(`until=${at(0)}&type=refund.*`)).toEqual([]);
  });

  it("refuses a type that there is not and a cursor of its own making, and says what to do", async () => {
    for (const query of ["type=invoice.none", "type=inv*", "cursor=x", "limit=0", "since=yesterday", "none=1"]) {
      const { status, json } = await get(`${EVENTS}?${query}`);
      expect([query, status, json.code]).toEqual([query, 400, "invalid_request"]);
    }
  });

  it("shows an event with the body that is delivered, and its deliveries", async () => {
    const endpoint = await newEndpoint({ enabled_events: ["invoice.*"] });
    await publish("invoice.paid", "in_shown");
    const [event] = listed(await get(`${EVENTS}?object_id=in_shown`));
    const { status, json } = await get(`${EVENTS}${event?.id ?? ""}/`);
    const { body, deliveries } = json as { body: Wire; deliveries: Wire[] };
    expect([status, json.id, json.object_id]).toEqual([200, event?.id, "in_shown"]);
    expect(body).toEqual({
      ...{ id: event?.id, object: "event", api_version: "2026-11-21", type: "invoice.paid", livemode: false },
      created: Math.floor(Date.parse(event?.created ?? "") / 1000),
      data: { object: { id: "in_shown", object: "invoice" } },
      tenant: { id: tenant.id, company_name: `Company of ${tenant.email}` },
    });
    expect(deliveries).toMatchObject([{ endpoint_id: endpoint, status: "pending", attempts: 0 }]);
  });

  it("shows nobody another tenant's events, nor those of the other mode, and members only to read", async () => {
    await publish("invoice.paid", "in_live", true);
    await publish("invoice.paid", "in_other", false, other);
    expect(listed(await get(`${EVENTS}?object_id=in_live`))).toEqual([]);
    expect(listed(await get(`${EVENTS}?object_id=in_other`))).toEqual([]);
    const [live] = listed(await get(`${EVENTS}?object_id=in_live`, tenant.keys.live_secret));
    expect(live?.livemode).toBe(true);
    for (const token of [tenant.keys.test_secret, other.keys.live_secret]) {
      expect((await get(`${EVENTS}${live?.id ?? ""}/`, token)).status).toBe(404);
      expect((await post(`${EVENTS}${live?.id ?? ""}/resend/`, {}, token)).status).toBe(404);
    }
    const member = await addMember(door, tenant, "member");
    const [own] = listed(await get(EVENTS));
    expect(listed(await get(EVENTS, member.access))[0]).toEqual(own);
    expect((await post(`${EVENTS}${own?.id ?? ""}/resend/`, {}, member.access)).status).toBe(403);
  });

  it("sends an event again to whoever takes it, under the same delivery", async () => {
    const takes = await newEndpoint({ enabled_events: ["refund.*"] });
    const takesNot = await newEndpoint({ enabled_events: ["payout.*"] });
    await publish("refund.created", "re_again");
    const [event] = listed(await get(`${EVENTS}?object_id=re_again`));
    const path = `${EVENTS}${event?.id ?? ""}/`;
    const before = (await get(path)).json.deliveries as Wire[];
    expect(before.map(({ endpoint_id: endpoint }) => endpoint)).toEqual([takes]);
    await door.pipe.database.query("delete from delivery_queue");
    await door.pipe.database.query("update deliveries set status = 'delivered', ended_at = now()");
    const again = await post(`${path}resend/`);
    expect([again.status, again.json.data]).toMatchObject([202, [{ id: before[0]?.id, status: "pending" }]]);
    const there = await post(`${path}resend/`, { endpoint_id: takesNot });
    expect(there.json.data).toMatchObject([{ endpoint_id: takesNot, status: "pending" }]);
    expect((await get(path)).json.deliveries).toHaveLength(2);
  });

  it("refuses to send again to an endpoint that is not there, is another tenant's, or is disabled", async () => {
    const theirs = await newEndpoint({}, other.keys.test_secret);
    const disabled = await newEndpoint();
    await post(`/api/v1/webhook-endpoints/${disabled}/disable/`);
    await publish("invoice.sent", "in_refused");
    const [event] = listed(await get(`${EVENTS}?object_id=in_refused`));
    const resend = async (endpoint_id: string): Promise<unknown[]> => {
      const { status, json } = await post(`${EVENTS}${event?.id ?? ""}/resend/`, { endpoint_id });
      return [status, json.code];
    };
    expect(await resend("whe_none")).toEqual([404, "not_found"]);
    expect(await resend(theirs)).toEqual([404, "not_found"]);
    expect(await resend(disabled)).toEqual([409, "endpoint_disabled"]);
  });

  it("forgets events after their days, but none that somebody still waits for", async () => {
    await newEndpoint({ enabled_events: ["payout.paid"] });
    await publish("payout.paid", "po_waits");
    await publish("payout.failed", "po_old");
    await door.pipe.database.query(
      "update events set created_at = now() - interval '91 days' where object_id like 'po_%'",
    );
    await door.pipe.database.query(
      "update deliveries set status = 'failed', ended_at = now() where event_id in (select id from events where object_id = 'po_old')",
    );
    if (kind === "server") {
      // By month there: see test/partitions.test.ts. One by one go those that stand outside of the months.
      expect(await deleteOldEvents(door.pipe.database, 90, 100)).toBe(0);
      await door.pipe.database.query(
        "update events set id = overlay(id placing '7zzzzzzzzz' from 5) where object_id like 'po_%'",
      );
      await door.pipe.database.query(
        "update deliveries set event_id = (select id from events where object_id = 'po_waits') where status = 'pending' and event_id not in (select id from events)",
      );
    }
    expect(await deleteOldEvents(door.pipe.database, 90, 1)).toBe(1);
    expect(await deleteOldEvents(door.pipe.database, 90, 100)).toBe(0);
    expect(listed(await get(`${EVENTS}?type=payout.*`)).map(({ object_id: id }) => id)).toEqual(["po_waits"]);
  });
});
