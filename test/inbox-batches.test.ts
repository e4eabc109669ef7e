// What a batch of received events stores, and which of them it says were new.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type IncomingEvent, insertEvents } from "../src/inbox/event-tables.ts";
import { incomingEvent } from "../src/inbox/receive.ts";
import { readEnvelope } from "../src/stripe/envelope.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

/** An id that Stripe would send with one time, once: here with two times, in several versions, and twice in a batch. */
const arrival = fc.record({
  name: fc.constantFrom("evt_a", "evt_b", "1:evt_a", "evt_a:2"),
  created: fc.constantFrom(1, 2),
  version: fc.constantFrom(null, "2020-08-27", "2025-03-31.basil"),
});
type Arrived = typeof arrival extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(BOTH)("a batch of events, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  let round = 0;
  const eventOf = ({ name, created, version }: Arrived): IncomingEvent => {
    const body = Buffer.from(
      JSON.stringify({
        ...{ id: `${name}_${round}`, object: "event", type: "customer.updated", created, livemode: false },
        ...{ api_version: version, data: { object: { id: "cus_1", object: "customer" } } },
      }),
    );
    const reading = readEnvelope(body);
    if (!reading.ok) throw new Error(reading.detail);
    return incomingEvent(reading.envelope, body, pipe.platformTenant);
  };

  it("keeps each event once, in its greatest version, and tells which were new or replaced an older one", async () => {
    const rounds = fc.asyncProperty(
      fc.array(fc.array(arrival, { minLength: 1, maxLength: 12 }), { maxLength: 3 }),
      check,
    );
    await fc.assert(rounds, { numRuns: 60 });
  });

  async function check(batches: readonly Arrived[][]): Promise<void> {
    round += 1;
    const kept = new Map<string, string>();
    for (const batch of batches) {
      const events = batch.map(eventOf);
      const before = new Map(kept);
      for (const { id, created, apiVersion } of events) {
        const key = `${created} ${id}`;
        kept.set(key, [kept.get(key) ?? "", apiVersion ?? ""].sort().at(-1) ?? "");
      }
      const fresh = [...kept].filter(([key, version]) => before.get(key) !== version);
      const told = [...(await insertEvents(pipe.database, events))];
      expect(told.map(({ id, created, apiVersion }) => [`${created} ${id}`, apiVersion ?? ""]).sort()).toEqual(
        fresh.sort(),
      );
    }
    const { rows } = await pipe.database.query<{ id: string; created: number; version: string }>({
      text: "select id, created, coalesce(api_version, '') as version from stripe_events where id like $1",
      values: [`%\\_${round}`],
    });
    expect(rows.map(({ id, created, version }) => [`${created} ${id}`, version]).sort()).toEqual([...kept].sort());
  }
});
