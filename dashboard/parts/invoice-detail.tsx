// One invoice on a connected account: why it was given up, who owes what, what the platform keeps of it, and its items.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { Figure, MoneyText } from "./figures.tsx";
import { Icon } from "./icons.tsx";
import { IdText } from "./id-text.tsx";
import { JsonView } from "./json-view.tsx";
import { FigureRow, FigureTile, KeyValue, Section } from "./page-frame.tsx";
import { RelativeTime } from "./relative-time.tsx";

type Invoice = components["schemas"]["ConnectedInvoice"];

export interface InvoiceDetailProps {
  invoice: Invoice;
  /** The page that shows an id in this area; undefined: none does. */
  pathOf: (id: string) => string | undefined;
  /** Whose it is, for who sees more than one tenant. */
  tenant?: ReactNode;
}

export function InvoiceDetail(props: InvoiceDetailProps): ReactNode {
  const { invoice } = props;
  return (
    <>
      {invoice.failure !== null && (
        <p className="bh-notice" role="status">
          {invoice.failure.message} <span className="bh-dim bh-mono">{invoice.failure.code}</span>
        </p>
      )}
      <Amounts invoice={invoice} />
      <Items invoice={invoice} />
      <Facts {...props} />
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

function Facts({ invoice, pathOf, tenant }: InvoiceDetailProps): ReactNode {
  const {
    hosted_invoice_url: page,
    invoice_pdf: pdf,
    stripe_invoice_id: atStripe,
    metadata,
    stripe_account: account,
  } = invoice;
  return (
    <Section title="Details">
      <KeyValue
        facts={[
          ["Tenant", tenant],
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
            atStripe === null ? (
              "On its way to Stripe"
            ) : (
              <IdText key="stripe" id={atStripe} whole to={pathOf(atStripe)} />
            ),
          ],
          ["Stripe account", <IdText key="account" id={account} whole to={pathOf(account)} />],
          ["Mode", invoice.livemode ? "Live" : "Test"],
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
