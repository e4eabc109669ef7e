// Who may see a page, and what is shown instead.
import { type ReactNode, useEffect } from "react";

import { Empty } from "../parts/page-frame.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import type { PageSpec } from "./area.ts";
import { firstPath } from "./areas.ts";
import { CardPage } from "./card-page.tsx";
import { mayOpen, useMe } from "./me.ts";
import { productName } from "./settings.ts";
import { useStanding } from "./standing.ts";

export function PageGate({ spec, children }: { spec: PageSpec; children: ReactNode }): ReactNode {
  const { tenant } = useStanding();
  const allowed = mayOpen(spec.who, useMe(), tenant);
  usePageTitle(spec.title);
  return allowed ? children : <NoPermission spec={spec} />;
}

const NEEDED: Record<PageSpec["who"], string> = {
  user: "",
  member: "It is for members of a tenant: ask one of its admins for an invitation.",
  admin: "It is for the tenant's admins and owners: ask one of them, or choose another tenant above.",
  owner: "It is for the tenant's owners: ask one of them, or choose another tenant above.",
  operator: "It is for operators, who are owners and admins of the platform.",
  sandbox: "It is for operators, while no Stripe key is set and the sandbox runs.",
};

function NoPermission({ spec }: { spec: PageSpec }): ReactNode {
  return (
    <Empty title="You may not open this page">
      <p>{NEEDED[spec.who]}</p>
      <PageLink to="/">Go to your first page</PageLink>
    </Empty>
  );
}

export function FirstPage(): ReactNode {
  const go = useGo();
  const { tenant } = useStanding();
  const path = firstPath(useMe(), tenant);
  useEffect(() => go(path, { replace: true }));
  return null;
}

export function NotFoundPage(): ReactNode {
  usePageTitle("Not found");
  return (
    <CardPage title="There is no such page" lead="Check the address, or search for what you need with ⌘K or Ctrl K.">
      <PageLink to="/">Go to your first page</PageLink>
    </CardPage>
  );
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${productName}`;
  }, [title]);
}
