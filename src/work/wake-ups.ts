// Wake-ups between nodes: NOTIFY and LISTEN, as a hint only; every loop polls as well.
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import type { Database } from "../db/database.ts";
import { SILENCE } from "../db/server.ts";

/** A notification per commit would serialise commits through the disk (7,890 → 3,755 a second): one per channel and 50 ms. */
const AT_MOST_EVERY = 50;

/** Tells other nodes that there is work on `channel`: coalesced, after the commit, in a commit of its own that waits for no disk. */
export function notifier(
  database: Database,
  channel: string,
  onError: (error: unknown) => void,
  /** Lets a node tell its own word from others'. */
  sender = "",
): { notify: () => void; stop: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const send = (): void => {
    timer = undefined;
    running = database
      .transaction((tx) => tx.query({ text: "select pg_notify($1, $2)", values: [channel, sender] }), {
        durable: false,
      })
      .then(() => undefined)
      .catch(onError);
  };
  return {
    notify: () => {
      timer ??= setTimeout(send, AT_MOST_EVERY);
    },
    stop: () => {
      clearTimeout(timer);
      return running;
    },
  };
}

const RECONNECT_AFTER = 5000;
const FAREWELL_MS = 1000;

/** Listens on `channel`; comes back by itself after a lost connection, and then wakes once for what it may have missed. */
export function listener(
  url: string,
  channel: string,
  /** `sender` is undefined where something may have been missed. */
  onWake: (sender?: string) => void,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: "billhook listen", ...SILENCE });
    client = next;
    next.on("notification", ({ payload }) => {
      onWake(payload);
    });
    next.on("error", onError);
    next.on("end", reconnect);
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      onWake();
    } catch (error) {
      onError(error);
      reconnect();
    }
  }

  function reconnect(): void {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void connect();
    }, RECONNECT_AFTER);
  }

  void connect();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      // Of a machine that is gone the farewell comes back from nobody.
      await Promise.race([client?.end().catch(onError), sleep(FAREWELL_MS, undefined, { ref: false })]);
    },
  };
}
