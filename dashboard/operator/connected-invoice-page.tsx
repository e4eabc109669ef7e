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

/** Each look goes through all tenants: only for what is on its way to Stripe. Then it waits for its payer, for weeks maybe. */
const REFRESH_MS = 15_000;

export default function ConnectedInvoicePage(): ReactNode {
  const id = usePathPart("id");
  const invoice = useRead(
    ["operator-connected-invoice", id],
    (api, signal) => api.get("/api/v1/admin/connected-invoices/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS, whileIt: ({ status, number }) => status === "pending" && number === null },
  );
  return (
    <OnePage
      id={id}
      of={invoice}
      list={TENANTS}
      title={({ number }) => number ?? <IdText id={id} whole />}
      status={({ status }) => <StatusDot status={status} />}
      lead={({ customer_email: email }) => email ?? "\u00a0"}
      absent={{ title: "There is no such invoice", help: "Check the id." }}
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
