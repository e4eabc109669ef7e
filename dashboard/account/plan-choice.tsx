// The plans on sale: to begin with one at Stripe's Checkout, or to change to another one.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { money } from "../../kit/react/money.ts";
import { useAct, useOwnApi } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { type Plan, useCheckout } from "./own-reads.ts";
import type { OwnSubscription } from "./subscription-page.tsx";

import "./account.css";

export function priceOf({ amount, currency, billing_interval: unit, interval_count: count }: Plan): string {
  const price = money(amount, currency, "en");
  return count === 1 ? `${price} a ${unit}` : `${price} every ${count} ${unit}s`;
}

export function PlansOnSale({ plans }: { plans: readonly Plan[] }): ReactNode {
  const [chosen, setChosen] = useState<string>();
  const begin = useCheckout((own, priceId: string) =>
    own.post("/account/subscription/", { body: { price_id: priceId } }),
  );
  const isLeaving = begin.isPending || typeof begin.data?.checkout_url === "string";
  return (
    <div className="bh-stack">
      <ErrorNote error={begin.error} />
      <PlanList plans={plans}>
        {(plan) => (
          <Button
            variant="default"
            loading={isLeaving && chosen === plan.id}
            onClick={() => {
              setChosen(plan.id);
              begin.mutate(plan.price_id ?? "");
            }}
          >
            Subscribe<span className="bh-hidden"> to {plan.name}</span>
          </Button>
        )}
      </PlanList>
    </div>
  );
}

export function PlanChoice({
  subscription,
  plans,
}: {
  subscription: OwnSubscription;
  plans: readonly Plan[];
}): ReactNode {
  const own = useOwnApi();
  const [wanted, setWanted] = useState<Plan>();
  const change = useAct(
    (_api, { price_id: price }: Plan) =>
      own.post("/account/subscription/change-plan/", {
        body: { price_id: price ?? "", subscription_id: subscription.id },
      }),
    { done: (_answer, { name }) => `Changed to ${name}.`, then: () => setWanted(undefined) },
  );
  const current = subscription.price_id;
  return (
    <>
      <PlanList plans={plans} current={current}>
        {(plan) => (
          <Button
            variant="default"
            disabled={plan.price_id === current}
            onClick={() => {
              change.reset();
              setWanted(plan);
            }}
          >
            {plan.price_id === current ? "Your plan" : "Change to this"}
            <span className="bh-hidden">: {plan.name}</span>
          </Button>
        )}
      </PlanList>
      <ConfirmDialog
        opened={wanted !== undefined}
        close={() => setWanted(undefined)}
        title={`Change to ${wanted?.name ?? ""}?`}
        action="Change the plan"
        run={() => wanted !== undefined && change.mutate(wanted)}
        isPending={change.isPending}
        error={change.error}
      >
        It is {wanted === undefined ? "" : priceOf(wanted)} from now on. What is left of the paid period is set off on
        the next invoice.
      </ConfirmDialog>
    </>
  );
}

interface PlanListProps {
  plans: readonly Plan[];
  current?: string | null;
  children: (plan: Plan) => ReactNode;
}

function PlanList({ plans, current, children }: PlanListProps): ReactNode {
  if (plans.length === 0)
    return <Empty title="No plan is on sale">The platform has no active plans in this mode.</Empty>;
  return (
    <ul className="bh-plans">
      {plans.map((plan) => (
        <li key={plan.id} data-current={plan.price_id === current || undefined}>
          <h3>{plan.name}</h3>
          <p className="bh-figure bh-price">{priceOf(plan)}</p>
          {plan.trial_days !== null && plan.trial_days > 0 && (
            <p className="bh-dim">{plan.trial_days} days to try it</p>
          )}
          <ul>
            {plan.features.map((feature) => (
              <li key={feature}>{feature}</li>
            ))}
          </ul>
          {children(plan)}
        </li>
      ))}
    </ul>
  );
}
