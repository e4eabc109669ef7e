// The tenant's customers (accounts) with their balances, newest first, and the form that makes one.
import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList } from "../frame/hooks.ts";
import { fieldError, otherError } from "../parts/error-note.tsx";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { FormDialog } from "./form-dialog.tsx";
import { type Schemas, useIsAdmin } from "./tenant-reads.ts";

type Account = Schemas["Account"];

const STATUSES = ["trial", "active", "past_due", "unpaid", "paused", "canceled"] as const;

const FILTERS = [
  { name: "email", label: "E-mail address", kind: "text" },
  { name: "external_id", label: "Your own id", kind: "text" },
  { name: "status", label: "Status", kind: "choice", choices: STATUSES },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<Account>[] = [
  { label: "Customer", cell: ({ email, name, external_id: own, id }) => email ?? name ?? own ?? id },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  { label: "Balance", cell: ({ credit_balance: credits }) => <Figure value={credits} />, width: 120, align: "right" },
  { label: "Your own id", cell: ({ external_id: own }) => own ?? <span className="bh-dim">–</span>, width: 170 },
  { label: "Account", cell: ({ id }) => <IdText id={id} />, width: 220 },
  { label: "Made", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

export default function CustomersPage(): ReactNode {
  const isAdmin = useIsAdmin();
  const [isOpen, setOpen] = useState(false);
  const filters = useFilters(FILTERS);
  const { status, ...others } = filters.values;
  const known = STATUSES.find((one) => one === status);
  const query = { ...others, ...(known === undefined ? {} : { status: known }) };
  const list = useList(["accounts", query], (api, page, signal) =>
    api.get("/api/v1/accounts/", { params: { query: { ...query, ...page } }, signal }),
  );
  return (
    <>
      <PageHeader title="Customers" actions={isAdmin && <Button onClick={() => setOpen(true)}>Add a customer</Button>}>
        Who has credits or a subscription of yours.
      </PageHeader>
      <FilterBar filters={filters} />
      <DataTable
        label="Customers"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/tenant/customers/${id}`}
        minWidth={900}
        empty={
          <Empty title="No customers">
            None fits these filters in this mode. Your server makes them with POST /api/v1/accounts/
            {isAdmin && "; you can add one here"}.
          </Empty>
        }
      />
      {isOpen && <NewCustomer close={() => setOpen(false)} />}
    </>
  );
}

const FIELDS = ["email", "name", "external_id"] as const;

function NewCustomer({ close }: { close: () => void }): ReactNode {
  const go = useGo();
  const [form, change] = useDraft({ email: "", name: "", external_id: "" });
  const create = useAct(
    (api) => {
      const given = Object.entries(form).filter(([, text]) => text.trim() !== "");
      return api.post("/api/v1/accounts/", { body: Object.fromEntries(given) });
    },
    { done: "The customer is added.", then: ({ id }) => go(`/tenant/customers/${id}`) },
  );
  const field = (name: (typeof FIELDS)[number]) => ({
    value: form[name],
    error: fieldError(create.error, name),
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => change({ [name]: currentTarget.value }),
  });
  return (
    <FormDialog
      close={close}
      title="Add a customer"
      action="Add"
      run={() => create.mutate(undefined)}
      isPending={create.isPending}
      error={otherError(create.error, FIELDS)}
    >
      <TextInput label="E-mail address" type="email" data-autofocus {...field("email")} />
      <TextInput label="Name" maxLength={200} {...field("name")} />
      <TextInput
        label="Your own id"
        description="By which your server knows it."
        maxLength={255}
        {...field("external_id")}
      />
    </FormDialog>
  );
}
