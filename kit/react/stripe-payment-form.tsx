// Stripe's Payment Element, without the field for a postal code.
"use client";
import { Elements, PaymentElement, useElements, useStripe } from "@stripe/react-stripe-js";
import { loadStripe, type Stripe } from "@stripe/stripe-js";
import { type SyntheticEvent, type ReactNode, useMemo } from "react";

import { type CardFormProps, intentOf, type Submission } from "./begun-payment.ts";

interface Props extends CardFormProps {
  postalCode: string | undefined;
}

export default function StripePaymentForm(props: Props): ReactNode {
  const { client_secret: clientSecret, publishable_key: key, stripe_account: account } = props.payment;
  const stripe = useMemo(() => (key === null ? undefined : stripeFor(key, account ?? undefined)), [key, account]);
  const options = useMemo(() => ({ clientSecret }), [clientSecret]);
  if (stripe === undefined) {
    return <p role="alert">Payments are not set up here yet: the server needs STRIPE_PUBLISHABLE_KEY.</p>;
  }
  return (
    <Elements stripe={stripe} options={options} key={clientSecret}>
      <Fields {...props} />
    </Elements>
  );
}

/** One for each key and account: a second one of the same would load its frames again. */
const LOADED = new Map<string, Promise<Stripe | null>>();

function stripeFor(key: string, stripeAccount: string | undefined): Promise<Stripe | null> {
  const name = `${key} ${stripeAccount ?? ""}`;
  const loaded =
    LOADED.get(name) ??
    loadStripe(key, stripeAccount === undefined ? {} : { stripeAccount }).catch((error: unknown) => {
      // Offline, say: the next form tries again.
      LOADED.delete(name);
      throw error;
    });
  LOADED.set(name, loaded);
  return loaded;
}

const FIELDS = { billingDetails: { address: { postalCode: "never" } } } as const;

function Fields({ payment, returnUrl, submitLabel, isBusy, submit, postalCode }: Props): ReactNode {
  const [stripe, elements] = [useStripe(), useElements()];
  const confirm = async (): Promise<Submission> => {
    if (stripe === null || elements === null)
      return { outcome: "failed", message: "Please wait a moment, and try again." };
    // What the Element does not ask for must be said here, or Stripe.js refuses.
    const address = { postal_code: postalCode ?? "" };
    const confirmParams = { return_url: returnUrl, payment_method_data: { billing_details: { address } } };
    const asked = { elements, confirmParams, redirect: "if_required" } as const;
    const { kind } = intentOf(payment.client_secret);
    const { error } = kind === "payment" ? await stripe.confirmPayment(asked) : await stripe.confirmSetup(asked);
    if (error === undefined) return { outcome: "done" };
    return { outcome: "failed", message: error.message ?? "The payment did not go through: try again." };
  };
  const submitted = (event: SyntheticEvent): void => {
    event.preventDefault();
    submit(confirm);
  };
  return (
    <form onSubmit={submitted}>
      <PaymentElement options={{ fields: FIELDS }} />
      <button type="submit" disabled={stripe === null || isBusy}>
        {submitLabel}
      </button>
    </form>
  );
}
