// Identity verification sessions: created, cancelled and redacted; nobody looks at documents here.
import type Stripe from "stripe";

import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";

const KIND = "identity.verification_session";
const NO_DOCUMENT_OPTIONS = { require_id_number: false, require_live_capture: false, require_matching_selfie: false };

type Session = Stripe.Identity.VerificationSession;

/** The API takes a session's options whole for its type. */
function optionsOf(type: string, given: Stripe.Identity.VerificationSessionCreateParams.Options | undefined): object {
  if (type === "id_number") return { id_number: {} };
  const document = given?.document === undefined || given.document === "" ? {} : given.document;
  return { document: { ...NO_DOCUMENT_OPTIONS, ...document } };
}

function createSession(tx: Transaction, given: Stripe.Identity.VerificationSessionCreateParams): Session {
  if (given.type === undefined && given.verification_flow === undefined) {
    throw invalidRequest("Missing required param: type.", { param: "type", code: "parameter_missing" });
  }
  if (given.related_customer !== undefined) tx.get("customer", given.related_customer, "related_customer");
  const id = tx.newId(KIND);
  const type = given.type ?? "verification_flow";
  const secret = `${id}_secret_${tx.world.random.text(24)}`;
  const session = blank(KIND, {
    id,
    client_reference_id: given.client_reference_id,
    client_secret: secret,
    created: tx.now,
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, given.metadata),
    options: optionsOf(type, given.options),
    ...(given.provided_details === undefined ? {} : { provided_details: given.provided_details }),
    related_customer: given.related_customer,
    ...(given.related_person === undefined ? {} : { related_person: given.related_person }),
    status: "requires_input",
    type,
    url: `https://verify.stripe.com/start/test_${tx.world.random.text(48)}`,
    ...(given.verification_flow === undefined ? {} : { verification_flow: given.verification_flow }),
  }) as unknown as Session;
  tx.put(KIND, session);
  tx.raise("identity.verification_session.created", session);
  return session;
}

function refuse(session: Session, verb: string, allowed: readonly string[]): void {
  if (allowed.includes(session.status)) return;
  const message = `You cannot ${verb} a VerificationSession with status \`${session.status}\`.`;
  throw invalidRequest(message, { code: "resource_invalid_state" });
}

function redact(tx: Transaction, id: string): Session {
  const session = tx.get(KIND, id);
  if (session.redaction !== null) throw invalidRequest("This VerificationSession has already been redacted.");
  refuse(session, "redact", ["requires_input", "verified", "canceled"]);
  const redacted: Session = {
    ...session,
    client_secret: null,
    metadata: {},
    redaction: { status: "redacted" },
    status: session.status === "requires_input" ? "canceled" : session.status,
    url: null,
  };
  tx.put(KIND, redacted);
  tx.raise("identity.verification_session.redacted", redacted);
  return redacted;
}

function isWanted(session: Session, given: Stripe.Identity.VerificationSessionListParams): boolean {
  return (
    (given.status === undefined || session.status === given.status) &&
    (given.client_reference_id === undefined || session.client_reference_id === given.client_reference_id) &&
    (given.related_customer === undefined || session.related_customer === given.related_customer)
  );
}

export const verificationRoutes: Route[] = [
  route<Stripe.Identity.VerificationSessionCreateParams>()("POST /v1/identity/verification_sessions", createSession),

  route<Stripe.Identity.VerificationSessionListParams>()("GET /v1/identity/verification_sessions", (tx, given) =>
    listOf(
      tx.where(KIND, (session) => isWanted(session, given)),
      "/v1/identity/verification_sessions",
      given as ListParameters,
    ),
  ),

  route<object>()("GET /v1/identity/verification_sessions/*", (tx, _, id) => tx.get(KIND, id)),

  route<Stripe.Identity.VerificationSessionUpdateParams>()(
    "POST /v1/identity/verification_sessions/*",
    (tx, given, id) => {
      const session = tx.get(KIND, id);
      refuse(session, "update", ["requires_input"]);
      const type = given.type ?? session.type;
      const metadata = mergeMetadata(session.metadata, given.metadata);
      const options =
        given.options === undefined && type === session.type ? session.options : optionsOf(type, given.options);
      return tx.put(KIND, { ...session, metadata, type, options: options });
    },
  ),

  route<object>()("POST /v1/identity/verification_sessions/*/cancel", (tx, _, id) => {
    const session = tx.get(KIND, id);
    refuse(session, "cancel", ["requires_input"]);
    const canceled: Session = { ...session, client_secret: null, status: "canceled", url: null };
    tx.put(KIND, canceled);
    tx.raise("identity.verification_session.canceled", canceled);
    return canceled;
  }),

  route<object>()("POST /v1/identity/verification_sessions/*/redact", (tx, _, id) => redact(tx, id)),
];
