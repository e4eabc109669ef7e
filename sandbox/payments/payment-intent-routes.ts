// /v1/payment_intents, /v1/setup_intents and /v1/setup_attempts.
import type Stripe from "stripe";

import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { cardErrorOf, confirmPaymentIntent, verifyMicrodeposits, type Confirmation } from "./payment-attempt.ts";
import { cancelPaymentIntent, capturePaymentIntent } from "./payment-capture.ts";
import {
  createPaymentIntent,
  type IntentChanges,
  type IntentParams,
  updatePaymentIntent,
} from "./payment-intent-draft.ts";
import {
  cancelSetupIntent,
  confirmSetupIntent,
  createSetupIntent,
  type SetupChanges,
  type SetupConfirmation,
  setupErrorOf,
  type SetupParams,
  updateSetupIntent,
  verifySetup,
} from "./setup-intent.ts";

function create(tx: Transaction, p: IntentParams): Stripe.PaymentIntent {
  const onlyConfirming = ["off_session", "return_url", "error_on_requires_action", "mandate", "mandate_data"] as const;
  const early = onlyConfirming.find((name) => p[name] !== undefined && p[name] !== false);
  if (p.confirm !== true && early !== undefined) {
    throw invalidRequest(`You cannot pass the \`${early}\` parameter without \`confirm\`=true.`, { param: early });
  }
  const intent = createPaymentIntent(tx, p);
  if (p.confirm !== true) return intent;
  refuseWithoutReturn(intent, p);
  const { off_session, return_url, mandate, mandate_data, error_on_requires_action } = p;
  return thrown(
    confirmPaymentIntent(tx, intent.id, {
      off_session,
      return_url,
      mandate,
      mandate_data,
      error_on_requires_action,
    }),
  );
}

/** The methods of the Dashboard may send the customer away: the caller who turned them on says whereto they come back. */
function refuseWithoutReturn(intent: Stripe.PaymentIntent, p: IntentParams): void {
  const asked = p.automatic_payment_methods;
  if (asked?.enabled !== true || asked.allow_redirects === "never") return;
  if (
    p.return_url !== undefined ||
    p.use_stripe_sdk === true ||
    (p.off_session !== undefined && p.off_session !== false)
  )
    return;
  if (intent.payment_method === null) return;
  throw invalidRequest(
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
    { param: "return_url" },
  );
}

/** A declined attempt ends the call, and stays. */
function thrown(intent: Stripe.PaymentIntent): Stripe.PaymentIntent {
  if (intent.status === "requires_payment_method" && intent.last_payment_error !== null) throw cardErrorOf(intent);
  return intent;
}

function thrownSetup(intent: Stripe.SetupIntent): Stripe.SetupIntent {
  if (intent.status === "requires_payment_method" && intent.last_setup_error !== null) throw setupErrorOf(intent);
  return intent;
}

function createSetup(tx: Transaction, p: SetupParams): Stripe.SetupIntent {
  if (p.confirm !== true && p.return_url !== undefined) {
    throw invalidRequest("You cannot pass the `return_url` parameter without `confirm`=true.", { param: "return_url" });
  }
  const intent = createSetupIntent(tx, p);
  if (p.confirm !== true) return intent;
  return thrownSetup(confirmSetupIntent(tx, intent.id, { return_url: p.return_url, mandate_data: p.mandate_data }));
}

interface WithSecret {
  client_secret?: string;
}

/** Who shows a client secret must show the right one: it is all that a browser's key opens an intent with. */
function refuseWrongSecret(
  { object, client_secret: secret }: Stripe.PaymentIntent | Stripe.SetupIntent,
  { client_secret: given }: WithSecret,
): void {
  if (given === undefined || given === secret) return;
  const name = object === "payment_intent" ? "PaymentIntent" : "SetupIntent";
  throw invalidRequest(`The client_secret provided does not match the client_secret associated with the ${name}.`, {
    param: "client_secret",
  });
}

function paymentIntentOf(tx: Transaction, id: string, p: WithSecret): Stripe.PaymentIntent {
  const intent = tx.get("payment_intent", id);
  refuseWrongSecret(intent, p);
  return intent;
}

function setupIntentOf(tx: Transaction, id: string, p: WithSecret): Stripe.SetupIntent {
  const intent = tx.get("setup_intent", id);
  refuseWrongSecret(intent, p);
  return intent;
}

interface Deposits {
  amounts?: number[];
  descriptor_code?: string;
}

const paymentIntents: Route[] = [
  route<IntentParams>()("POST /v1/payment_intents", (tx, p) => create(tx, p)),
  route<Stripe.PaymentIntentListParams>()("GET /v1/payment_intents", (tx, p) => {
    const chosen = tx.where("payment_intent", (each) => p.customer === undefined || idOf(each.customer) === p.customer);
    return listOf(chosen, "/v1/payment_intents", p as ListParameters);
  }),
  route<WithSecret>()("GET /v1/payment_intents/*", (tx, p, id) => paymentIntentOf(tx, id, p)),
  route<IntentChanges>()("POST /v1/payment_intents/*", (tx, p, id) => updatePaymentIntent(tx, id, p)),
  route<Confirmation & WithSecret>()("POST /v1/payment_intents/*/confirm", (tx, p, id) =>
    thrown(confirmPaymentIntent(tx, paymentIntentOf(tx, id, p).id, p)),
  ),
  route<Stripe.PaymentIntentCaptureParams>()("POST /v1/payment_intents/*/capture", (tx, p, id) =>
    capturePaymentIntent(tx, id, p),
  ),
  route<Stripe.PaymentIntentCancelParams>()("POST /v1/payment_intents/*/cancel", (tx, p, id) =>
    cancelPaymentIntent(tx, id, p),
  ),
  route<Deposits>()("POST /v1/payment_intents/*/verify_microdeposits", (tx, p, id) => verifyMicrodeposits(tx, id, p)),
  route<{ limit?: number }>()("GET /v1/payment_intents/*/amount_details_line_items", (tx, p, id) => {
    tx.get("payment_intent", id);
    return listOf([], `/v1/payment_intents/${id}/amount_details_line_items`, p);
  }),
  route<object>()("POST /v1/payment_intents/*/increment_authorization", (tx, _p, id) => {
    const { id: intent } = tx.get("payment_intent", id);
    throw invalidRequest(`The card of ${intent} does not allow its authorization to be incremented.`, {
      code: "payment_intent_unexpected_state",
    });
  }),
];

const setupIntents: Route[] = [
  route<SetupParams>()("POST /v1/setup_intents", (tx, p) => createSetup(tx, p)),
  route<Stripe.SetupIntentListParams>()("GET /v1/setup_intents", (tx, p) => {
    const chosen = tx.where(
      "setup_intent",
      (each) =>
        (p.customer === undefined || idOf(each.customer) === p.customer) &&
        (p.payment_method === undefined || idOf(each.payment_method) === p.payment_method),
    );
    return listOf(chosen, "/v1/setup_intents", p as ListParameters);
  }),
  route<WithSecret>()("GET /v1/setup_intents/*", (tx, p, id) => setupIntentOf(tx, id, p)),
  route<SetupChanges>()("POST /v1/setup_intents/*", (tx, p, id) => updateSetupIntent(tx, id, p)),
  route<SetupConfirmation & WithSecret>()("POST /v1/setup_intents/*/confirm", (tx, p, id) =>
    thrownSetup(confirmSetupIntent(tx, setupIntentOf(tx, id, p).id, p)),
  ),
  route<Stripe.SetupIntentCancelParams>()("POST /v1/setup_intents/*/cancel", (tx, p, id) =>
    cancelSetupIntent(tx, id, p.cancellation_reason),
  ),
  route<Deposits>()("POST /v1/setup_intents/*/verify_microdeposits", (tx, p, id) => verifySetup(tx, id, p)),
  route<Stripe.SetupAttemptListParams>()("GET /v1/setup_attempts", (tx, p) => {
    const chosen = tx.where("setup_attempt", (each) => idOf(each.setup_intent) === p.setup_intent);
    return listOf(chosen, "/v1/setup_attempts", p as ListParameters);
  }),
];

export const intentRoutes: Route[] = [...paymentIntents, ...setupIntents];
