// Group commit: callers that wait for the disk wait together. While a batch is in flight the next one gathers.
import { publicError } from "../base/errors.ts";

export interface GroupCommitOptions<Item, Answer> {
  /** Writes a batch and resolves, item by item, only when it is on disk. */
  write: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Bytes of an item, for the bound on memory. */
  sizeOf: (item: Item) => number;
  /** Batches that may be in flight at the same time. */
  maxInFlight: number;
  /** A batch starts beside another one only with this many: what a batch costs is shared by more. */
  minBeside: number;
  /** Milliseconds: beside one that takes longer, on a connection that is gone perhaps, the next starts with any number. */
  slowAfter: number;
  maxBatch: number;
  /** Items that wait or are in flight, at most; then `overloaded`. */
  maxWaiting: number;
  maxWaitingBytes: number;
  /** Whether a failed batch may succeed in halves: one item may be what the database refuses. */
  isItemsFault: (error: unknown) => boolean;
  /** Told how many wait or are in flight, whenever that changes. */
  onWaiting?: (count: number) => void;
}

export interface GroupCommit<Item, Answer> {
  /** Resolves after the item's own batch has committed. Rejects with `overloaded` (503) at once when too much waits. */
  add: (item: Item) => Promise<Answer>;
  /** Items that wait or are in flight. */
  waiting: () => number;
  /** Resolves when nothing waits any more. */
  idle: () => Promise<void>;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

export function groupCommit<Item, Answer>(options: GroupCommitOptions<Item, Answer>): GroupCommit<Item, Answer> {
  const gathering: Waiting<Item, Answer>[] = [];
  const idleWaiters: (() => void)[] = [];
  let inFlight = 0;
  let count = 0;
  let bytes = 0;
  let soon = false;
  const patience = timer(options.slowAfter, start);

  /** What arrived in the same turn of the event loop goes together: begun at the first of them, batches were of 19 at 64 connections. */
  function startSoon(): void {
    if (soon) return;
    soon = true;
    setImmediate(() => {
      soon = false;
      start();
    });
  }

  function start(): void {
    while (inFlight < options.maxInFlight) {
      const isAlone = inFlight === 0 || !patience.runs();
      if (gathering.length < (isAlone ? 1 : options.minBeside)) break;
      inFlight++;
      patience.begin();
      const batch = gathering.splice(0, options.maxBatch);
      void commit(batch).then(() => {
        inFlight--;
        for (const { item } of batch) {
          count--;
          bytes -= options.sizeOf(item);
        }
        options.onWaiting?.(count);
        start();
        if (count === 0) for (const wake of idleWaiters.splice(0)) wake();
      });
    }
  }

  /** Never rejects: every waiter gets its own answer or error. */
  async function commit(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await options.write(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      if (batch.length > 1 && options.isItemsFault(error)) {
        const half = Math.ceil(batch.length / 2);
        await commit(batch.slice(0, half));
        await commit(batch.slice(half));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return {
    add: (item) => {
      const size = options.sizeOf(item);
      if (count >= options.maxWaiting || bytes + size > options.maxWaitingBytes)
        return Promise.reject(publicError("overloaded"));
      count++;
      bytes += size;
      options.onWaiting?.(count);
      return new Promise<Answer>((resolve, reject) => {
        gathering.push({ item, resolve, reject });
        startSoon();
      });
    },
    waiting: () => count,
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
  };
}

/** Begun again it runs anew. */
function timer(milliseconds: number, over: () => void): { begin: () => void; runs: () => boolean } {
  let running: NodeJS.Timeout | undefined;
  return {
    begin: () => {
      clearTimeout(running);
      running = setTimeout(() => {
        running = undefined;
        over();
      }, milliseconds);
    },
    runs: () => running !== undefined,
  };
}
