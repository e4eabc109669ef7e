// The tenant's Stripe account: connecting it, how it stands, and what Stripe still needs before money can flow.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { paths } from "../../kit/client/client.ts";
import { useAct, useMembership, useRead, useStanding } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { type FilterSpec, useFilters } from "../parts/filters.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { ConnectAccount } from "./connect-start.tsx";
import { useIsOwner } from "./tenant-reads.ts";

import "./tenant.css";

/** As Stripe's onboarding leads back. */
const RETURN = [
  { name: "status", label: "Status", kind: "text" },
  { name: "code", label: "Code", kind: "text" },
] as const satisfies readonly FilterSpec[];

type Status = paths["/api/v1/auth/tenants/stripe/status/"]["get"]["responses"][200]["content"]["application/json"];
type Connected = Extract<Status, { connected: true }>;

export default function ConnectPage(): ReactNode {
  const platform = useMembership()?.platform === true;
  return platform ? <PlatformAccount /> : <TenantAccount />;
}

function PlatformAccount(): ReactNode {
  return (
    <>
      <PageHeader title="Stripe account" />
      <Empty title="The platform needs no connection">
        Its Stripe account is the one of the secret key that Billhook was started with. Tenants connect theirs.
      </Empty>
    </>
  );
}

function TenantAccount(): ReactNode {
  const status = useRead(["connect"], (api, signal) => api.get("/api/v1/auth/tenants/stripe/status/", { signal }));
  return (
    <>
      <PageHeader
        title="Stripe account"
        beside={status.data !== undefined && <StatusDot status={status.data.status} />}
      >
        Payments go to this account; the platform keeps its share of them.
      </PageHeader>
      <Returned ended={status.data?.status === "disconnected"} />
      <Loaded of={status} lines={9}>
        {(found) => (found.connected ? <Standing of={found} /> : <NotYet ended={found.status === "disconnected"} />)}
      </Loaded>
    </>
  );
}

const WHY: Record<string, string> = {
  connect_state_invalid: "That link was used already, or is older than ten minutes. Begin again.",
};

/** `ended`: the connection has ended since the return that the address tells of. */
function Returned({ ended }: { ended: boolean }): ReactNode {
  const { values } = useFilters(RETURN);
  if (values.status === "active") {
    if (ended) return null;
    return (
      <p className="bh-notice" role="status">
        The account is connected: it can take payments.
      </p>
    );
  }
  if (values.status === "denied") {
    return (
      <p className="bh-notice" role="status">
        Stripe was not allowed to connect the account. Nothing has changed.
      </p>
    );
  }
  if (values.status !== "error") return null;
  return (
    <p className="bh-notice" role="alert">
      {WHY[values.code ?? ""] ?? "The return from Stripe failed. Begin again; what was entered there is kept."}
      {values.code !== undefined && <span className="bh-dim bh-mono"> {values.code}</span>}
    </p>
  );
}

function NotYet({ ended }: { ended: boolean }): ReactNode {
  const { mode } = useStanding();
  const isOwner = useIsOwner();
  return (
    <Empty title={ended ? "The account is disconnected" : "No Stripe account is connected"}>
      <div className="bh-stack">
        <p>
          {isOwner
            ? `Connect one for ${mode} mode: Stripe asks for the business and its bank account, and leads back here.`
            : "Ask an owner of this tenant to connect one: it leads to Stripe and back."}
        </p>
        {isOwner && <ConnectAccount />}
      </div>
    </Empty>
  );
}

function Standing({ of: found }: { of: Connected }): ReactNode {
  const { account_details: details, requirements, refreshed } = found;
  const share = useRead(["terms"], (api, signal) => api.get("/api/v1/auth/tenants/terms/", { signal }));
  return (
    <>
      {found.status !== "active" && <Unfinished of={found} />}
      {!refreshed && <p className="bh-notice">Stripe did not answer just now: this is what was known before.</p>}
      <KeyValue
        facts={[
          ["Account", <IdText key="id" id={found.account_id} whole />],
          ["Payments", <Can key="charges" can={found.charges_enabled} />],
          ["Payouts", <Can key="payouts" can={found.payouts_enabled} />],
          ["Platform’s share", share.data === undefined ? "\u00a0" : `${share.data.application_fee_percent} %`],
          ["E-mail address", details.email],
          ["Business", details.business_type === null ? null : wordOf(details.business_type)],
          ["Country", details.country],
          ["Currency", details.default_currency?.toUpperCase() ?? null],
          ["Details submitted", details.details_submitted ? "Yes" : "No"],
        ]}
      />
      <Requirements of={requirements} />
      <Disconnect />
    </>
  );
}

function Can({ can }: { can: boolean }): ReactNode {
  return <StatusDot status={can ? "enabled" : "inactive"} label={can ? "Possible" : "Not yet"} />;
}

function Unfinished({ of: { status, requirements } }: { of: Connected }): ReactNode {
  const isOwner = useIsOwner();
  const reason = requirements.disabled_reason;
  return (
    <div className="bh-notice bh-row" role="status">
      <span>
        {status === "pending"
          ? "Stripe’s onboarding is not finished: the account takes no payments yet."
          : "Stripe has restricted the account until it has what is listed below."}
        {reason !== null && <span className="bh-dim"> {said(reason)}</span>}
        {!isOwner && " An owner can go on with it."}
      </span>
      {isOwner && (
        <span className="bh-to-end">
          <ConnectAccount again />
        </span>
      )}
    </div>
  );
}

const DUE = [
  ["past_due", "Past due"],
  ["currently_due", "Needed now"],
  ["eventually_due", "Needed later"],
] as const;

function Requirements({ of }: { of: Connected["requirements"] }): ReactNode {
  const lists = DUE.filter(([name]) => of[name].length > 0);
  if (lists.length === 0) return null;
  return (
    <Section title="What Stripe needs">
      <KeyValue
        facts={lists.map(([name, label]) => [
          label,
          <ul key={name} className="bh-due">
            {of[name].map((one) => (
              <li key={String(one)} title={String(one)}>
                {said(String(one))}
              </li>
            ))}
          </ul>,
        ])}
      />
    </Section>
  );
}

/** `individual.verification.document` → `Individual: verification, document`. */
function said(requirement: string): string {
  const [first = "", ...rest] = requirement.split(".").map((part) => part.replaceAll("_", " "));
  return wordOf(rest.length === 0 ? first : `${first}: ${rest.join(", ")}`);
}

function Disconnect(): ReactNode {
  const isOwner = useIsOwner();
  const [isOpen, setOpen] = useState(false);
  const disconnect = useAct((api) => api.post("/api/v1/auth/tenants/stripe/disconnect/", {}), {
    done: "The account is disconnected.",
    then: () => setOpen(false),
  });
  if (!isOwner) return null;
  return (
    <Section title="Disconnect">
      <div className="bh-row">
        <span className="bh-dim">New payments stop. What was paid stays as it is, at Stripe and here.</span>
        <Button className="bh-to-end" variant="default" onClick={() => setOpen(true)}>
          Disconnect
        </Button>
      </div>
      <ErrorNote error={isOpen ? null : disconnect.error} />
      <ConfirmDialog
        opened={isOpen}
        close={() => setOpen(false)}
        title="Disconnect the Stripe account?"
        action="Disconnect"
        typed="disconnect"
        run={() => disconnect.mutate(undefined)}
        isPending={disconnect.isPending}
        error={disconnect.error}
      >
        Billhook no longer acts on it: no invoices, no checkouts, no renewals that the platform would see.
      </ConfirmDialog>
    </Section>
  );
}
