// An invoice on behalf of a connected account: its status, its fee and the next step of its making. Pure.

export const INVOICE_STATUSES = ["pending", "paid", "payment_failed", "void", "uncollectible"] as const;
export type ConnectedInvoiceStatus = (typeof INVOICE_STATUSES)[number];

/** In the invoice's metadata at Stripe: the id of the record that it was made for. */
export const RECORD_FIELD = "billhook_invoice";

/** Integer minor units of the invoice's currency. */
export type MinorUnits = number;

export interface InvoiceItem {
  description: string | null;
  /** For one. */
  amount: MinorUnits;
  quantity: number;
}

/** What an invoice's head says, whatever came before it. */
export interface InvoiceState {
  /** Stripe's: draft, open, paid, uncollectible or void. */
  status: string | null;
  /** Some attempt to pay it failed. */
  paymentFailed: boolean;
}

/** A failed payment is not the end: the invoice stays open, and may still be paid. So may an uncollectible one. */
export function statusOf({ status, paymentFailed }: InvoiceState): ConnectedInvoiceStatus {
  switch (status) {
    case "paid":
    case "void":
    case "uncollectible":
      return status;
    default:
      return paymentFailed ? "payment_failed" : "pending";
  }
}

/** What the items come to. */
export function totalOf(items: readonly Pick<InvoiceItem, "amount" | "quantity">[]): MinorUnits {
  return items.reduce((sum, { amount, quantity }) => sum + amount * quantity, 0);
}

/**
 * The platform's share: round half up of total × percent / 100, never more than the total.
 *
 * @param percent 0 to 100, with two decimals at most
 */
export function feeOf(total: MinorUnits, percent: number): MinorUnits {
  // Whole numbers throughout: 1.005 % is no binary fraction, and 2^53 is less than a large invoice times 10,000.
  const hundredths = BigInt(Math.round(percent * 100));
  return Number((BigInt(total) * hundredths + 5_000n) / 10_000n);
}

/** Whether a percentage has two decimals at most. */
export function isWholeHundredths(percent: number): boolean {
  return Math.abs(percent * 100 - Math.round(percent * 100)) < 1e-9;
}

/**
 * making: on its way to the customer · made: Stripe has it · refused: Stripe would not make it, and the caller was told at
 * once · abandoned: given up later, which the record tells. On the way to these two, the draft must go: refusing, abandoning
 */
export type Stage = "making" | "made" | "refusing" | "refused" | "abandoning" | "abandoned";

/** How far the making of an invoice has come. */
export interface Making {
  stage: Stage;
  stripeCustomerId: string | null;
  stripeInvoiceId: string | null;
  items: readonly InvoiceItem[];
  /** So many of the items, the first ones, are on the draft. */
  itemsMade: number;
  finalized: boolean;
}

export type Step =
  | { kind: "customer" }
  | { kind: "invoice"; customer: string }
  | { kind: "item"; customer: string; invoice: string; index: number; item: InvoiceItem }
  | { kind: "finalize"; invoice: string }
  | { kind: "send"; invoice: string }
  | { kind: "discard" };

/** What is to be asked of Stripe next; undefined when nothing is left. */
export function nextStep(making: Making): Step | undefined {
  const { stage, stripeCustomerId: customer, stripeInvoiceId: invoice, items, itemsMade, finalized } = making;
  if (stage === "refusing" || stage === "abandoning") return { kind: "discard" };
  if (stage !== "making") return undefined;
  if (invoice !== null && finalized) return { kind: "send", invoice };
  if (customer === null) return { kind: "customer" };
  if (invoice === null) return { kind: "invoice", customer };
  const item = items[itemsMade];
  return item === undefined
    ? { kind: "finalize", invoice }
    : { kind: "item", customer, invoice, index: itemsMade, item };
}

export interface ConnectedInvoice extends Making {
  tenantId: string;
  /** cinv_… */
  id: string;
  livemode: boolean;
  /** acct_… */
  account: string;
  origin: "billhook" | "stripe";
  customerEmail: string | null;
  customerName: string | null;
  currency: string;
  memo: string | null;
  metadata: Record<string, string>;
  daysUntilDue: number | null;
  /** null for one that was made elsewhere. */
  applicationFeePercent: number | null;
  applicationFeeAmount: MinorUnits | null;
  total: MinorUnits;
  amountPaid: MinorUnits;
  number: string | null;
  status: ConnectedInvoiceStatus;
  paidAt: Date | null;
  dueAt: Date | null;
  hostedInvoiceUrl: string | null;
  invoicePdf: string | null;
  stage: Stage;
  /** Its customer was made for it, or is to be: not one of an earlier invoice. */
  customerMade: boolean;
  keyRound: number;
  attempts: number;
  /** Who works on it; null: nobody. */
  lease: string | null;
  /** Seconds since it was asked for. */
  age: number;
  /** Why it was given up, or could not be sent. */
  errorCode: string | null;
  errorMessage: string | null;
  errorRequestId: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewConnectedInvoice extends Pick<
  ConnectedInvoice,
  "tenantId" | "id" | "livemode" | "account" | "customerName" | "currency" | "items" | "memo" | "metadata" | "total"
> {
  requestKey: string | null;
  customerEmail: string;
  daysUntilDue: number;
  applicationFeePercent: number;
  applicationFeeAmount: MinorUnits;
  createdBy: string | null;
}

/** Who works on one, and for how long nobody else does. */
export interface Lease {
  name: string;
  seconds: number;
}

/** What an answer of Stripe's adds. What the pipe wrote meanwhile stays: it may know more. */
export interface Progress {
  customer?: { id: string | null; made: boolean };
  invoice?: {
    id: string;
    finalized: boolean;
    number: string | null;
    hostedInvoiceUrl: string | null;
    invoicePdf: string | null;
    /** Unix seconds. */
    dueAt: number | null;
  };
  itemsMade?: number;
  stage?: Stage;
  keyRound?: number;
  error?: { code: string; message: string; stripeRequestId: string | undefined };
  /** Lets go, and is due again after so many seconds. */
  putOff?: number;
}

/** An invoice's head on a connected account, as the pipe knows it. */
export interface InvoiceHead {
  tenantId: string;
  livemode: boolean;
  account: string;
  stripeInvoiceId: string;
  /** Of its metadata: the record that it was made for. */
  madeFor: string | null;
  draft: boolean;
  status: ConnectedInvoiceStatus;
  /** Unix seconds. */
  created: number | null;
  paidAt: number | null;
  dueAt: number | null;
  currency: string;
  total: MinorUnits;
  amountDue: MinorUnits | null;
  amountPaid: MinorUnits;
  applicationFeeAmount: MinorUnits | null;
  stripeCustomerId: string | null;
  customerEmail: string | null;
  customerName: string | null;
  number: string | null;
  hostedInvoiceUrl: string | null;
  invoicePdf: string | null;
  memo: string | null;
  items: readonly InvoiceItem[];
  metadata: Record<string, unknown>;
}
