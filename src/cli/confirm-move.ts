// The last word of a move, told to the old server until it is heard. A server that has heard it takes nothing in any more.
import { setTimeout as sleep } from "node:timers/promises";

import { CommandFailure, failed } from "./command-failure.ts";

const TRIES = 11;

/**
 * Tells it up to eleven times. Throws `move_unconfirmed` when whether the server has heard it is not known; any other error
 * is the server's refusal, after which it goes on as before.
 */
export async function confirmed(
  finish: () => Promise<void>,
  pause: () => Promise<unknown> = () => sleep(1000),
): Promise<void> {
  let doubtful = false;
  for (let left = TRIES; ; left--) {
    try {
      await finish();
      return;
    } catch (error) {
      if (isRefusal(error, doubtful)) throw error;
      doubtful = true;
      if (left > 1) {
        await pause();
        continue;
      }
      const message =
        "All rows are in the new database, but the old server does not confirm it: whether it knows is not certain. If moved.json is in its DATA_DIR it does, and the move is done; else run the move again with --replace.";
      throw failed("move_unconfirmed", "Move unconfirmed", message, error);
    }
  }
}

/**
 * Billhook's own refusal: 4xx, or a 503 that turned it away. A proxy's page and a broken answer are none. After one of those
 * only `move_ended` is: the server may have heard the word, and a 503 or 401 now comes from it all the same.
 */
function isRefusal(error: unknown, doubtful: boolean): boolean {
  if (!(error instanceof CommandFailure) || error.status === undefined) return false;
  if (doubtful) return error.body.code === "move_ended";
  return (error.status >= 400 && error.status < 500) || error.status === 503;
}
