// Recorded Stripe data goes through receive and process with no failure and no unread required field, on both databases.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { BEGIN, event } from "./support/stripe-fixtures.ts";
import { type Arrival, BOTH, openPipe } from "./support/pipe.ts";
import { PROJECTIONS } from "../src/projections/registry.ts";

const CORPORA = join(import.meta.dirname, "../../shared/corpora");

function recordedEvents(): Arrival[] {
  const folder = join(CORPORA, "events/stripe-ruby-mock");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  // The recordings share a few event ids: each file is an event of its own.
  return files.map((file, index) => ({
    event: {
      ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, unknown>),
      id: `evt_m${index}`,
    },
  }));
}

function recordedObjects(): Arrival[] {
  const folder = join(CORPORA, "objects/pay");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.flatMap((file, index) => {
    const { body, stripe_version: apiVersion } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      body: Record<string, unknown>;
      stripe_version: string;
    };
    const objects = body.object === "list" ? (body.data as Record<string, unknown>[]) : [body];
    return objects.map((object, at) => ({
      event: {
        ...event(`${String(object.object)}.updated`, object, {
          id: `evt_p${index}_${at}`,
          created: BEGIN + index,
          apiVersion,
        }),
      },
    }));
  });
}

describe.each(BOTH)("recorded data, %s database", (kind) => {
  it.skipIf(!existsSync(CORPORA))(
    "goes through with no failure and no unread required field (skipped where ../shared/corpora is absent)",
    async () => {
      const pipe = await openPipe(kind);
      const arrivals = [...recordedEvents(), ...recordedObjects()];
      expect(arrivals.length).toBeGreaterThan(300);
      await pipe.arrive(arrivals);
      await pipe.drain();
      expect((await pipe.database.query("select * from stripe_event_queue")).rows).toEqual([]);
      expect((await pipe.database.query("select * from stripe_event_attempts")).rows).toEqual([]);
      expect((await pipe.database.query("select * from stripe_event_outcomes where status <> 'ignored'")).rows).toEqual(
        [],
      );
      for (const { table } of PROJECTIONS) {
        expect(
          (await pipe.database.query(`select id, unread_fields from ${table} where unread_fields <> '{}'`)).rows,
        ).toEqual([]);
      }
      await pipe.close();
    },
  );
});
