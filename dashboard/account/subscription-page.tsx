// The own subscription: what it is, when it goes on or ends, and canceling, resuming or changing it; or the plans to begin with.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct, useOwnApi } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { ExactTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { methodName, type OwnAccount, type Plan, useOwnAccount, usePlans } from "./own-reads.ts";
import { PlanChoice, PlansOnSale, priceOf } from "./plan-choice.tsx";
import { SubscriptionActions } from "./subscription-actions.tsx";

export type OwnSubscription = NonNullable<OwnAccount["subscription"]>;

/** What Stripe says of a change comes a moment after it. */
const LOOK_MS = 2000;
const ENDED = new Set(["canceled", "incomplete_expired"]);

export default function SubscriptionPage(): ReactNode {
  const account = useOwnAccount(LOOK_MS);
  const plans = usePlans();
  const current = account.data?.subscription ?? null;
  const isRunning = current !== null && !ENDED.has(current.status ?? "");
  return (
    <>
      <PageHeader
        title="Subscription"
        beside={current === null ? undefined : <StatusDot status={current.status} />}
        actions={isRunning ? <SubscriptionActions subscription={current} /> : undefined}
      />
      <Loaded of={account} lines={6}>
        {({ default_payment_method: method }) => (
          <Loaded of={plans} lines={6}>
            {(onSale) => (
              <>
                {current !== null && <Facts subscription={current} plans={onSale} method={method} />}
                {isRunning ? (
                  <Section title="Change the plan">
                    <PlanChoice subscription={current} plans={onSale} />
                  </Section>
                ) : (
                  <Section title={current === null ? "Choose a plan" : "Subscribe again"}>
                    <PlansOnSale plans={onSale} />
                  </Section>
                )}
              </>
            )}
          </Loaded>
        )}
      </Loaded>
      {current !== null && <Portal />}
    </>
  );
}

interface FactsProps {
  subscription: OwnSubscription;
  plans: readonly Plan[];
  method: OwnAccount["default_payment_method"];
}

function Facts({ subscription, plans, method }: FactsProps): ReactNode {
  const { id, price_id: price, quantity, cancel_at: cancelAt, trial_end: trialEnd } = subscription;
  const plan = plans.find(({ price_id: sold }) => sold === price);
  const ends = subscription.current_period_end;
  return (
    <KeyValue
      facts={[
        ["Plan", plan?.name ?? <IdText id={price ?? "–"} />],
        ["Price", plan === undefined ? undefined : priceOf(plan)],
        ["Places", quantity !== null && quantity > 1 ? String(quantity) : undefined],
        ["Trial ends", trialEnd === null ? undefined : <ExactTime at={trialEnd} />],
        cancelAt === null
          ? ["Renews", <ExactTime key="renews" at={ends} />]
          : ["Ends", <ExactTime key="ends" at={cancelAt} />],
        [
          "Paid with",
          <PageLink key="method" to="/dashboard/payment-method">
            {method === null ? "Add a payment method" : `${methodName(method)} •••• ${method.last4 ?? ""}`}
          </PageLink>,
        ],
        ["Subscription", <IdText key="id" id={id} />],
      ]}
    />
  );
}

function Portal(): ReactNode {
  const own = useOwnApi();
  const open = useAct(() => own.post("/account/billing-portal/", {}), { then: ({ url }) => location.assign(url) });
  return (
    <Section title="Billing portal">
      <div className="bh-stack">
        <p className="bh-dim">Stripe’s own pages for your invoices, cards and address.</p>
        <ErrorNote error={open.error} />
        <div>
          <Button variant="default" loading={open.isPending} onClick={() => open.mutate(undefined)}>
            Open the billing portal
          </Button>
        </div>
      </div>
    </Section>
  );
}
