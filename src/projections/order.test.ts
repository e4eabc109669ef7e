import { describe, expect, it } from "vitest";

import type { Observation } from "./observation.ts";
import { compareOrder, isPast, orderOf, settleTie } from "./order.ts";
import { type Projection, projection } from "./projection.ts";

const plain = projection({
  objects: ["thing"],
  table: "things",
  columns: { status: "text" },
  row: () => ({ status: null }),
});

function seen(id: string, object: Record<string, unknown>, more: Partial<Observation> = {}): Observation {
  return {
    id,
    source: "webhook",
    type: "thing.updated",
    created: 10,
    livemode: false,
    account: "",
    apiVersion: null,
    objectType: "thing",
    objectId: "th_1",
    object,
    ...more,
  };
}

function greater(kind: Projection, a: Observation, b: Observation): boolean {
  return compareOrder(orderOf(a, kind), orderOf(b, kind)) > 0;
}

describe("true order", () => {
  it("puts a tombstone above whatever is younger, but only for kinds whose ids never return", () => {
    const gone = seen("evt_1", {}, { type: "thing.deleted", created: 5 });
    const later = seen("evt_2", {}, { created: 6 });
    expect(greater({ ...plain, tombstone: true }, gone, later)).toBe(true);
    expect(greater(plain, gone, later)).toBe(false);
  });

  it("puts a terminal snapshot above a younger one that is not, and under a younger terminal one", () => {
    const kind: Projection = { ...plain, terminal: (object) => object.status === "paid" };
    const paid = seen("evt_1", { status: "paid" }, { created: 5 });
    expect(greater(kind, paid, seen("evt_2", { status: "open" }, { created: 9 }))).toBe(true);
    expect(greater(kind, seen("evt_3", { status: "paid" }, { created: 9 }), paid)).toBe(true);
  });

  it("orders one second as created, changed, deleted, fetched", () => {
    const created = seen("evt_9", {}, { type: "thing.created" });
    const changed = seen("evt_3", {});
    const deleted = seen("evt_2", {}, { type: "thing.deleted" });
    const fetched = seen("obs_1", {}, { source: "pull", type: "thing.retrieved" });
    expect(greater(plain, changed, created)).toBe(true);
    expect(greater(plain, deleted, changed)).toBe(true);
    expect(greater(plain, fetched, deleted)).toBe(true);
  });
});

describe("a tie within one second", () => {
  it("is won by the observation that names the other as its past", () => {
    const first = seen("evt_z", { status: "A" });
    const second = seen("evt_a", { status: "B" }, { previous: { status: "A" } });
    expect(settleTie([first, second], plain)).toEqual({ observation: second, ambiguous: false });
    expect(settleTie([second, first], plain)).toEqual({ observation: second, ambiguous: false });
  });

  it("A→B→A is ambiguous, and comes out the same whatever came first", () => {
    const toB = seen("evt_1", { status: "B" }, { previous: { status: "A" } });
    const toA = seen("evt_2", { status: "A" }, { previous: { status: "B" } });
    expect(settleTie([toB, toA], plain)).toEqual({ observation: toA, ambiguous: true });
    expect(settleTie([toA, toB], plain)).toEqual({ observation: toA, ambiguous: true });
  });

  it("of equal states is no ambiguity", () => {
    const paid = seen("evt_1", { status: "paid", lines: [{ a: 1, b: 2 }] });
    const succeeded = seen("evt_2", { lines: [{ b: 2, a: 1 }], status: "paid" });
    expect(settleTie([paid, succeeded], plain)).toEqual({ observation: succeeded, ambiguous: false });
  });

  it("of equal states is one where what happened is in the type alone", () => {
    const kind: Projection = { ...plain, saidByType: true };
    const [here, gone] = [seen("evt_1", { id: "ca_1" }), { ...seen("evt_2", { id: "ca_1" }), type: "a.deauthorized" }];
    expect(settleTie([here, gone], kind)).toEqual({ observation: gone, ambiguous: true });
    expect(settleTie([here, { ...gone, type: here.type }], kind)).toMatchObject({ ambiguous: false });
  });

  it("is won by the greatest rank where the kind declares one", () => {
    const kind: Projection = { ...plain, rank: (object) => [object.n as number] };
    const low = seen("evt_9", { n: 1 });
    const high = seen("evt_1", { n: 2 });
    expect(settleTie([low, high], kind)).toEqual({ observation: high, ambiguous: false });
  });
});

describe("previous_attributes", () => {
  it("match hashes by subset, arrays by index, and null as absent", () => {
    const object = { status: "open", card: { brand: "visa", last4: "4242" }, items: [{ id: 1, qty: 2 }, { id: 2 }] };
    expect(isPast({ card: { brand: "visa" } }, object)).toBe(true);
    expect(isPast({ items: [{ qty: 2 }] }, object)).toBe(true);
    expect(isPast({ items: [{}, { id: 3 }] }, object)).toBe(false);
    expect(isPast({ paid_at: null, card: { brand: "visa", wallet: null } }, object)).toBe(true);
    expect(isPast({ status: "draft" }, object)).toBe(false);
  });

  it("that are empty name nothing", () => {
    expect(isPast({}, { status: "open" })).toBe(false);
  });
});
