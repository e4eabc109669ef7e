// One tenant, as the operator sees it: how it stands at Stripe, and the share that the platform takes.
import { Button, NumberInput, Switch } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { fieldError, otherError } from "../parts/error-note.tsx";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import type { ListedTenant } from "./operator-reads.ts";

export default function TenantPage(): ReactNode {
  const id = usePathPart("id");
  const tenant = useRead(["tenant", id], (api, signal) =>
    api.get("/api/v1/admin/tenants/{id}/", { params: { path: { id } }, signal }),
  );
  return (
    <>
      <PageHeader
        title={tenant.data?.company_name ?? "Tenant"}
        crumbs={[{ label: "Tenants", to: "/operator/tenants" }]}
        actions={tenant.data !== undefined && <FeeButton tenant={tenant.data} />}
      >
        <IdText id={id} whole />
      </PageHeader>
      <Loaded
        of={tenant}
        lines={8}
        absent={<Empty title="There is no such tenant">Check the id, or find it in the list.</Empty>}
      >
        {(found) => <Facts tenant={found} />}
      </Loaded>
    </>
  );
}

function Facts({ tenant }: { tenant: ListedTenant }): ReactNode {
  const { id, domain, platform, application_fee_percent: fee, members, created_at: at } = tenant;
  return (
    <KeyValue
      facts={[
        ["Domain", domain],
        ["The platform", platform ? "Yes" : undefined],
        ["Application fee", fee === null ? "That of the configuration" : <Percent key="fee" value={fee} />],
        ["Members", <Figure key="members" value={members} />],
        ["Live Stripe account", connection(tenant.stripe_account_live, tenant.stripe_status_live)],
        ["Test Stripe account", connection(tenant.stripe_account_test, tenant.stripe_status_test)],
        ["Registered", <RelativeTime key="at" at={at} />],
        [
          "Theirs",
          <span key="links" className="bh-row">
            <PageLink to={`/operator/plans?tenant=${id}`}>Plans</PageLink>
            <PageLink to={`/operator/credit-packs?tenant=${id}`}>Credit packs</PageLink>
            <PageLink to={`/operator/credit-purchases?tenant=${id}`}>Credit purchases</PageLink>
          </span>,
        ],
      ]}
    />
  );
}

const Percent = ({ value }: { value: number }): ReactNode => <span className="bh-figure">{value} %</span>;

function connection(account: string | null, status: string | null): ReactNode {
  return (
    <span className="bh-row">
      <StatusDot status={status ?? "not_connected"} />
      {account !== null && <LinkedId id={account} />}
    </span>
  );
}

function FeeButton({ tenant }: { tenant: ListedTenant }): ReactNode {
  const [asks, setAsks] = useState(false);
  const [own, setOwn] = useState(tenant.application_fee_percent !== null);
  const [fee, setFee] = useState<number | string>(tenant.application_fee_percent ?? "");
  const change = useAct(
    (api, percent: number | null) =>
      api.patch("/api/v1/admin/tenants/{id}/", {
        params: { path: { id: tenant.id } },
        body: { application_fee_percent: percent },
      }),
    { done: "The fee is changed: invoices from now on get it.", then: () => setAsks(false) },
  );
  const field = "application_fee_percent";
  return (
    <>
      <Button variant="default" onClick={() => setAsks(true)}>
        Change the fee
      </Button>
      <ConfirmDialog
        opened={asks}
        close={() => setAsks(false)}
        title={`The platform's fee from ${tenant.company_name}`}
        action="Change"
        run={() => {
          if (!own || typeof fee === "number") change.mutate(own ? Number(fee) : null);
        }}
        isPending={change.isPending}
        error={otherError(change.error, [field])}
      >
        <div className="bh-stack">
          <Switch
            label="A fee of its own"
            description="Otherwise PLATFORM_FEE_PERCENT of the configuration holds."
            checked={own}
            onChange={({ currentTarget }) => setOwn(currentTarget.checked)}
          />
          {own && (
            <NumberInput
              label="Percent of each invoice"
              min={0}
              max={100}
              decimalScale={2}
              value={fee}
              onChange={setFee}
              error={fieldError(change.error, field)}
              required
            />
          )}
          <p className="bh-dim">
            Invoices that exist keep the fee that they were made with. The change is in the audit log.
          </p>
        </div>
      </ConfirmDialog>
    </>
  );
}
