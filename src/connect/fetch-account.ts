// How a connected account stands at Stripe now, asked within a bounded time.
import type { StripeAccess } from "../stripe/access.ts";
import type { ConnectContext } from "./connect-context.ts";

/** Somebody waits for the answer. */
const LONGEST_MS = 8000;

type Fetched = Awaited<ReturnType<StripeAccess["retrieve"]>>;

/** Never throws for what Stripe answers or fails to. Throws `stripe_not_configured`. */
export async function fetchAccount(
  { stripe }: Pick<ConnectContext, "stripe">,
  { livemode, account }: { livemode: boolean; account: string },
): Promise<Fetched> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Fetched>((resolve) => {
    timer = setTimeout(() => resolve({ outcome: "retry", reason: "no answer in time" }), LONGEST_MS);
  });
  try {
    const wanted = { account, objectType: "account", objectId: account };
    return await Promise.race([stripe.retrieve(livemode, wanted), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
