// What a payment form needs to know: the fields of Billhook's answers that carry a client_secret.

export interface BegunPayment {
  /** Of a payment intent or a setup intent. */
  client_secret: string;
  publishable_key: string | null;
  /** The connected account that it is on; null or left out: the platform's own. */
  stripe_account?: string | null | undefined;
  /** Where the sandbox is that stands in for Stripe; null or left out: it is Stripe. */
  sandbox_url?: string | null | undefined;
  status_url: string;
}

export interface Intent {
  kind: "payment" | "setup";
  /** `pi_…` or `seti_…` */
  id: string;
}

/** Throws for what is no client secret of an intent. */
export function intentOf(clientSecret: string): Intent {
  const [, id = "", prefix] = /^((pi|seti)_\w+?)_secret_/.exec(clientSecret) ?? [];
  if (prefix === undefined) throw new Error("This client_secret is not that of a payment intent or a setup intent.");
  return { kind: prefix === "pi" ? "payment" : "setup", id };
}

/** How a form's submission went. left: the browser is on its way to the bank */
export type Submission = { outcome: "done" } | { outcome: "left" } | { outcome: "failed"; message: string };

/** What a form of either kind gets from `<PaymentForm>`. */
export interface CardFormProps {
  payment: BegunPayment;
  /** Where the bank's page leads back to. */
  returnUrl: string;
  submitLabel: string;
  /** Stripe is being asked, or the form is done. */
  isBusy: boolean;
  /** Runs `confirm`, which tells how it went, and shows it. */
  submit: (confirm: () => Promise<Submission>) => void;
}
