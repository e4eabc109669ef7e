// What a move to another database needs of a running process: its background work turned off, and on again if the move fails.
import type { Background } from "./app-background.ts";
import type { Clock } from "./base/clock.ts";
import type { Log } from "./base/log.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { isHoldable } from "./db/held-database.ts";
import { type MoveHold, moveHold } from "./operations/move-hold.ts";

export interface SwitchedBackground {
  /** Undefined: it does not run. */
  current(): Background | undefined;
  start(): void;
  /** Resolves when what runs has ended. */
  stop(): Promise<void>;
}

/** `begin` starts it; undefined: this process does none. */
export function switchedBackground(begin: (() => Background) | undefined): SwitchedBackground {
  let background: Background | undefined;
  return {
    current: () => background,
    start: () => {
      background ??= begin?.();
    },
    stop: async () => {
      const running = background;
      background = undefined;
      await running?.stop();
    },
  };
}

interface MoveParts {
  config: Pick<Config, "dataDir">;
  database: Database;
  clock: Clock;
  options: { log: Log };
}

/** Undefined: the database is no embedded one, and has nowhere to move from. */
export function moveHoldOf(
  { config, database, clock, options }: MoveParts,
  background: SwitchedBackground,
  received: () => Promise<void>,
): MoveHold | undefined {
  if (!isHoldable(database)) return undefined;
  return moveHold({
    database,
    dataDir: config.dataDir,
    clock,
    log: options.log,
    pause: async () => {
      await background.stop();
      await received();
    },
    resume: () => {
      background.start();
    },
  });
}
