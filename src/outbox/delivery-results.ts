// What came of deliveries, written together: while one batch commits the next one gathers.
import { setTimeout as sleep } from "node:timers/promises";

import type { Database } from "../db/database.ts";
import { databaseFailure } from "../db/failure.ts";
import type { DeliveryEnd } from "./claimed-delivery.ts";
import { recordEnds } from "./delivery-tables.ts";
import { type DeliveryOutcome, type EndpointKey, noteOutcomes } from "./endpoint-table.ts";

export interface DeliveryResultsOptions<End extends DeliveryEnd> {
  database: Database;
  /** A batch of so many waits for no more. */
  enough: number;
  /** Behind the commit. `written`: false where another claim has it by now, and nothing was written. */
  onWritten: (end: End, written: boolean) => void;
  /** Behind the commit of each batch; `failing` have delivered nothing for days. The next batch does not wait for what it begins. */
  afterBatch: (batch: readonly End[], failing: readonly EndpointKey[]) => void;
  onError: (error: unknown) => void;
}

export interface DeliveryResults<End extends DeliveryEnd> {
  add(end: End): void;
  /** How many are not written yet. */
  waiting(): number;
  /** Resolves when all is written, or when nothing more is tried. */
  idle(): Promise<void>;
  /** What cannot be written now is given up: it falls due again when its claim ends. */
  giveUp(): void;
}

const MOST_TOGETHER = 500;
/** Milliseconds that a batch gathers for behind one that had several: a commit for each handful costs more than its rows. */
const GATHER_MS = 8;
const SEVERAL = 4;
/** Milliseconds between tries while the database is not there: nobody else can claim meanwhile either. */
const PAUSE = 250;

export function deliveryResults<End extends DeliveryEnd>(options: DeliveryResultsOptions<End>): DeliveryResults<End> {
  const gathering: End[] = [];
  let inFlight = 0;
  let running: Promise<void> | undefined;
  let stopping = false;

  async function work(): Promise<void> {
    // What ends in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (gathering.length > 0) {
      const batch = gathering.splice(0, MOST_TOGETHER);
      await write(batch);
      if (!stopping && batch.length >= SEVERAL && mayGather(gathering, options.enough)) await sleep(GATHER_MS);
    }
  }

  async function write(batch: readonly End[]): Promise<void> {
    for (;;) {
      try {
        await writeOnce(batch);
        return;
      } catch (error) {
        const failure = databaseFailure(error);
        if (failure === "content") {
          await divide(batch, error);
          return;
        }
        if (failure === "unavailable") options.onError(error);
        if (stopping) return;
        await sleep(failure === "conflict" ? 0 : PAUSE);
      }
    }
  }

  /** One of them may be what the database refuses: it is written without what the receiver said. */
  async function divide(batch: readonly End[], error: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      await write(batch.slice(0, half));
      await write(batch.slice(half));
    } else if (only?.attempt !== undefined && only.attempt.responseHeaders !== null) {
      options.onError(error);
      await write([{ ...only, attempt: { ...only.attempt, responseHeaders: null, responseBody: null } }]);
    } else {
      options.onError(error);
      // Its claim is renewed no more: it falls due again.
      inFlight = 0;
      if (only !== undefined) options.onWritten(only, false);
    }
  }

  async function writeOnce(batch: readonly End[]): Promise<void> {
    inFlight = batch.length;
    const { written, failing } = await writeTogether(options.database, batch);
    inFlight = 0;
    for (const end of batch) options.onWritten(end, written.has(end));
    options.afterBatch(batch, failing);
  }

  return {
    add: (end) => {
      gathering.push(end);
      running ??= work().finally(() => {
        running = undefined;
      });
    },
    waiting: () => gathering.length + inFlight,
    idle: async () => {
      while (running !== undefined) await running;
    },
    giveUp: () => {
      stopping = true;
    },
  };
}

/** What the next one in order waits for is written at once. */
function mayGather(gathering: readonly DeliveryEnd[], enough: number): boolean {
  return gathering.length < enough && gathering.every(({ delivery }) => delivery.orderingKey === null);
}

function writeTogether(
  database: Database,
  batch: readonly DeliveryEnd[],
): Promise<{ written: Set<DeliveryEnd>; failing: EndpointKey[] }> {
  return database.transaction(
    async (tx) => {
      // Endpoints are locked before queue rows, by everyone.
      const [failing, written] = await Promise.all([noteOutcomes(tx, outcomesOf(batch)), recordEnds(tx, batch)]);
      return { written, failing };
    },
    { planOnce: true },
  );
}

function outcomesOf(batch: readonly DeliveryEnd[]): DeliveryOutcome[] {
  return batch.flatMap(({ delivery, status, attempt }) => {
    if (attempt === undefined) return [];
    const { tenantId, endpointId } = delivery;
    const failedAt = status === "delivered" ? null : new Date(attempt.at);
    return [{ tenantId, endpointId, failedAt, url: attempt.url }];
  });
}
