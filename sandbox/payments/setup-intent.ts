// Setup intents: a payment method is checked and saved for later, without a payment.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { cardError, invalidRequest, StripeFailure, type StripeErrorBody } from "../core/errors.ts";
import { hooks } from "../core/hooks.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { partShape } from "../core/shapes.ts";
import type { Transaction } from "../core/transaction.ts";
import { PLATFORM_APPLICATION } from "./application-fee.ts";
import { authenticated } from "./charge.ts";
import { declineFor } from "./declines.ts";
import { fresh, orNull } from "./fresh.ts";
import {
  attachQuietly,
  behaviorOf,
  createPaymentMethod,
  type MethodInput,
  refuseGone,
  refuseSpent,
  resolvePaymentMethod,
  setBehavior,
} from "./instrument.ts";
import { mandateFor } from "./mandate.ts";
import { authenticationAction, microdepositAction } from "./next-action.ts";
import { checkMicrodeposits } from "./payment-attempt.ts";
import { keepNotes, notesOf, othersMethod } from "./payment-intent-draft.ts";

export type SetupParams = Stripe.SetupIntentCreateParams & { payment_method_types?: string[] };
export type SetupChanges = Stripe.SetupIntentUpdateParams & { payment_method_types?: string[] };

export interface SetupConfirmation {
  payment_method?: string | undefined;
  payment_method_data?: object | undefined;
  return_url?: string | undefined;
  mandate_data?: object | "" | null | undefined;
}

/** Raises setup_intent.created. Does not confirm. */
export function createSetupIntent(world: Transaction, params: SetupParams): Stripe.SetupIntent {
  const customer = params.customer ?? null;
  if (customer !== null) refuseGone(world, customer);
  const tx = world.atTimeOf(customer);
  const named = params.payment_method_types ?? params.allowed_payment_method_types;
  const types: string[] = named ?? [
    "card",
    "bancontact",
    "ideal",
    "sepa_debit",
    "acss_debit",
    "link",
    "us_bank_account",
    "cashapp",
    "bacs_debit",
  ];
  const method = methodOf(tx, params, customer, types);
  const id = tx.newId("setup_intent");
  const automatic = params.automatic_payment_methods;
  const isAutomatic = automatic === undefined ? named === undefined : automatic.enabled;
  const intent = fresh(tx, "setup_intent", {
    id,
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    application: tx.scope.account === tx.world.platform(tx.scope).account ? null : PLATFORM_APPLICATION,
    attach_to_self: params.attach_to_self,
    automatic_payment_methods: isAutomatic
      ? { allow_redirects: automatic?.allow_redirects ?? "always", enabled: true }
      : null,
    client_secret: `${id}_secret_${tx.world.random.text(25)}`,
    customer,
    description: orNull(params.description),
    flow_directions: params.flow_directions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    on_behalf_of: params.on_behalf_of ?? null,
    payment_method: method?.id ?? null,
    payment_method_options: optionsOf(types, params.payment_method_options),
    payment_method_types: types,
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
    usage: params.usage ?? "off_session",
  });
  return save(tx, intent, "setup_intent.created");
}

function optionsOf(types: readonly string[], given: object | undefined): Record<string, unknown> | null {
  const options = (given ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const named = new Set([...(types.includes("card") ? ["card"] : []), ...Object.keys(options)]);
  if (named.size === 0) return null;
  return Object.fromEntries(
    [...named].map((type) => {
      const usual = type === "card" ? { request_three_d_secure: "automatic" } : {};
      return [type, blankPart(`setup_intent.payment_method_options.${type}`, { ...usual, ...options[type] })];
    }),
  );
}

function methodOf(
  tx: Transaction,
  given: { payment_method?: string | undefined; payment_method_data?: object | undefined },
  customer: string | null,
  types: readonly string[],
): Stripe.PaymentMethod | undefined {
  const { payment_method: reference, payment_method_data: data } = given;
  if (reference === undefined && data === undefined) return undefined;
  const method =
    reference === undefined ? createPaymentMethod(tx, data as MethodInput) : resolvePaymentMethod(tx, reference);
  refuseSpent(tx, method.id);
  const owner = idOf(method.customer);
  if (owner !== null && owner !== customer) {
    throw invalidRequest(
      customer === null
        ? `The payment method supplied (${method.id}) belongs to the Customer ${owner}. Please include the Customer in the \`customer\` parameter on the SetupIntent.`
        : othersMethod(method.id, customer),
      { param: "payment_method" },
    );
  }
  if (!types.includes(method.type)) {
    throw invalidRequest(
      `The PaymentMethod provided (${method.type}) is not allowed for this SetupIntent. Please attach a PaymentMethod of one of the following types: ${types.join(", ")}.`,
      { param: "payment_method" },
    );
  }
  return method;
}

function save(tx: Transaction, intent: Stripe.SetupIntent, ...types: string[]): Stripe.SetupIntent {
  const before = tx.find("setup_intent", intent.id);
  tx.put("setup_intent", intent);
  for (const type of types) tx.raise(type, intent);
  if (before?.status !== intent.status) for (const hear of hooks.setupIntentMoved) hear(tx, intent, before);
  return tx.get("setup_intent", intent.id);
}

function unexpectedState(intent: Stripe.SetupIntent, message: string): StripeFailure {
  const failure = invalidRequest(message, { code: "setup_intent_unexpected_state" });
  failure.body.setup_intent = intent;
  return failure;
}

/** @throws StripeFailure 400 it has ended, or the method does not fit */
export function updateSetupIntent(tx: Transaction, id: string, params: SetupChanges): Stripe.SetupIntent {
  const old = tx.get("setup_intent", id);
  const movesMethod = params.payment_method !== undefined || params.payment_method_data !== undefined;
  if (movesMethod && (old.status === "succeeded" || old.status === "canceled" || old.status === "processing")) {
    throw unexpectedState(
      old,
      old.status === "succeeded"
        ? "You cannot update this SetupIntent because it has already succeeded."
        : `You cannot update this SetupIntent because it has a status of ${old.status}.`,
    );
  }
  if (params.customer !== undefined) refuseGone(tx, params.customer);
  const customer = params.customer ?? idOf(old.customer);
  const types = params.payment_method_types ?? old.payment_method_types;
  const method = methodOf(tx, params, customer, types);
  const updated = {
    ...old,
    customer,
    description: params.description === undefined ? old.description : orNull(params.description),
    metadata: mergeMetadata(old.metadata, params.metadata),
    payment_method_types: types,
    ...(method === undefined
      ? {}
      : { payment_method: method.id, status: "requires_confirmation" as const, next_action: null }),
  };
  return save(tx, updated);
}

/**
 * One attempt. Never throws for a decline: see `status` and `last_setup_error`.
 * @throws StripeFailure 400 the intent's state does not allow it, it has no payment method, or the method does not fit
 */
export function confirmSetupIntent(world: Transaction, id: string, given: SetupConfirmation = {}): Stripe.SetupIntent {
  const old = world.get("setup_intent", id);
  const tx = world.atTimeOf(old.customer);
  const isNamed = given.payment_method !== undefined || given.payment_method_data !== undefined;
  if (!isNamed && old.payment_method === null) {
    throw unexpectedState(
      old,
      "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
    );
  }
  if (old.status === "succeeded" || old.status === "canceled" || old.status === "processing") {
    const message =
      old.status === "succeeded"
        ? "You cannot confirm this SetupIntent because it has already succeeded."
        : `You cannot confirm this SetupIntent because it has a status of ${old.status}.`;
    throw unexpectedState(old, message);
  }
  const named = methodOf(tx, given, idOf(old.customer), old.payment_method_types);
  const reference = named?.id ?? idOf(old.payment_method) ?? "";
  const method = named ?? resolvePaymentMethod(tx, reference);
  keepNotes(tx, id, {
    return_url: given.return_url ?? notesOf(tx, id).return_url,
    mandate_data: given.mandate_data ?? undefined,
  });
  const intent = tx.put("setup_intent", {
    ...old,
    payment_method: method.id,
    last_setup_error: null,
    next_action: null,
  });
  return attempt(tx, intent, method);
}

const AUTHENTICATES = new Set(["authenticates_always", "authenticates_until_set_up", "authenticates_then_declines"]);

function attempt(tx: Transaction, intent: Stripe.SetupIntent, method: Stripe.PaymentMethod): Stripe.SetupIntent {
  const [kind = "", reason = ""] = behaviorOf(tx, method.id).split(":");
  const asked = intent.payment_method_options?.card?.request_three_d_secure;
  const isAsked = method.type === "card" && (asked === "any" || asked === "challenge") && !kind.startsWith("declines");
  if (kind === "declines") {
    const decline = declineFor(reason);
    return fail(tx, intent, method, { decline_code: decline.code, ...decline, type: "card_error" });
  }
  if (kind.startsWith("unverified")) return act(tx, intent, method, microdepositAction(tx, intent.id));
  if (AUTHENTICATES.has(kind) || kind === "redirects" || isAsked) {
    return act(tx, intent, method, authenticationAction(tx, intent.id, notesOf(tx, intent.id).return_url));
  }
  return succeed(tx, intent, method, false);
}

function act(
  tx: Transaction,
  intent: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  action: object,
): Stripe.SetupIntent {
  const attempted = putAttempt(tx, intent, method, "requires_action", {});
  const next = { ...intent, status: "requires_action", next_action: action, latest_attempt: attempted.id };
  return save(tx, next as Stripe.SetupIntent, "setup_intent.requires_action");
}

function fail(
  tx: Transaction,
  intent: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  body: StripeErrorBody,
): Stripe.SetupIntent {
  const { body: error } = new StripeFailure(402, { ...body, payment_method: method });
  const attempted = putAttempt(tx, intent, method, "failed", { setup_error: error });
  const next = {
    ...intent,
    status: "requires_payment_method",
    payment_method: null,
    next_action: null,
    last_setup_error: error,
    latest_attempt: attempted.id,
  };
  return save(tx, next as unknown as Stripe.SetupIntent, "setup_intent.setup_failed");
}

/** What the API ends with after an attempt that failed. */
export function setupErrorOf(intent: Stripe.SetupIntent): StripeFailure {
  const { type = "card_error", ...body } = (intent.last_setup_error ?? {}) as Partial<StripeErrorBody>;
  const { code = "card_declined", message = "Your card was declined." } = body;
  const failure = cardError({ code, message }, { ...body, setup_intent: intent });
  return new StripeFailure(type === "card_error" ? 402 : 400, { ...failure.body, type }, { keeps: true });
}

function succeed(
  tx: Transaction,
  intent: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  isAuthenticated: boolean,
): Stripe.SetupIntent {
  const customer = idOf(intent.customer);
  if (behaviorOf(tx, method.id) === "authenticates_until_set_up")
    setBehavior(tx, method.id, "authenticates_on_session");
  const mandate = mandateFor(tx, method, notesOf(tx, intent.id).mandate_data ?? undefined, undefined);
  const attempted = putAttempt(tx, intent, method, "succeeded", { isAuthenticated });
  if (customer !== null) attachQuietly(tx, method, customer);
  const next = {
    ...intent,
    status: "succeeded",
    next_action: null,
    latest_attempt: attempted.id,
    mandate: mandate?.id ?? null,
  };
  return save(tx, next, "setup_intent.succeeded");
}

/** The intent's attempt that waits for the customer ends; else there is a new one. */
function putAttempt(
  tx: Transaction,
  intent: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  status: string,
  { setup_error = null, isAuthenticated = false }: { setup_error?: object | null; isAuthenticated?: boolean },
): Stripe.SetupAttempt {
  const latest = tx.find("setup_attempt", idOf(intent.latest_attempt) ?? "");
  const waiting = latest?.status === "requires_action" ? latest : undefined;
  const attempt = fresh(tx, "setup_attempt", {
    ...(waiting ?? {}),
    application: intent.application,
    customer: intent.customer,
    on_behalf_of: intent.on_behalf_of,
    payment_method: method.id,
    payment_method_details: detailsOf(tx, method, isAuthenticated),
    setup_error,
    setup_intent: intent.id,
    status,
    usage: intent.usage,
  });
  return tx.put("setup_attempt", attempt);
}

function detailsOf(tx: Transaction, method: Stripe.PaymentMethod, isAuthenticated: boolean): Record<string, unknown> {
  const { fields } = partShape("setup_attempt.payment_method_details");
  if (!(method.type in fields)) return { type: method.type };
  const path = `setup_attempt.payment_method_details.${method.type}`;
  const part = (method as unknown as Record<string, Record<string, unknown> | undefined>)[method.type] ?? {};
  const known = partShape(path).fields;
  const shared = Object.fromEntries(Object.entries(part).filter(([field]) => field in known));
  if (method.type !== "card") return { type: method.type, [method.type]: blankPart(path, shared) };
  const { exemption_indicator: _none, ...secure } = authenticated(tx);
  const card = blankPart(path, {
    ...shared,
    network: part.brand ?? null,
    three_d_secure: isAuthenticated ? secure : null,
  });
  return { type: "card", card };
}

/**
 * The customer has passed or failed 3-D Secure.
 * @throws StripeFailure 400 the intent does not wait for that
 */
export function authenticateSetup(world: Transaction, id: string, passed: boolean): Stripe.SetupIntent {
  const intent = world.get("setup_intent", id);
  const tx = world.atTimeOf(intent.customer);
  const reference = idOf(intent.payment_method);
  if (intent.status !== "requires_action" || reference === null) {
    throw unexpectedState(intent, `This SetupIntent does not wait for an action: its status is ${intent.status}.`);
  }
  const method = resolvePaymentMethod(tx, reference);
  if (passed) return succeed(tx, intent, method, true);
  return fail(tx, intent, method, {
    type: "invalid_request_error",
    code: "setup_intent_authentication_failure",
    message:
      "The latest attempt to set up the payment method has failed because authentication failed. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this SetupIntent again.",
  });
}

/** @throws StripeFailure 400 the deposits were told wrong, or nothing waits for them */
export function verifySetup(
  tx: Transaction,
  id: string,
  given: { amounts?: number[] | undefined; descriptor_code?: string | undefined },
): Stripe.SetupIntent {
  const intent = tx.get("setup_intent", id);
  if (intent.next_action?.type !== "verify_with_microdeposits") {
    const failure = unexpectedState(
      intent,
      `This SetupIntent cannot be actioned on because it has a status of ${intent.status}. Only a SetupIntent with one of the following statuses may be actioned on: ["requires_action"].`,
    );
    failure.body.code = "intent_invalid_state";
    throw failure;
  }
  checkMicrodeposits(given);
  const method = resolvePaymentMethod(tx, idOf(intent.payment_method) ?? "");
  setBehavior(tx, method.id, behaviorOf(tx, method.id).replace("unverified ", ""));
  return succeed(tx, intent, method, false);
}

/** @throws StripeFailure 400 it has ended already */
export function cancelSetupIntent(tx: Transaction, id: string, reason: string | undefined): Stripe.SetupIntent {
  const intent = tx.get("setup_intent", id);
  if (intent.status === "succeeded" || intent.status === "canceled" || intent.status === "processing") {
    throw unexpectedState(
      intent,
      intent.status === "canceled"
        ? "You cannot cancel this SetupIntent because it is already canceled."
        : `You cannot cancel this SetupIntent because it has a status of ${intent.status}. Only a SetupIntent with one of the following statuses may be canceled: \`requires_payment_method\`, \`requires_confirmation\`, or \`requires_action\`.`,
    );
  }
  const canceled = { ...intent, status: "canceled", cancellation_reason: reason ?? null, next_action: null };
  return save(tx.atTimeOf(intent.customer), canceled, "setup_intent.canceled");
}
