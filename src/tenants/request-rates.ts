// How many requests a key, a tenant or a source may send a minute: counted in memory, made one count of all nodes' each second.
import type { Clock } from "../base/clock.ts";
import type { Queryable } from "../db/database.ts";
import { addHits, networkOf } from "./rate-limits.ts";
import type { Standing } from "./rate-limits.ts";

/** Requests a minute. */
export interface RequestLimits {
  key: number;
  tenant: number;
  /** Undefined: where no proxy is trusted, a source may be a proxy with everybody behind it. */
  source: number | undefined;
}

export interface RequestOrigin {
  keyId: string | undefined;
  tenantId: string | undefined;
  source: string;
}

export interface RequestRates {
  /** Counts one request, and tells the tightest standing; undefined where nothing limits it. Asks no database. */
  count(origin: RequestOrigin): Standing | undefined;
  /** Adds what was counted here to what all nodes have counted: a limit is overrun by what comes between two flushes at most. */
  flush(): Promise<void>;
}

const WINDOW_SECONDS = 60;

interface Counter {
  window: number;
  /** Of all nodes, as of the last flush. */
  shared: number;
  /** Of this node, since then. */
  fresh: number;
}

export function requestRates(database: Queryable, clock: Clock, limits: RequestLimits): RequestRates {
  const counters = new Map<string, Counter>();
  const windowNow = (): number => Math.floor(clock.now() / 1000 / WINDOW_SECONDS);

  function countOne(name: string, limit: number): Standing {
    const window = windowNow();
    const known = counters.get(name);
    const counter = known?.window === window ? known : { window, shared: 0, fresh: 0 };
    counters.set(name, counter);
    const hits = counter.shared + counter.fresh + 1;
    const exceeded = hits > limit;
    if (!exceeded) counter.fresh += 1;
    const resetSeconds = Math.max(1, Math.ceil((window + 1) * WINDOW_SECONDS - clock.now() / 1000));
    return { limit, remaining: Math.max(0, limit - hits), resetSeconds, exceeded };
  }

  return {
    count: ({ keyId, tenantId, source }) => {
      const standings = [
        ...(keyId === undefined ? [] : [countOne(`key:${keyId}`, limits.key)]),
        ...(tenantId === undefined ? [] : [countOne(`tenant:${tenantId}`, limits.tenant)]),
        ...(limits.source === undefined ? [] : [countOne(`source:${networkOf(source)}`, limits.source)]),
      ];
      return standings.sort((a, b) => Number(b.exceeded) - Number(a.exceeded) || a.remaining - b.remaining)[0];
    },
    flush: async () => {
      const window = windowNow();
      const flushing: { counter: Counter; key: string; hits: number }[] = [];
      for (const [name, counter] of counters) {
        if (counter.window !== window) counters.delete(name);
        else if (counter.fresh > 0) flushing.push({ counter, key: `requests:${name}:${window}`, hits: counter.fresh });
      }
      const totals = await addHits(database, flushing, WINDOW_SECONDS);
      for (const { counter, key, hits } of flushing) {
        counter.shared = totals.get(key) ?? counter.shared + hits;
        counter.fresh -= hits;
      }
    },
  };
}
