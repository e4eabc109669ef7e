// One invoice on the connected account: who owes what, what the platform keeps of it, sending it again and voiding it.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { InvoiceDetail } from "../parts/invoice-detail.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { objectPath } from "./object-paths.ts";
import { type Schemas, useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

type Invoice = Schemas["ConnectedInvoice"];

/** It is paid at Stripe: that is seen without a reload. */
const REFRESH_MS = 3000;
const OPEN = new Set<Invoice["status"]>(["pending", "payment_failed", "uncollectible"]);

export default function InvoicePage(): ReactNode {
  const id = usePathPart("id");
  const isAdmin = useIsAdmin();
  const invoice = useRead(
    ["connected-invoice", id],
    (api, signal) => api.get("/accounts/invoices/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  const found = invoice.data;
  return (
    <>
      <PageHeader
        title={found?.number ?? <IdText id={id} whole />}
        crumbs={[{ label: "Connected invoices", to: "/tenant/invoices" }]}
        beside={found !== undefined && <StatusDot status={found.status} />}
        actions={isAdmin && found !== undefined && OPEN.has(found.status) && <Actions invoice={found} />}
      >
        {found?.customer_email ?? "\u00a0"}
      </PageHeader>
      <Loaded of={invoice} lines={12}>
        {(shown) => <InvoiceDetail invoice={shown} pathOf={objectPath} />}
      </Loaded>
    </>
  );
}

function Actions({ invoice: { id, stripe_invoice_id: atStripe } }: { invoice: Invoice }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const params = { path: { id } };
  const send = useAct((api) => api.post("/accounts/invoices/{id}/send/", { params }), {
    done: "The invoice is sent again.",
  });
  const cancel = useAct((api) => api.post("/accounts/invoices/{id}/void/", { params }), {
    done: "The invoice is void.",
    then: () => setOpen(false),
  });
  return (
    <>
      <ErrorNote error={send.error} />
      <Button
        variant="default"
        loading={send.isPending}
        disabled={atStripe === null}
        onClick={() => send.mutate(undefined)}
      >
        Send again
      </Button>
      <Button variant="default" onClick={() => setOpen(true)}>
        Void
      </Button>
      <ConfirmDialog
        opened={isOpen}
        close={() => setOpen(false)}
        title="Void this invoice?"
        action="Void"
        dangerous
        run={() => cancel.mutate(undefined)}
        isPending={cancel.isPending}
        error={cancel.error}
      >
        Nobody can pay it any more. It stays in the list, and cannot be opened again.
      </ConfirmDialog>
    </>
  );
}
