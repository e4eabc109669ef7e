// Packs and plans beside a sandbox, for tests: the syncing itself, and the ways in which Stripe or the process fails.
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import type { StripeAccess } from "../../src/stripe/access.ts";
import { StripeCallError } from "../../src/stripe/call-failure.ts";
import { accessTo } from "./stripe-switch.ts";
import { type Kind, openPipe, type Pipe } from "./pipe.ts";
import { openSandbox, type OpenSandbox } from "./sandbox.ts";
import type { ResumableContext } from "../../src/billing/resumable.ts";

export interface OfferScene {
  sandbox: OpenSandbox;
  pipe: Pipe;
  syncing: ResumableContext;
  /** What happens to calls to Stripe. */
  trouble: { next: Trouble[] };
  /** Leases of processes that died end now. */
  endLeases(): Promise<void>;
  close(): Promise<void>;
}

/** none: it is answered · down: Stripe does not answer · lost: nor did it, but it has carried it out · before, after: the process dies */
export type Trouble = "none" | "down" | "lost" | "before" | "after";

export class Died extends Error {}

export async function openOfferScene(kind: Kind): Promise<OfferScene> {
  const sandbox = await openSandbox();
  const pipe = await openPipe(kind);
  const trouble: OfferScene["trouble"] = { next: [] };
  const { database, platformTenant } = pipe;
  return {
    ...{ sandbox, pipe, trouble },
    syncing: {
      ...{ database, platformTenant, stripe: troubled(accessTo(sandbox.url), trouble), clock: systemClock },
      ...{ log: silentLog, wake: () => undefined, newLease: () => newId("node") },
    },
    endLeases: async () => {
      await database.query("update offer_syncs set next_sync_at = now() where lease is not null");
    },
    close: async () => {
      await pipe.close();
      await sandbox.close();
    },
  };
}

const unreachable = (): StripeCallError =>
  new StripeCallError("stripe_unreachable", { transient: true, outage: true }, { retryAfter: 1 });

function troubled(stripe: StripeAccess, trouble: OfferScene["trouble"]): StripeAccess {
  return {
    ...stripe,
    call: async (target, ask) => {
      const next = trouble.next.shift() ?? "none";
      if (next === "before") throw new Died("the process died before the call");
      if (next === "down") throw unreachable();
      const answer = await stripe.call(target, ask);
      if (next === "lost") throw unreachable();
      if (next === "after") throw new Died("the process died with the answer");
      return answer;
    },
  };
}
