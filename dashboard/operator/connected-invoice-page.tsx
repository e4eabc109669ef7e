// One invoice on any tenant's connected account. Only its tenant sends or voids it.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { IdText } from "../parts/id-text.tsx";
import { InvoiceDetail } from "../parts/invoice-detail.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";
import { OnePage, TENANTS } from "./one-page.tsx";

/** It is paid at Stripe: that is seen without a reload. */
const REFRESH_MS = 3000;

export default function ConnectedInvoicePage(): ReactNode {
  const id = usePathPart("id");
  const invoice = useRead(
    ["operator-connected-invoice", id],
    (api, signal) => api.get("/api/v1/admin/connected-invoices/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS, whileIt: ({ status }) => status === "pending" || status === "payment_failed" },
  );
  return (
    <OnePage
      id={id}
      of={invoice}
      list={TENANTS}
      title={({ number }) => number ?? <IdText id={id} whole />}
      status={({ status }) => <StatusDot status={status} />}
      lead={({ customer_email: email }) => email ?? "\u00a0"}
      absent={{ title: "There is no such invoice", help: "Check the id, or look it up by Stripe’s: in_…" }}
      lines={12}
    >
      {(found) => (
        <InvoiceDetail
          invoice={found}
          pathOf={(one) => pathOf(one, { account: one === found.stripe_invoice_id ? found.stripe_account : null })}
          tenant={<LinkedId id={found.tenant_id} />}
        />
      )}
    </OnePage>
  );
}
