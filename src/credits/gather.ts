// Gathering: what waits for one lane goes into one commit. While a lane's batch is in flight, its next one gathers; no timer.
import { publicError } from "../base/errors.ts";

export interface GatherOptions<Item, Answer> {
  /** Answers item by item, when the batch is on disk; an Error for an item that is refused by itself. */
  write: (lane: string, items: readonly Item[]) => Promise<readonly (Answer | Error)[]>;
  maxBatch: number;
  /** Items that wait or are in flight in all lanes, at most; then `overloaded`. */
  maxWaiting: number;
  /** Whether a failed batch may succeed in halves: one item may be what the database refuses. */
  isItemsFault: (error: unknown) => boolean;
}

export interface Gather<Item, Answer> {
  /** Resolves after the item's batch has committed. */
  add: (lane: string, item: Item) => Promise<Answer>;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

export function gather<Item, Answer>(options: GatherOptions<Item, Answer>): Gather<Item, Answer> {
  const lanes = new Map<string, Waiting<Item, Answer>[]>();
  let count = 0;

  /** Works a lane off, batch after batch, and forgets it. */
  async function run(lane: string, waiting: Waiting<Item, Answer>[]): Promise<void> {
    // What arrives in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.splice(0, options.maxBatch);
      await commit(lane, batch);
      count -= batch.length;
    }
    lanes.delete(lane);
  }

  /** Never rejects: every waiter gets its own answer or error. */
  async function commit(lane: string, batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await options.write(
        lane,
        batch.map(({ item }) => item),
      );
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined || answer instanceof Error) reject(answer ?? new Error("an item has no answer"));
        else resolve(answer);
      });
    } catch (error) {
      if (batch.length > 1 && options.isItemsFault(error)) {
        const half = Math.ceil(batch.length / 2);
        await commit(lane, batch.slice(0, half));
        await commit(lane, batch.slice(half));
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return {
    add: (lane, item) => {
      if (count >= options.maxWaiting) return Promise.reject(publicError("overloaded"));
      count += 1;
      return new Promise<Answer>((resolve, reject) => {
        const known = lanes.get(lane);
        if (known !== undefined) {
          known.push({ item, resolve, reject });
          return;
        }
        const waiting = [{ item, resolve, reject }];
        lanes.set(lane, waiting);
        void run(lane, waiting);
      });
    },
  };
}
