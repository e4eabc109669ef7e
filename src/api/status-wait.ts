// Waiting for a status within one request: until its end, until a change, or until the time is over.
import type { FastifyReply } from "fastify";

import { publicError } from "../base/errors.ts";
import type { StatusGrant } from "../billing/status-grants.ts";
import type { StatusState } from "../billing/status-heads.ts";
import { isOver } from "../billing/status-view.ts";
import { revisionOf, type StatusWatch } from "../billing/status-watch.ts";

/** One process's waiting requests: about 20 kB each. */
export const MOST_WAITING = 20_000;
/** How long Stripe is given to confirm a failure that we knew before: the payment may have been tried again since. */
export const CONFIRM_MS = 4000;

export interface Patience {
  milliseconds: number;
  /** Straight from Stripe's page. */
  returned?: boolean | undefined;
  /** The revision that the caller has; undefined: none. */
  known?: string | undefined;
  /** Resolves when the caller has gone. */
  gone: Promise<void>;
}

/** Resolves when the client is gone, or the answer sent. */
export function startsOver({ raw }: FastifyReply): Promise<void> {
  return new Promise((resolve) => {
    raw.once("close", resolve);
  });
}

/** The first state that there is something to tell of, or the one at the end of the time. Throws `storage_unavailable`. */
export function awaitStatus(watch: StatusWatch, grant: StatusGrant, patience: Patience): Promise<StatusState> {
  const { known, gone, returned } = patience;
  const milliseconds = watch.count() < MOST_WAITING ? patience.milliseconds : 0;
  return new Promise((resolve, reject) => {
    let first: StatusState | undefined;
    let last: StatusState | undefined;
    let timer: NodeJS.Timeout | undefined;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      release();
      settle();
    };
    const endWithLast = (): void => {
      const state = last;
      if (state !== undefined && milliseconds > 0 && isOver(state.status)) watch.over(grant, state);
      end(() => (state === undefined ? reject(publicError("storage_unavailable")) : resolve(state)));
    };
    const endIn = (wait: number): void => {
      clearTimeout(timer);
      timer = setTimeout(endWithLast, wait);
    };
    const release = watch.wait(grant, {
      told: (state) => {
        last = state;
        const isFirst = first === undefined;
        first ??= state;
        if (isFirst || !isOver(state.status)) watch.want(grant, state, milliseconds / 1000, returned);
        if (milliseconds === 0 || worthTelling(first, state, known)) endWithLast();
        else if (isFirst) endIn(isOver(state.status) ? Math.min(CONFIRM_MS, milliseconds) : milliseconds);
      },
      failed: (error) => {
        end(() => {
          reject(publicError("storage_unavailable", { cause: error }));
        });
      },
      ended: endWithLast,
    });
    void gone.then(() => {
      end(() => {
        reject(publicError("stopping"));
      });
    });
  });
}

function worthTelling(first: StatusState, state: StatusState, known: string | undefined): boolean {
  if (isUnconfirmed(first, state)) return false;
  if (isOver(state.status)) return true;
  if (known !== undefined) return revisionOf(state) !== known;
  return state.status === "action_required" || revisionOf(state) !== revisionOf(first);
}

/** A failure that was there before the caller came, and of which nothing has been heard since. */
export function isUnconfirmed(first: StatusState, state: StatusState): boolean {
  return state.status === "failed" && state.headIds === first.headIds && revisionOf(state) === revisionOf(first);
}
