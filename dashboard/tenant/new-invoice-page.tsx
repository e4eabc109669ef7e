// A new invoice on the connected account: its customer and items, and beside it what the platform's share will be.
import { Button, NumberInput, Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { MoneyText } from "../parts/figures.tsx";
import { PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { type Change, useDraft } from "../parts/use-draft.ts";
import { feeOf, minorUnits } from "./amounts.ts";
import { InvoiceLines, type Line, lineTotal, NO_LINE } from "./invoice-lines.tsx";

import "./tenant.css";

const FIELDS = ["customer_email", "customer_name", "currency", "days_until_due", "memo"];
const DAYS = 30;

interface Draft {
  email: string;
  name: string;
  currency: string;
  days: number;
  memo: string;
  lines: Line[];
}

const EMPTY: Draft = { email: "", name: "", currency: "usd", days: DAYS, memo: "", lines: [{ ...NO_LINE, key: 1 }] };

function bodyOf({ email, name, currency, days, memo, lines }: Draft) {
  return {
    customer_email: email.trim(),
    ...(name.trim() === "" ? {} : { customer_name: name.trim() }),
    currency: currency.toLowerCase(),
    items: lines.map(({ description, amount, quantity }) => ({
      description: description.trim(),
      amount: minorUnits(amount, currency) ?? 0,
      quantity,
    })),
    days_until_due: days,
    ...(memo.trim() === "" ? {} : { memo: memo.trim() }),
  };
}

const isReady = ({ currency, lines }: Draft): boolean =>
  lines.every((line) => lineTotal(line, currency) !== undefined && line.description.trim() !== "");

export default function NewInvoicePage(): ReactNode {
  const go = useGo();
  const [draft, change] = useDraft(EMPTY);
  const create = useAct((api) => api.post("/accounts/invoices/", { body: bodyOf(draft) }), {
    done: ({ stripe_invoice_id: atStripe }) =>
      atStripe === null ? "The invoice is kept: it is sent as soon as Stripe answers." : "The invoice is sent.",
    then: ({ id }) => go(`/tenant/invoices/${id}`, { replace: true }),
  });
  return (
    <>
      <PageHeader title="New invoice" crumbs={[{ label: "Connected invoices", to: "/tenant/invoices" }]}>
        It is sent to the customer at once, with Stripe’s page to pay it.
      </PageHeader>
      <form
        className="bh-two"
        aria-label="New invoice"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady(draft) && !create.isPending) create.mutate(undefined);
        }}
      >
        <div className="bh-stack">
          <CustomerFields draft={draft} change={change} error={create.error} />
          <InvoiceLines lines={draft.lines} currency={draft.currency} change={(lines) => change({ lines })} />
          <TermFields draft={draft} change={change} error={create.error} />
          <ErrorNote error={otherError(create.error, FIELDS)} />
        </div>
        <Preview draft={draft}>
          <Button type="submit" fullWidth disabled={!isReady(draft)} loading={create.isPending}>
            Create and send
          </Button>
        </Preview>
      </form>
    </>
  );
}

interface FieldsProps {
  draft: Draft;
  change: Change<Draft>;
  error: unknown;
}

function CustomerFields({ draft, change, error }: FieldsProps): ReactNode {
  return (
    <>
      <TextInput
        label="Customer’s e-mail address"
        type="email"
        required
        value={draft.email}
        error={fieldError(error, "customer_email")}
        onChange={({ currentTarget }) => change({ email: currentTarget.value })}
      />
      <TextInput
        label="Customer’s name"
        value={draft.name}
        maxLength={200}
        error={fieldError(error, "customer_name")}
        onChange={({ currentTarget }) => change({ name: currentTarget.value })}
      />
      <TextInput
        label="Currency"
        description="Three letters, such as usd."
        required
        maxLength={3}
        w={220}
        value={draft.currency}
        error={fieldError(error, "currency")}
        onChange={({ currentTarget }) => change({ currency: currentTarget.value })}
      />
    </>
  );
}

function TermFields({ draft, change, error }: FieldsProps): ReactNode {
  return (
    <>
      <NumberInput
        label="Due in"
        suffix=" days"
        min={0}
        max={365}
        allowDecimal={false}
        w={140}
        value={draft.days}
        error={fieldError(error, "days_until_due")}
        onChange={(value) => change({ days: Number(value) })}
      />
      <Textarea
        label="Memo"
        description="Stands on the invoice."
        autosize
        minRows={2}
        maxLength={1500}
        value={draft.memo}
        error={fieldError(error, "memo")}
        onChange={({ currentTarget }) => change({ memo: currentTarget.value })}
      />
    </>
  );
}

function Preview({ draft: { currency, lines }, children }: { draft: Draft; children: ReactNode }): ReactNode {
  const terms = useRead(["terms"], (api, signal) => api.get("/api/v1/auth/tenants/terms/", { signal }));
  const percent = terms.data?.application_fee_percent;
  const total = lines.reduce((sum, line) => sum + (lineTotal(line, currency) ?? 0), 0);
  const known = minorUnits("0", currency) === undefined ? null : currency;
  const fee = percent === undefined ? null : feeOf(total, percent);
  return (
    <aside className="bh-sum" aria-label="What it comes to">
      <Section title="What it comes to">
        <dl aria-live="polite">
          <div>
            <dt>Total</dt>
            <dd>
              <MoneyText amount={total} currency={known} />
            </dd>
          </div>
          <div>
            <dt>Platform’s share{percent !== undefined && `, ${percent} %`}</dt>
            <dd>
              <MoneyText amount={fee} currency={known} />
            </dd>
          </div>
          <div>
            <dt>Yours, before Stripe’s fee</dt>
            <dd>
              <MoneyText amount={fee === null ? null : total - fee} currency={known} />
            </dd>
          </div>
        </dl>
      </Section>
      {children}
      <p className="bh-small bh-dim bh-under">
        It needs a <PageLink to="/dashboard/connect">connected Stripe account</PageLink>.
      </p>
    </aside>
  );
}
