// A form that takes a card or another means of payment, and shows how the payment goes on until its end.
"use client";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";

import { isOver, type PaymentProgress, type PaymentState } from "../client/payment-status.ts";
import { keepStatusUrl } from "../client/return-visit.ts";
import { type BegunPayment, intentOf, type Submission } from "./begun-payment.ts";
import { SandboxCardForm } from "./sandbox-card-form.tsx";
import { usePaymentStatus } from "./use-payment-status.ts";

// Stripe's packages are asked for only where Stripe is.
const StripePaymentForm = lazy(() => import("./stripe-payment-form.tsx"));

export interface PaymentFormProps {
  /** Billhook's answer: of `POST /account/subscription/` with `mode: "elements"`, or `POST /account/payment-method/`. */
  payment: BegunPayment;
  /** Where the bank's page leads back to, when the buyer must confirm there; this page unless it is set. */
  returnUrl?: string | undefined;
  submitLabel?: string | undefined;
  /** The form asks for none: what you know of it goes with the payment. */
  postalCode?: string | undefined;
  /** Told of each state, the end included. */
  onProgress?: ((progress: PaymentProgress) => void) | undefined;
  /** Sentences in your own words, or your own language. */
  words?: Partial<Record<PaymentState, string>> | undefined;
  className?: string | undefined;
}

const WORDS: Record<PaymentState, string> = {
  idle: "",
  pending: "We are waiting for your payment to be confirmed…",
  action_required: "Your bank asks you to confirm this payment.",
  succeeded: "Thank you: your payment has arrived.",
  failed: "The payment did not go through.",
  expired: "This payment was not finished in time: please begin again.",
  canceled: "This payment was canceled.",
  offline: "We cannot reach the server at the moment, and will go on as soon as we can.",
};

export function PaymentForm(props: PaymentFormProps): ReactNode {
  const { payment, returnUrl, submitLabel = "Pay", postalCode, words, className } = props;
  const { submit, isBusy, message, progress } = useSubmission(props);
  const { state, status } = progress;
  const isDone = isBusy && isOver(state);
  const form = { payment, submitLabel, isBusy, submit, returnUrl: returnUrl ?? pageAddress() };
  const sandboxUrl = payment.sandbox_url ?? null;
  const said = message ?? status?.failure?.message;
  return (
    <div className={className ?? "billhook-payment"} data-state={state}>
      {!isDone &&
        (sandboxUrl === null ? (
          <Suspense fallback={<p role="status">…</p>}>
            <StripePaymentForm {...form} postalCode={postalCode} />
          </Suspense>
        ) : (
          <SandboxCardForm {...form} sandboxUrl={sandboxUrl} />
        ))}
      {!isBusy && said !== undefined && <p role="alert">{said}</p>}
      {isBusy && state !== "idle" && <p role="status">{words?.[state] ?? WORDS[state]}</p>}
    </div>
  );
}

/** Followed from the submission on: `failed` gives the form back. */
function useSubmission({ payment, onProgress }: PaymentFormProps) {
  const [isSubmitted, setSubmitted] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const [message, setMessage] = useState<string>();
  const progress = usePaymentStatus(isSubmitted ? payment.status_url : null);
  const { state, again } = progress;
  const latest = useRef(onProgress);
  useEffect(() => {
    latest.current = onProgress;
  });
  useEffect(() => {
    if (isSubmitted) latest.current?.({ state, status: progress.status, problem: progress.problem });
    // The last told counts, not when the page was drawn.
  }, [isSubmitted, state, progress.status, progress.problem]);
  const submit = (confirm: () => Promise<Submission>): void => {
    setAsking(true);
    setMessage(undefined);
    // For the way back from the bank, whose address names the intent alone.
    keepStatusUrl(intentOf(payment.client_secret).id, payment.status_url);
    confirm().then(
      (submission) => {
        if (submission.outcome === "left") return;
        setAsking(false);
        if (submission.outcome === "failed") setMessage(submission.message);
        else if (isSubmitted) again();
        else setSubmitted(true);
      },
      () => {
        setAsking(false);
        setMessage("Stripe could not be reached: check the connection, and try again.");
      },
    );
  };
  const isFollowed = isSubmitted && message === undefined && state !== "failed";
  return { submit, message, progress, isBusy: isAsking || isFollowed };
}

const pageAddress = (): string => (typeof location === "undefined" ? "" : location.href);
