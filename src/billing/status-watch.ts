// The watch over objects that people wait for, one for each node: reads for all of them together, and asks Stripe where no event comes.
import { hash } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import { objectKeyText } from "../projections/observation.ts";
import { type Waiters, waiters, type WaitersOptions } from "../work/waiters.ts";
import { type StatusGrant, statusObjectOf } from "./status-grants.ts";
import { readStatuses, type StatusState } from "./status-heads.ts";
import { statusPulls, type StatusPullContext } from "./status-pulls.ts";
import type { PullKey } from "./status-pull-table.ts";
import { isOver } from "./status-view.ts";

export interface StatusWatch extends Waiters<StatusGrant, StatusState> {
  /**
   * Whoever asks came back: while it is not over Stripe is asked in 3 s; of a failure that is known already at once, and so
   * for who returned from Stripe's page, which has waited for our answer to the event.
   */
  want(grant: StatusGrant, state: StatusState, seconds: number, returned?: boolean): void;
  /** Whoever waits still does. */
  keep(grant: StatusGrant, state: StatusState): void;
  /** Whoever waited has been told the end. */
  over(grant: StatusGrant, state: StatusState): void;
  /** Milliseconds between the heartbeats of a stream. */
  readonly heartbeatMs: number;
}

export interface StatusWatchContext extends Omit<StatusPullContext, "clock"> {
  clock: Clock;
  pace?: WaitersOptions<StatusGrant, StatusState>["pace"];
  heartbeatMs?: number;
}

/** Proxies close what is silent for longer. */
export const HEARTBEAT_MS = 15_000;

/** Seconds after the person came back, in which the event is expected. */
const EVENT_SECONDS = 3;
/** How long a wish outlives the request: whoever polls is back by then. */
const BACK_SECONDS = 15;

export function statusWatch(context: StatusWatchContext): StatusWatch {
  const { database, clock, log } = context;
  const onError = (error: unknown): void => {
    log.error("background work failed: status", { error });
  };
  const pulls = statusPulls(context, onError);
  const room = waiters<StatusGrant, StatusState>({
    read: (grants) => readStatuses(database, grants, new Date(clock.now())),
    nameOf: (grant) =>
      JSON.stringify([grant.tenantId, grant.livemode, grant.stripeAccount, grant.objectId, grant.accountId]),
    keysOf,
    revisionOf: (state) => `${revisionOf(state)} ${state.headIds}`,
    onError,
    now: () => clock.monotonic(),
    ...(context.pace === undefined ? {} : { pace: context.pace }),
  });
  return {
    ...room,
    heartbeatMs: context.heartbeatMs ?? HEARTBEAT_MS,
    want: (grant, state, seconds, returned = false) => {
      // Of what is over only a failure may change: the payment may have been tried again.
      if (isOver(state.status) && state.status !== "failed") return;
      // Wishes are gathered for a moment: an event that came in time has ended this one by then.
      const dueIn = state.status === "failed" || returned ? 0 : EVENT_SECONDS;
      pulls.want({ ...pullKeyOf(grant, state), seconds: seconds + BACK_SECONDS, dueIn, caller: callerOf(grant) });
    },
    keep: (grant, state) => {
      pulls.keep(pullKeyOf(grant, state));
    },
    over: (grant, state) => {
      for (const { objectType, objectId } of [{ objectType: state.object, objectId: state.id }, ...state.related])
        pulls.end({ ...pullKeyOf(grant, state), objectType, objectId });
    },
    stop: async () => {
      await room.stop();
      await pulls.stop();
    },
  };
}

function keysOf(grant: StatusGrant, state: StatusState | undefined): string[] {
  const { livemode, stripeAccount: account, objectId } = grant;
  const objectType = statusObjectOf(objectId);
  const own = objectType === undefined ? [] : [{ objectType, objectId }];
  return [...own, ...(state?.related ?? [])].map((key) => objectKeyText({ livemode, account, ...key }));
}

function pullKeyOf({ livemode, stripeAccount: account }: StatusGrant, { awaits }: StatusState): PullKey {
  return { livemode, account, ...awaits };
}

const callerOf = ({ tenantId, accountId, objectId }: StatusGrant): string => `${tenantId} ${accountId ?? objectId}`;

/** Changes when something changes that people wait for; what the account spends meanwhile is none of it. */
export function revisionOf(state: StatusState): string {
  const { status, stripeStatus, creditsAdded, subscriptionStatus, invoiceStatus, failure } = state;
  const told = [status, stripeStatus, creditsAdded, subscriptionStatus, invoiceStatus, failure?.code, failure?.message];
  return hash("sha256", JSON.stringify(told), "base64url").slice(0, 16);
}
