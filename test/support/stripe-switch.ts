// Our calls to the sandbox, behind a switch, for tests: Stripe fails, is silent, or the process dies behind its answer.
import { systemClock } from "../../src/base/clock.ts";
import { Secret } from "../../src/base/secret.ts";
import { type StripeAccess, stripeAccess } from "../../src/stripe/access.ts";
import { SANDBOX_KEY } from "./sandbox.ts";

export interface StripeSwitch {
  /** Who answers now; a test may put another one in its place. */
  access: { current: StripeAccess };
  /** Goes to whoever answers now. */
  stripe: StripeAccess;
}

export function stripeSwitch(apiBase: string): StripeSwitch {
  const access = { current: accessTo(apiBase) };
  const stripe: StripeAccess = {
    has: (livemode) => access.current.has(livemode),
    client: (livemode) => access.current.client(livemode),
    call: (target, ask) => access.current.call(target, ask),
    retrieve: (livemode, wanted) => access.current.retrieve(livemode, wanted),
    paused: (livemode) => access.current.paused(livemode),
  };
  return { access, stripe };
}

export function accessTo(apiBase: string): StripeAccess {
  return stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase, clock: systemClock });
}
