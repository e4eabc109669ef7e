// Invoices whose making was interrupted: by a crash, or because Stripe did not answer. Each goes on where it stopped.
import type { ConnectedInvoice } from "../connections/connected-invoice.ts";
import { claimDueInvoices } from "../connections/connected-invoice-table.ts";
import { accountKey } from "../connections/routing.ts";
import { type WorkPool, workPool } from "../work/work-pool.ts";
import { makeConnectedInvoice } from "./make-connected-invoice.ts";
import { type ResumableContext, STEP_LEASE_SECONDS } from "./resumable.ts";

/** Those of one account are few: one that answers slowly, or not, holds up no other tenant's. */
const AT_ONCE = { all: 6, perKey: 2 };
const MODES = [true, false];

/** Goes on with what is due, in the modes that there is a key for, and of no account whose circuit is open. */
export function dueInvoicePool(making: ResumableContext, onFinished?: () => void): WorkPool {
  const { database, stripe } = making;
  return workPool<{ invoice: ConnectedInvoice; lease: string }>({
    limit: AT_ONCE,
    keyOf: ({ invoice }) => accountKey(invoice),
    claim: async (limit, busy) => {
      const modes = MODES.filter((livemode) => stripe.has(livemode));
      const paused = modes.flatMap((livemode) =>
        stripe.paused(livemode).map((account) => accountKey({ livemode, account })),
      );
      const lease = making.newLease();
      const due = { modes, limit, excluded: [...busy, ...paused] };
      const claimed = await claimDueInvoices(database, due, { name: lease, seconds: STEP_LEASE_SECONDS });
      return claimed.map((invoice) => ({ invoice, lease }));
    },
    work: async ({ invoice, lease }) => {
      await makeConnectedInvoice(making, invoice, { lease });
    },
    onFinished,
  });
}
