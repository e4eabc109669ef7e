// Where Checkout leads back to after credits were bought: live until they are there, whenever their webhook comes.
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import type { PaymentStatus } from "../../kit/client/client.ts";
import { Figure } from "../parts/figures.tsx";
import { FigureRow, FigureTile, PageHeader } from "../parts/page-frame.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { PaymentProgressCard, type Sentences } from "./payment-progress.tsx";

const SAYS: Sentences = {
  pending: "Waiting for the payment to be confirmed. The credits appear here by themselves.",
  succeeded: "The credits are on your account.",
};

export default function CreditsReturnPage(): ReactNode {
  const go = useGo();
  const id = new URLSearchParams(location.search).get("session_id");
  const onward = (label: string): ReactNode => (
    <>
      <Button onClick={() => go("/dashboard/credits")}>{label}</Button>
      <PageLink to="/dashboard/purchases">All purchases</PageLink>
    </>
  );
  return (
    <>
      <PageHeader title="Your purchase" crumbs={[{ label: "Credits", to: "/dashboard/credits" }]} />
      <PaymentProgressCard
        id={id}
        says={SAYS}
        succeeded={(status) => <Bought status={status} />}
        again={onward("Buy again")}
      >
        {onward("See your credits")}
      </PaymentProgressCard>
    </>
  );
}

function Bought({ status: { result } }: { status: PaymentStatus }): ReactNode {
  const cache = useQueryClient();
  // What other pages know of the balance is older than this.
  useEffect(() => void cache.invalidateQueries(), [cache]);
  return (
    <FigureRow>
      <FigureTile label="Added">
        <Figure value={result.credits_added} withSign unit="credits" />
      </FigureTile>
      <FigureTile label="Balance">
        <Figure value={result.credit_balance} unit="credits" />
      </FigureTile>
    </FigureRow>
  );
}
