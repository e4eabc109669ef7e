// Claimed work that runs beside the loop that claims it, so many at once and of one key: a slow key leaves places to the others.

export interface PoolLimit {
  all: number;
  perKey: number;
}

export interface WorkPoolOptions<Item> {
  limit: PoolLimit;
  /** What its work waits for, such as a Stripe account. */
  keyOf: (item: Item) => string;
  /** Claims what is due, so many at most, and nothing of the excluded keys. */
  claim: (left: PoolLimit, excluded: readonly string[]) => Promise<readonly Item[]>;
  /** Its claim ends by itself where this rejects. */
  work: (item: Item) => Promise<void>;
  /** A place is free: there may be more to do. */
  onFinished?: (() => void) | undefined;
}

export interface WorkPool {
  /** Claims what is due and begins it, once a place is free. It does not wait for what it began. Throws what that threw before. */
  run(): Promise<"full" | "none">;
  /** Resolves when all that was begun has ended. */
  idle(): Promise<void>;
}

export function workPool<Item>({ limit, keyOf, claim, work, onFinished }: WorkPoolOptions<Item>): WorkPool {
  const running = new Map<Promise<void>, string>();
  let failure: { error: unknown } | undefined;

  function begin(item: Item): void {
    const one = work(item)
      .catch((error: unknown) => {
        failure = { error };
      })
      .finally(() => {
        running.delete(one);
        onFinished?.();
      });
    running.set(one, keyOf(item));
  }

  function busy(): string[] {
    const keys = [...running.values()];
    return [...new Set(keys.filter((key) => keys.filter((other) => other === key).length >= limit.perKey))];
  }

  return {
    run: async () => {
      while (running.size >= limit.all) await Promise.race(running.keys());
      const failed = failure;
      failure = undefined;
      if (failed !== undefined) throw failed.error;
      const claimed = await claim({ ...limit, all: limit.all - running.size }, busy());
      for (const item of claimed) begin(item);
      return claimed.length === 0 ? "none" : "full";
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running.keys());
    },
  };
}
