// One account of ours on one page, as an operator follows it: credits, purchases, mails, and what Stripe said of its customer.
import type { ReactNode } from "react";

import { IdText } from "../parts/id-text.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { Timeline } from "./timeline.tsx";

export default function AccountPage(): ReactNode {
  const id = usePathPart("id");
  return (
    <>
      <PageHeader title={<IdText id={id} whole />} crumbs={[{ label: "Stripe customers", to: "/operator/customers" }]}>
        An account of ours: credits, purchases, mails, and what Stripe said of its customer.
      </PageHeader>
      <Timeline id={id} />
    </>
  );
}
