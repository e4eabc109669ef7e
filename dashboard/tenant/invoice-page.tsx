// One invoice on the connected account: who owes what, what the platform keeps of it, sending it again and voiding it.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { Icon } from "../parts/icons.tsx";
import { IdText } from "../parts/id-text.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { FigureRow, FigureTile, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
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
        {(shown) => (
          <>
            {shown.failure !== null && (
              <p className="bh-notice" role="status">
                {shown.failure.message} <span className="bh-dim bh-mono">{shown.failure.code}</span>
              </p>
            )}
            <Amounts invoice={shown} />
            <Items invoice={shown} />
            <Facts invoice={shown} />
          </>
        )}
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

function Amounts({ invoice }: { invoice: Invoice }): ReactNode {
  const { amount, amount_paid: paid, currency, application_fee_amount: fee, application_fee_percent: share } = invoice;
  return (
    <FigureRow>
      <FigureTile label="Total">
        <MoneyText amount={amount} currency={currency} />
      </FigureTile>
      <FigureTile label="Paid">
        <MoneyText amount={paid} currency={currency} />
      </FigureTile>
      <FigureTile label={share === null ? "Platform’s share" : `Platform’s share, ${share} %`}>
        <MoneyText amount={fee} currency={currency} />
      </FigureTile>
      <FigureTile label="Due">
        <RelativeTime at={invoice.due_date} />
      </FigureTile>
    </FigureRow>
  );
}

function Items({ invoice: { items, currency } }: { invoice: Invoice }): ReactNode {
  return (
    <Section title="Items">
      <div className="bh-table-box" tabIndex={0} role="region" aria-label="Items">
        <table className="bh-table" aria-label="Items">
          <thead>
            <tr>
              <th scope="col">Description</th>
              <th scope="col" data-align="right">
                Quantity
              </th>
              <th scope="col" data-align="right">
                Each
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map(({ description, quantity, amount }, index) => (
              <tr key={index}>
                <td title={description ?? undefined}>{description ?? "–"}</td>
                <td data-align="right">
                  <Figure value={quantity} />
                </td>
                <td data-align="right">
                  <MoneyText amount={amount} currency={currency} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Facts({ invoice }: { invoice: Invoice }): ReactNode {
  const { hosted_invoice_url: page, invoice_pdf: pdf, stripe_invoice_id: atStripe, metadata } = invoice;
  return (
    <Section title="Details">
      <KeyValue
        facts={[
          ["Customer", [invoice.customer_name, invoice.customer_email].filter((part) => part !== null).join(", ")],
          ["Stripe’s page", page === null ? null : <Away key="page" to={page} label="Open it" />],
          ["PDF", pdf === null ? null : <Away key="pdf" to={pdf} label="Open it as a PDF" />],
          ["Paid", invoice.paid_at === null ? undefined : <RelativeTime key="paid" at={invoice.paid_at} />],
          ["Memo", invoice.memo ?? undefined],
          ["Made", <RelativeTime key="made" at={invoice.created_at} />],
          ["Made by", invoice.origin === "billhook" ? "Billhook" : "The connected account, at Stripe"],
          ["Invoice", <IdText key="id" id={invoice.id} whole />],
          [
            "Stripe’s invoice",
            atStripe === null ? "On its way to Stripe" : <IdText key="stripe" id={atStripe} whole />,
          ],
          ["Stripe account", <IdText key="account" id={invoice.stripe_account} whole />],
        ]}
      />
      {Object.keys(metadata).length > 0 && <JsonView value={metadata} label="metadata of the invoice" />}
    </Section>
  );
}

function Away({ to, label }: { to: string; label: string }): ReactNode {
  return (
    <a href={to} target="_blank" rel="noreferrer">
      {label} <Icon name="away" size={11} />
    </a>
  );
}
