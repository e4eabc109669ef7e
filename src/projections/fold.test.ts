import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fold, type FoldedRow, secondToLoad, type StoredHead } from "./fold.ts";
import type { Observation } from "./observation.ts";
import { projection, type Projection } from "./projection.ts";

const KEY = { livemode: false, account: "", objectType: "thing", objectId: "th_1" };

/** A kind with everything that order looks at: tombstone, terminal states, a monotone rank, a kept reference. */
const thing = projection({
  objects: ["thing"],
  table: "things",
  columns: { status: "text", step: "bigint", invoice_id: "text" },
  tombstone: true,
  terminal: (object) => object.status === "done",
  rank: (object) => [typeof object.step === "number" ? object.step : 0],
  keeps: ["invoice_id"],
  row: (object) => ({
    status: typeof object.status === "string" ? object.status : undefined,
    step: typeof object.step === "number" ? object.step : null,
    invoice_id: typeof object.invoice === "string" ? object.invoice : null,
  }),
});

const unranked = projection({
  objects: ["thing"],
  table: "things",
  columns: { status: "text" },
  row: (object) => ({ status: typeof object.status === "string" ? object.status : undefined }),
});

const KINDS_OF_NEWS = [
  ...(["created", "updated", "updated", "updated", "deleted", "pull"] as const),
  ...(["gone", "deleted stub", "updated stub", "deleted whole"] as const),
];

const observation = fc
  .record({
    second: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom(...KINDS_OF_NEWS),
    status: fc.constantFrom("new", "open", "late", "done"),
    step: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
    invoice: fc.option(fc.constantFrom("in_1", "in_2"), { nil: undefined }),
    before: fc.option(fc.record({ status: fc.constantFrom("new", "open", "late", "done") }), { nil: undefined }),
  })
  .map(({ second, kind, status, step, invoice, before }): Omit<Observation, "id"> => {
    const fetched = kind === "pull" || kind === "gone";
    const stub = kind === "gone" || kind === "deleted stub" || kind === "updated stub";
    const fields = { status, ...(step === undefined ? {} : { step }), ...(invoice === undefined ? {} : { invoice }) };
    return {
      ...KEY,
      source: fetched ? "pull" : "webhook",
      type: fetched ? "thing.retrieved" : `thing.${kind.split(" ")[0] ?? ""}`,
      created: second,
      apiVersion: null,
      // What Stripe answers of a deleted object says nothing else; an event of it may bring the whole, or no more than that.
      object: {
        id: "th_1",
        object: "thing",
        ...(stub ? { deleted: true } : fields),
        ...(kind === "deleted whole" ? { deleted: true } : {}),
      },
      ...(before === undefined || fetched ? {} : { previous: before }),
    };
  });

const life = fc
  .array(observation, { minLength: 1, maxLength: 9 })
  .map((list) => list.map((one, index): Observation => ({ ...one, id: `evt_${index}` })));

/** The inbox without a database: what has arrived is stored, and each batch is folded onto the stored head. */
function receive(kind: typeof thing, batches: readonly (readonly Observation[])[]): FoldedRow | null {
  const stored: Observation[] = [];
  let row: FoldedRow | null = null;
  for (const batch of batches) {
    stored.push(...batch.filter((one) => !stored.some((known) => known.id === one.id)));
    const head: StoredHead | undefined =
      row === null ? undefined : { order: row.order, eventId: row.head.id, kept: row.kept, deleted: row.deleted };
    const second = secondToLoad(kind, batch, head);
    const loaded = second === null ? [] : stored.filter((one) => second === "all" || one.created === second);
    row = fold(KEY, kind, [...batch, ...loaded], head) ?? row;
  }
  return row;
}

function comparable(row: FoldedRow | null): unknown {
  return row === null
    ? null
    : {
        head: row.head.id,
        order: row.order,
        ambiguous: row.ambiguous,
        deleted: row.deleted,
        columns: row.columns,
        unread: row.unread,
        kept: row.kept,
      };
}

describe("fold", () => {
  for (const [name, kind] of [
    ["a kind with terminal states and a rank", thing],
    ["a kind without", unranked],
  ] as const) {
    it(`gives the same row for every arrival, batch cut and duplication: ${name}`, () => {
      fc.assert(
        fc.property(
          life.chain((all) =>
            fc.record({
              all: fc.constant(all),
              arrival: fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
              cuts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 20, maxLength: 20 }),
            }),
          ),
          ({ all, arrival, cuts }) => {
            const batches: Observation[][] = [];
            const rest = [...arrival];
            for (const cut of cuts) if (rest.length > 0) batches.push(rest.splice(0, cut));
            if (rest.length > 0) batches.push(rest);
            expect(comparable(receive(kind, batches))).toEqual(comparable(fold(KEY, kind, all, undefined)));
          },
        ),
        { numRuns: 3000 },
      );
    });
  }

  it("flags a required field that cannot be read, and does not flag a stub that says only that the object is gone", () => {
    const base: Observation = {
      ...KEY,
      id: "evt_1",
      source: "webhook",
      type: "thing.updated",
      created: 1,
      apiVersion: null,
      object: { id: "th_1" },
    };
    expect(fold(KEY, thing, [base], undefined)?.unread).toEqual(["status"]);
    const stub: Observation = {
      ...base,
      source: "pull",
      type: "thing.retrieved",
      object: { id: "th_1", object: "thing", deleted: true },
    };
    expect(fold(KEY, thing, [stub], undefined)).toMatchObject({ unread: [], deleted: true });
    const known: Observation = { ...base, id: "evt_0", object: { id: "th_1", object: "thing", status: "open" } };
    expect(fold(KEY, thing, [stub, known], undefined)).toMatchObject({ deleted: true, columns: { status: "open" } });
  });

  it("reads a deletion that brings the whole object as what it says, not as a stub", () => {
    const before = observed({ id: "evt_1", created: 1, object: { id: "th_1", object: "thing", status: "open" } });
    const gone = { id: "th_1", object: "thing", livemode: false, deleted: true };
    const whole = observed({ id: "evt_2", created: 2, type: "thing.deleted", object: { ...gone, status: "late" } });
    expect(fold(KEY, thing, [before, whole], undefined)).toMatchObject({ deleted: true, columns: { status: "late" } });
    const unread = observed({ id: "evt_2", created: 2, type: "thing.deleted", object: { ...gone, state: "late" } });
    expect(fold(KEY, thing, [before, unread], undefined)).toMatchObject({
      deleted: true,
      columns: { status: null },
      unread: ["status"],
    });
  });

  it("takes what Stripe answers for a deleted card, which names its currency, for a stub", () => {
    const before = observed({ id: "evt_1", created: 1, object: { id: "th_1", object: "thing", status: "open" } });
    const stub = observed({
      id: "evt_2",
      created: 2,
      type: "thing.deleted",
      object: { id: "th_1", object: "thing", currency: "eur", deleted: true },
    });
    expect(fold(KEY, thing, [stub, before], undefined)).toMatchObject({ columns: { status: "open" }, unread: [] });
  });

  it("flags what cannot be read of a child row, on its parent and once, and nothing on a stub that lists no children", () => {
    const family: Projection = {
      ...unranked,
      children: [
        {
          table: "parts",
          parentColumn: "thing_id",
          columns: { size: "bigint" },
          rows: ({ parts }) => (parts as { id: string; size: number | undefined }[] | undefined) ?? [],
          unread: ({ more }) => (more === true ? ["more"] : []),
        },
      ],
    };
    const parts = [{ id: "a", size: 1 }, { id: "b" }, { id: "c" }];
    const object = { id: "th_1", object: "thing", status: "open", more: true, parts };
    const whole = observed({ id: "evt_1", created: 1, object });
    const stub = observed({ id: "evt_2", created: 2, object: { id: "th_1", object: "thing", deleted: true } });
    expect(fold(KEY, family, [whole], undefined)?.unread).toEqual(["parts.more", "parts.size"]);
    expect(fold(KEY, family, [whole, stub], undefined)?.unread).toEqual([]);
  });
});

function observed(said: Pick<Observation, "id" | "created" | "object"> & { type?: string }): Observation {
  return { ...KEY, source: "webhook", type: "thing.updated", apiVersion: null, ...said };
}
