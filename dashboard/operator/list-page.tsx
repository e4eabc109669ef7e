// The page of one kind's list.
import type { ComponentType, ReactNode } from "react";

import { PageHeader } from "../parts/page-frame.tsx";
import { type Kind, KindTable } from "./kind-table.tsx";
import { creditPacks, creditPurchases, mails, plans, tenants, users } from "./own-kinds.tsx";
import { customers, disputes, invoices, payments, refunds, subscriptions } from "./stripe-kinds.tsx";

const KINDS = {
  ...{ customers, subscriptions, invoices, payments, refunds, disputes },
  ...{ plans, creditPacks, creditPurchases, tenants, users, mails },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export function listPage(name: KindName, title: string): ComponentType {
  const kind = KINDS[name];
  return function ListPage(): ReactNode {
    return (
      <>
        <PageHeader title={title} />
        <KindTable kind={kind} />
      </>
    );
  };
}
