// One person who signs in: their tenants, and the accounts with their address, each with its balance and newest purchases.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import type { FoundAccount, ListedUser } from "./operator-reads.ts";

import "./operator.css";

export default function PersonPage(): ReactNode {
  const id = usePathPart("id");
  const person = useRead(["person", id], (api, signal) =>
    api.get("/api/v1/admin/users/{id}/", { params: { path: { id } }, signal }),
  );
  return (
    <>
      <PageHeader
        title={person.data?.email ?? "Person"}
        crumbs={[{ label: "People", to: "/operator/people" }]}
        beside={
          person.data !== undefined && <StatusDot status={person.data.email_verified ? "verified" : "unverified"} />
        }
      >
        <IdText id={id} whole />
      </PageHeader>
      <Loaded
        of={person}
        lines={8}
        absent={<Empty title="There is no such person">Check the id, or find them by their whole address.</Empty>}
      >
        {(found) => <Found person={found} />}
      </Loaded>
    </>
  );
}

function Found({ person: { email, name, tenants, created_at: at } }: { person: ListedUser }): ReactNode {
  return (
    <>
      <KeyValue
        facts={[
          ["Name", name],
          ["Registered", <RelativeTime key="at" at={at} />],
          [
            "Tenants",
            tenants.length === 0 ? null : (
              <ul key="tenants" className="bh-children">
                {tenants.map(({ id, role }) => (
                  <li key={id}>
                    <LinkedId id={id} /> <span className="bh-dim">{wordOf(role)}</span>
                  </li>
                ))}
              </ul>
            ),
          ],
          [
            "Mails",
            <PageLink key="mails" to={`/operator/mails?to=${encodeURIComponent(email)}`}>
              To this address
            </PageLink>,
          ],
        ]}
      />
      <Section title="Accounts with this address">
        <Accounts email={email} />
      </Section>
    </>
  );
}

function Accounts({ email }: { email: string }): ReactNode {
  const accounts = useRead(["accounts-of", email], (api, signal) =>
    api.get("/api/v1/admin/accounts/", { params: { query: { email } }, signal }),
  );
  return (
    <Loaded of={accounts} lines={6}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty title="None">An account is made when somebody buys, or by POST /api/v1/accounts/.</Empty>
        ) : (
          data.map((account) => <Account key={`${account.id} ${String(account.livemode)}`} account={account} />)
        )
      }
    </Loaded>
  );
}

function Account({ account }: { account: FoundAccount }): ReactNode {
  const { id, company_name: company, tenant_id: tenant, livemode, stripe_customer_id: customer, purchases } = account;
  return (
    <div className="bh-block">
      <KeyValue
        facts={[
          ["Account", <LinkedId key="id" id={id} />],
          [
            "Tenant",
            <span key="tenant" className="bh-in-text">
              <PageLink to={`/operator/tenants/${tenant}`}>{company}</PageLink>, {livemode ? "live" : "test"} mode
            </span>,
          ],
          ["Status", <StatusDot key="status" status={account.status} />],
          ["Balance", <Figure key="balance" value={account.credit_balance} unit="credits" />],
          ["Stripe customer", customer === null ? undefined : <LinkedId key="customer" id={customer} />],
          [
            "Newest purchases",
            purchases.length === 0 ? undefined : (
              <ul key="purchases" className="bh-children">
                {purchases.map((purchase) => (
                  <li key={purchase.id}>
                    <LinkedId id={purchase.id} /> <StatusDot status={purchase.state} />{" "}
                    <Figure value={purchase.credits} unit="credits" />
                  </li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
    </div>
  );
}
