// What the heads of Stripe's objects mean to somebody who waits. Pure. Columns are read, not payloads: old shapes land in the same.
import { STATUS_OBJECTS, type StatusObject } from "./status-grants.ts";

/** pending, action_required: it goes on · the others: the wait is over. A payment that failed may be tried again. */
export const STATUSES = ["pending", "action_required", "succeeded", "failed", "expired", "canceled"] as const;
export type Status = (typeof STATUSES)[number];

export interface IntentHead {
  /** As Stripe has it; null: we know of it, and have not seen it. */
  status: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** The heads that decide. Null: there is none, or it has not been seen. */
export interface StatusHeads {
  object: StatusObject;
  objectId: string;
  head: {
    status: string | null;
    deleted: boolean;
    /** Of a session. */
    paymentStatus: string | null;
  } | null;
  /** What a payment intent or setup intent says: the object's own, or the one that it waits for. */
  paymentId: string | null;
  payment: IntentHead | null;
  setup: IntentHead | null;
}

export interface Failure {
  code: string;
  message: string;
}

export interface StatusView {
  status: Status;
  stripeStatus: string | null;
  failure: Failure | null;
  /** The object whose change ends the wait: what Stripe is asked for. */
  awaits: { objectType: StatusObject; objectId: string };
}

type Standing = Pick<StatusView, "status" | "failure"> & { awaits?: StatusView["awaits"] };

export const isOver = (status: Status): boolean => status !== "pending" && status !== "action_required";

export function statusView(heads: StatusHeads): StatusView {
  const own = { objectType: heads.object, objectId: heads.objectId };
  const { head } = heads;
  if (head === null) return { status: "pending", stripeStatus: null, failure: null, awaits: own };
  const standing = STANDINGS[heads.object](heads, head);
  return { ...standing, stripeStatus: head.status, awaits: standing.awaits ?? own };
}

type Head = NonNullable<StatusHeads["head"]>;

const STANDINGS: Record<StatusObject, (heads: StatusHeads, head: Head) => Standing> = {
  "checkout.session": ofSession,
  payment_intent: (heads) => ofIntent(heads.payment),
  setup_intent: (heads) => ofIntent(heads.setup),
  subscription: ofSubscription,
  invoice: ofInvoice,
};

const plain = (status: Status): Standing => ({ status, failure: null });

function ofSession(heads: StatusHeads, { status, paymentStatus }: Head): Standing {
  if (status === "expired") return plain("expired");
  if (status !== "complete") return plain("pending");
  if (paymentStatus === "paid" || paymentStatus === "no_payment_required") return plain("succeeded");
  if (paymentStatus !== "unpaid") return plain("pending");
  // A payment that takes days, such as a bank transfer: its intent tells how it stands.
  const standing = ofIntent(heads.payment);
  // Paid, and the session does not say so yet: what is bought is granted by the session's word.
  if (standing.status === "succeeded") return plain("pending");
  return { ...standing, ...awaitsPayment(heads) };
}

function awaitsPayment({ paymentId }: StatusHeads): Pick<Standing, "awaits"> | object {
  return paymentId === null ? {} : { awaits: { objectType: STATUS_OBJECTS.pi, objectId: paymentId } };
}

function ofIntent(intent: IntentHead | null): Standing {
  switch (intent?.status) {
    case "succeeded":
      return plain("succeeded");
    case "canceled":
      return plain("canceled");
    case "requires_action":
      return plain("action_required");
    case "requires_payment_method":
      // Without an error nothing has been tried yet.
      return intent.errorCode === null && intent.errorMessage === null ? plain("pending") : failed(intent);
    default:
      return plain("pending");
  }
}

function failed(intent: IntentHead | null): Standing {
  const code = intent?.errorCode ?? "payment_failed";
  const message = intent?.errorMessage ?? "The payment failed: try again, or use another payment method.";
  return { status: "failed", failure: { code, message } };
}

function ofSubscription(heads: StatusHeads, { status, deleted }: Head): Standing {
  switch (status) {
    case "active":
    case "trialing":
      return plain(deleted ? "canceled" : "succeeded");
    case "canceled":
      return plain("canceled");
    case "incomplete_expired":
      return plain("expired");
    case "incomplete":
      return deleted ? plain("canceled") : firstPayment(heads);
    case "past_due":
    case "unpaid":
      return deleted ? plain("canceled") : renewal(heads);
    case "paused":
      // Its trial ended without a payment method.
      return plain(deleted ? "canceled" : "action_required");
    default:
      return plain(deleted ? "canceled" : "pending");
  }
}

function firstPayment(heads: StatusHeads): Standing {
  const standing = ofIntent(heads.payment ?? heads.setup);
  // Paid or given up, and the subscription does not say so yet.
  if (isOver(standing.status) && standing.status !== "failed") return plain("pending");
  return standing;
}

function renewal({ payment }: StatusHeads): Standing {
  return payment?.status === "requires_action" ? plain("action_required") : failed(payment);
}

function ofInvoice(heads: StatusHeads, { status, deleted }: Head): Standing {
  switch (status) {
    case "paid":
      return plain("succeeded");
    case "void":
      return plain("canceled");
    case "uncollectible":
      return failed(heads.payment);
    case "open": {
      if (deleted) return plain("canceled");
      const standing = ofIntent(heads.payment);
      return standing.status === "failed" || standing.status === "action_required" ? standing : plain("pending");
    }
    default:
      return plain(deleted ? "canceled" : "pending");
  }
}
