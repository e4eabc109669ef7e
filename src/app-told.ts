// Who is woken when events were committed: this process's deliveries, or through NOTIFY those of the nodes that work.
import { CHANNEL } from "./app-background.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { hearingDatabase } from "./outbox/stored-events.ts";
import { notifier } from "./work/wake-ups.ts";

export interface Told {
  /** The same database; its commits in which events were stored wake the deliveries. */
  heard(database: Database): Database;
  /** There are deliveries in the queue: look now. */
  wake(): void;
  /** From now on this process delivers. */
  deliverBy(wake: () => void): void;
  close(): Promise<void>;
}

/** What a node says on the channel where it means deliveries and no Stripe events. */
export const DELIVERIES = "deliveries";

/** `database`: to tell other nodes by, where this one does not work. */
export function toldDeliveries(
  database: Database,
  { roles }: Pick<Config, "roles">,
  onError: (error: unknown) => void,
): Told {
  const others = roles.includes("work") ? undefined : notifier(database, CHANNEL, onError, DELIVERIES);
  let own: (() => void) | undefined;
  const wake = (): void => {
    own?.();
    others?.notify();
  };
  return {
    heard: (one) => hearingDatabase(one, wake),
    wake,
    deliverBy: (deliveries) => {
      own = deliveries;
    },
    close: async () => {
      await others?.stop();
    },
  };
}
