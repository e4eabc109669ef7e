import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fold, type FoldedRow, secondToLoad, type StoredHead } from "../projections/fold.ts";
import type { Observation } from "../projections/observation.ts";
import { projection, type Projection } from "../projections/projection.ts";
import { baselineOf } from "./baselines.ts";

const KEY = { livemode: false, account: "", objectType: "thing", objectId: "th_1" };
const COLUMNS = { status: "text", step: "bigint", invoice_id: "text", charge_id: "text" } as const;

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

const kindOf = (more: Partial<Projection>): Projection => ({
  ...projection({
    objects: ["thing"],
    table: "things",
    columns: COLUMNS,
    keeps: ["invoice_id", "charge_id"],
    row: (object) => ({
      status: textOf(object.status) ?? undefined,
      step: typeof object.step === "number" ? object.step : null,
      invoice_id: textOf(object.invoice),
      charge_id: textOf(object.charge),
    }),
    updated: "thing.updated",
    tracked: ["status"],
  }),
  ...more,
});

/** What the registry's kinds differ in: their ends, their ranks, and what they keep. */
const KINDS: Readonly<Record<string, Projection>> = {
  "that ends for ever and has ranks": kindOf({
    tombstone: true,
    terminal: (object) => object.status === "done",
    rank: (object) => [typeof object.step === "number" ? object.step : 0],
  }),
  "whose id may return": kindOf({ terminal: (object) => object.status === "done" }),
  "without an end": kindOf({}),
};

const KINDS_OF_NEWS = [
  ...(["created", "updated", "updated", "updated", "deleted", "pull"] as const),
  ...(["gone", "deleted stub", "updated stub", "deleted whole"] as const),
];

const observation = fc
  .record({
    second: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom(...KINDS_OF_NEWS),
    status: fc.constantFrom("new", "open", "late", "done"),
    step: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
    invoice: fc.option(fc.constantFrom("in_1", "in_2"), { nil: undefined }),
    charge: fc.option(fc.constantFrom("ch_1", "ch_2"), { nil: undefined }),
    before: fc.option(fc.record({ status: fc.constantFrom("new", "open", "late", "done") }), { nil: undefined }),
  })
  .map(({ second, kind, before, ...fields }): Omit<Observation, "id"> => {
    const fetched = kind === "pull" || kind === "gone";
    const stub = kind === "gone" || kind === "deleted stub" || kind === "updated stub";
    const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return {
      ...KEY,
      source: fetched ? "pull" : "webhook",
      type: fetched ? "thing.retrieved" : `thing.${kind.split(" ")[0] ?? ""}`,
      created: second,
      apiVersion: null,
      object: {
        id: "th_1",
        object: "thing",
        ...(stub ? { deleted: true } : said),
        ...(kind === "deleted whole" ? { deleted: true } : {}),
      },
      ...(before === undefined || fetched ? {} : { previous: before }),
    };
  });

const life = fc
  .array(observation, { minLength: 1, maxLength: 10 })
  .map((list) => list.map((one, index): Observation => ({ ...one, id: `evt_${index}` })));

/** The inbox without a database; `stored` is changed. */
function receive(
  kind: Projection,
  stored: Observation[],
  before: FoldedRow | null,
  batch: readonly Observation[],
): FoldedRow | null {
  const fresh = batch.filter((one) => !stored.some(({ id }) => id === one.id));
  if (fresh.length === 0) return before;
  stored.push(...fresh);
  const head: StoredHead | undefined =
    before === null
      ? undefined
      : { order: before.order, eventId: before.head.id, kept: before.kept, deleted: before.deleted };
  const second = secondToLoad(kind, fresh, head);
  const loaded = second === null ? [] : stored.filter((one) => second === "all" || one.created === second);
  return fold(KEY, kind, [...fresh, ...loaded], head) ?? before;
}

function comparable(row: FoldedRow | null): unknown {
  if (row === null) return null;
  const { order, ambiguous, deleted, columns, unread, kept, head } = row;
  return { head: head.id, order, ambiguous, deleted, columns, unread, kept };
}

describe.each(Object.entries(KINDS))("baselines of a kind %s", (_, kind) => {
  const scene = fc.record({
    before: life,
    cut: fc.integer({ min: 1, max: 6 }),
    /** Arrive after the drop: new ones, whatever their second, and by their places old ones once more. */
    after: fc.array(observation, { maxLength: 5 }),
    again: fc.array(fc.nat({ max: 9 }), { maxLength: 6 }),
    size: fc.integer({ min: 1, max: 4 }),
  });

  it("what arrives after a drop, new, late or once more, ends in the row of a run without one, step by step and in a rebuild", () => {
    fc.assert(
      fc.property(scene, ({ before, cut, after, again, size }) => {
        const whole: Observation[] = [];
        const row = receive(kind, whole, null, before);
        const old = before.filter(({ created }) => created < cut);
        const needed = baselineOf(kind, old);
        const dropped = [...needed, ...before.filter(({ created }) => created >= cut)];
        expect(comparable(fold(KEY, kind, dropped, undefined))).toEqual(comparable(row));

        const arriving = [
          ...after.map((one, index): Observation => ({ ...one, id: `evt_a${index}` })),
          ...again.flatMap((place) => before[place] ?? []),
        ].sort((a, b) => (a.id + a.type < b.id + b.type ? -1 : 1));
        let [one, other] = [row, row];
        for (let at = 0; at < arriving.length; at += size) {
          const batch = arriving.slice(at, at + size);
          one = receive(kind, whole, one, batch);
          other = receive(kind, dropped, other, batch);
          expect(comparable(other)).toEqual(comparable(one));
        }
        expect(comparable(fold(KEY, kind, dropped, undefined))).toEqual(comparable(one));
      }),
      { numRuns: 1000 },
    );
  });

  it("a drop of months that were dropped before keeps what one drop of all of them keeps", () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 1, max: 5 }), (all, cut) => {
        const first = baselineOf(
          kind,
          all.filter(({ created }) => created < cut),
        );
        const twice = baselineOf(kind, [...first, ...all.filter(({ created }) => created >= cut)]);
        expect([...twice].map(({ id }) => id).sort()).toEqual([...baselineOf(kind, all)].map(({ id }) => id).sort());
      }),
      { numRuns: 300 },
    );
  });
});
