// A server's side of a move to another database: it takes nothing in while its rows are copied, and nothing ever after they have moved.
import type { Clock } from "../base/clock.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Database } from "../db/database.ts";
import { markMoved } from "../db/embedded-folder.ts";
import type { HeldDatabase, HoldableDatabase } from "../db/held-database.ts";

export interface MoveHoldOptions {
  database: HoldableDatabase;
  /** The embedded database's. */
  dataDir: string;
  clock: Pick<Clock, "now">;
  log: Pick<Log, "info" | "warn">;
  /** Ends the background work and what has been received. */
  pause: () => Promise<void>;
  resume: () => void;
}

export interface MoveHold {
  /** Why nobody is served now; undefined: everybody is. */
  refusing(): PublicError | undefined;
  /** From now on all are refused. Resolves when nothing is written any more, to the database as the mover may read it. */
  begin(move: string): Promise<Database>;
  /** The mover has read everything, and has a minute from now on. */
  wasRead(move: string): void;
  /** The mover is still there: it has another minute. Throws when the move has ended. */
  renew(move: string): void;
  /** Everything is elsewhere, and was compared. On disk when it returns; asked again it does nothing. */
  finish(move: string, to: string): void;
  /** The move has failed: the server goes on as before. */
  giveUp(move: string): void;
}

/** Seconds. A mover that was killed holds up its server no longer than this. */
const LEASE = 60;
const RETRY_AFTER = 10;

type State =
  | { kind: "open" }
  | { kind: "held"; move: string; held: HeldDatabase | undefined; lease: NodeJS.Timeout | undefined }
  | { kind: "moved"; move: string; to: string };

export function moveHold({ database, dataDir, clock, log, pause, resume }: MoveHoldOptions): MoveHold {
  let state: State = { kind: "open" };

  const refusal = (): PublicError =>
    publicError(state.kind === "moved" ? "moved" : "moving", { retryAfter: RETRY_AFTER });

  function heldBy(move: string): Extract<State, { kind: "held" }> {
    if (state.kind !== "held" || state.move !== move) throw publicError("move_ended");
    return state;
  }

  function giveUp(move: string): void {
    if (state.kind !== "held" || state.move !== move) return;
    const { held, lease: due } = state;
    clearTimeout(due);
    state = { kind: "open" };
    held?.release();
    resume();
    log.warn("the move to another database has ended without success: this server goes on as before");
  }

  function lease(mine: Extract<State, { kind: "held" }>): void {
    clearTimeout(mine.lease);
    mine.lease = setTimeout(() => {
      giveUp(mine.move);
    }, LEASE * 1000).unref();
  }

  return {
    refusing: () => (state.kind === "open" ? undefined : refusal()),
    begin: async (move) => {
      if (state.kind === "moved") throw refusal();
      if (state.kind === "held") throw publicError("move_in_progress");
      const mine: Extract<State, { kind: "held" }> = { kind: "held", move, held: undefined, lease: undefined };
      state = mine;
      log.info("the data is moved to another database: until then all requests are answered 503");
      try {
        await pause();
        if (state !== mine) throw publicError("move_ended");
        const held = await database.hold(refusal);
        // It was given up meanwhile: nobody else would let the others in again.
        if (state !== mine) held.release();
        heldBy(move).held = held;
        return held.database;
      } catch (error) {
        giveUp(move);
        throw error;
      }
    },
    wasRead: (move) => {
      if (state.kind === "held" && state.move === move) lease(state);
    },
    renew: (move) => {
      lease(heldBy(move));
    },
    finish: (move, to) => {
      if (state.kind === "moved" && state.move === move) return;
      const mine = heldBy(move);
      markMoved(dataDir, { to, at: new Date(clock.now()).toISOString() });
      clearTimeout(mine.lease);
      state = { kind: "moved", move, to };
      log.warn("the data was moved to another database: set DATABASE_URL to it and start again", { reason: to });
    },
    giveUp,
  };
}
