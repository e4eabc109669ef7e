// The guided first run: four deeds in the sandbox, each one press away, ticked off by what is really there.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { dismissFirstSteps, useMe, useOwnApi, useRead, useStanding } from "../frame/hooks.ts";
import { Icon } from "../parts/icons.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { LOOK_MS, type Step } from "./first-step.ts";
import { useWebhookStep } from "./webhook-step.tsx";

import "./sandbox.css";

export default function WelcomePage(): ReactNode {
  const go = useGo();
  const steps = [useCreditsStep(), usePipeStep(), useTenantStep(), useWebhookStep()];
  const done = steps.filter((step) => step.done === true).length;
  const next = steps.findIndex((step) => step.done !== true);
  return (
    <>
      <PageHeader
        title="First steps"
        actions={
          <Button
            variant="default"
            onClick={() => {
              dismissFirstSteps();
              go("/");
            }}
          >
            Dismiss
          </Button>
        }
      >
        Billhook runs against its own local Stripe: no account is needed, and no money moves.
      </PageHeader>
      <ol className="bh-steps">
        {steps.map((step, index) => (
          <OneStep key={step.title} step={step} number={index + 1} isNext={index === next} />
        ))}
      </ol>
      <p className="bh-foot" role="status">
        {done === steps.length ? "All done. This page stays under Sandbox." : `${done} of ${steps.length} done`}
      </p>
    </>
  );
}

function OneStep({ step, number, isNext }: { step: Step; number: number; isNext: boolean }): ReactNode {
  const { title, text, act, done } = step;
  const variant = isNext ? "filled" : "default";
  return (
    <li data-done={done === true || undefined}>
      <span className="bh-step-mark">
        {done === true ? <Icon name="done" size={13} /> : number}
        {done === true && <span className="bh-hidden">Done</span>}
      </span>
      <div>
        <h2>{title}</h2>
        <div className="bh-dim">{text}</div>
      </div>
      {"to" in act ? (
        <StepLink {...act} variant={variant} />
      ) : (
        <Button className="bh-step-act" variant={variant} loading={act.isBusy} onClick={act.run}>
          {act.label}
        </Button>
      )}
    </li>
  );
}

function StepLink({ label, to, variant }: { label: string; to: string; variant: string }): ReactNode {
  const go = useGo();
  return (
    <Button
      className="bh-step-act"
      component="a"
      href={to}
      variant={variant}
      onClick={(event) => {
        event.preventDefault();
        go(to);
      }}
    >
      {label}
    </Button>
  );
}

function useCreditsStep(): Step {
  const own = useOwnApi();
  const paid = useRead(
    ["first-steps", "paid"],
    (_api, signal) => own.get("/account/purchases/", { params: { query: { status: "paid", limit: 1 } }, signal }),
    { every: LOOK_MS },
  );
  return {
    title: "Buy credits",
    text: "Choose a pack and pay with the test card that is filled in. The balance follows the payment.",
    act: { label: "Buy credits", to: "/dashboard/credits" },
    done: paid.data && paid.data.data.length > 0,
  };
}

const PAID = "checkout.session.completed";

function usePipeStep(): Step {
  const { mode } = useStanding();
  const query = { type: PAID, status: "processed", livemode: mode === "live" ? "true" : "false", limit: 1 } as const;
  const processed = useRead(
    ["first-steps", "processed"],
    (api, signal) => api.get("/api/v1/admin/stripe-events/", { params: { query }, signal }),
    { every: LOOK_MS },
  );
  const id = processed.data?.data[0]?.id;
  return {
    title: "See the event travel the pipe",
    text: "What Stripe said of the payment: received, processed, and what it changed.",
    act: { label: "See the event", to: id === undefined ? "/sandbox" : `/operator/stripe-events/${id}` },
    done: processed.data && id !== undefined,
  };
}

const MOST_TENANTS = 100;

function useTenantStep(): Step {
  // The platform itself has nothing to connect.
  const hasTenant = useMe().tenants.some(({ platform }) => !platform);
  const tenants = useRead(
    ["first-steps", "tenants"],
    (api, signal) => api.get("/api/v1/admin/tenants/", { params: { query: { limit: MOST_TENANTS } }, signal }),
    { every: LOOK_MS },
  );
  const connected = tenants.data?.data.some(
    ({ stripe_status_test: status }) => status !== null && status !== "disconnected" && status !== "not_connected",
  );
  return {
    title: "Connect a tenant",
    ...(hasTenant
      ? {
          text: "Open a Stripe account for it at the sandbox’s onboarding, and it can take payments.",
          act: { label: "Connect", to: "/dashboard/connect" },
        }
      : {
          text: "Register a company, and open its Stripe account at the sandbox’s onboarding. You become its owner, and stay the operator.",
          act: { label: "Register a tenant", to: "/register/tenant" },
        }),
    done: connected,
  };
}
