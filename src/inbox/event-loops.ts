// The workers of a process on the event queue: who takes the next batch, how large it is, and when.
import type { Database } from "../db/database.ts";
import { type ClaimLoop, claimLoop } from "../work/claim-loop.ts";
import { BURST_REST_MS, batchSizeNow, isReceiving, mayWork, mostAfter, type Pace, restAfter } from "./pace.ts";
import { type Processed, processOnce, type ProcessOptions } from "./process.ts";
import type { Receiver } from "./receive.ts";

export interface EventLoopsOptions {
  process: Omit<ProcessOptions, "batchSize" | "broke">;
  /** Its requests are what a burst is told from. */
  receiving: Pick<Receiver, "waiting" | "crowd" | "sinceRush">;
  onError: (error: unknown) => void;
}

/** One backend works while the other's answer is folded. */
const WORKERS = { server: 2, embedded: 1 } as const;

export function eventLoops({ process, receiving, onError }: EventLoopsOptions): ClaimLoop[] {
  const { database, clock } = process;
  const workers = WORKERS[database.kind];
  let locks: number | undefined;
  let lag = 0;
  let backlog = false;
  let ended = 0;
  // Events of a batch, while batches lose their connections.
  let most = Infinity;
  const burst = { began: -Infinity, seen: -Infinity };

  function pace(): Pace {
    const now = clock.monotonic();
    const [waiting, crowd, sinceRush] = [receiving.waiting(), receiving.crowd(), receiving.sinceRush()];
    const isNow = isReceiving({ waiting, crowd, sinceRush });
    // A burst with gaps is one: else its batches would never be due.
    if (isNow && now - burst.seen > BURST_REST_MS) burst.began = now;
    if (isNow) burst.seen = now;
    return { receiving: isNow, backlog, lag, rested: now - Math.max(ended, burst.began) };
  }

  /** Each worker takes its own objects off a backlog, so that they never wait for each other's; whoever finds none of its own takes any. */
  async function processNext(worker: number): Promise<Processed> {
    locks ??= await roomForLocks(database);
    const batchSize = Math.min(batchSizeNow(database.kind, pace(), locks), most);
    const look = { hasBroken: false };
    const broke = (): void => {
      look.hasBroken = true;
      most = mostAfter(most, batchSize, true);
    };
    const now = { ...process, batchSize, broke };
    const own = backlog && mayWork(1, pace()) ? await processOnce(now, { number: worker, of: workers }) : undefined;
    const found = own === undefined || own.claimed === 0 ? await processOnce(now) : own;
    if (!look.hasBroken) most = mostAfter(most, batchSize, false);
    return found;
  }

  const loops = Array.from({ length: workers }, (_, worker) => {
    let events = 0;
    return claimLoop({
      name: `stripe events ${worker}`,
      run: async () => {
        const before = pace();
        events = 0;
        // The end of a burst wakes nobody: it is looked for, which asks the database nothing.
        if (!mayWork(worker, before)) return before.receiving ? "some" : "none";
        const { claimed, oldestAge, full } = await processNext(worker);
        lag = oldestAge;
        ended = clock.monotonic();
        events = claimed;
        const isNew = full && !backlog;
        backlog = full;
        if (isNew) wakeAll();
        return claimed === 0 ? "none" : full ? "full" : "some";
      },
      concurrency: 1,
      pollEvery: 500,
      gatherFor: (found) => restAfter(found === "full", events),
      pauseAfterError: 1000,
      onError,
    });
  });

  /** A backlog is everybody's. */
  function wakeAll(): void {
    for (const loop of loops) loop.wake();
  }
  return loops;
}

/** Locks that all transactions together may hold. Source: PostgreSQL's manual, `max_locks_per_transaction`. */
async function roomForLocks(database: Database): Promise<number> {
  const { rows } = await database.query<{ locks: number }>(ROOM_FOR_LOCKS);
  return rows[0]?.locks ?? 0;
}

const ROOM_FOR_LOCKS = `
  select current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int as locks`;
