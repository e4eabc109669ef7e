// Where Checkout leads back to after a subscription was begun: live until it runs.
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import type { PaymentStatus } from "../../kit/client/client.ts";
import { PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { PaymentProgressCard, type Sentences } from "./payment-progress.tsx";

const SAYS: Sentences = {
  pending: "Waiting for the subscription to begin. This page changes by itself.",
  succeeded: "Your subscription has begun.",
};

export default function SubscriptionReturnPage(): ReactNode {
  const go = useGo();
  const id = new URLSearchParams(location.search).get("session_id");
  const onward = (label: string): ReactNode => <Button onClick={() => go("/dashboard/subscription")}>{label}</Button>;
  return (
    <>
      <PageHeader title="Your subscription" crumbs={[{ label: "Subscription", to: "/dashboard/subscription" }]} />
      <PaymentProgressCard
        id={id}
        says={SAYS}
        succeeded={(status) => <Begun status={status} />}
        again={onward("Subscribe again")}
      >
        {onward("See your subscription")}
      </PaymentProgressCard>
    </>
  );
}

function Begun({ status: { result } }: { status: PaymentStatus }): ReactNode {
  const cache = useQueryClient();
  // What other pages know of the account is older than this.
  useEffect(() => void cache.invalidateQueries(), [cache]);
  if (result.subscription_status === null) return null;
  return (
    <p>
      <StatusDot status={result.subscription_status} />
    </p>
  );
}
