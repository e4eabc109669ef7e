// Our copy of Stripe accounts: those connected to the platform, and its own. Projection of table connected_accounts.
import {
  array,
  at,
  boolean,
  email,
  firstOf,
  hash,
  required,
  type StripeObject,
  text,
  time,
  word,
} from "../stripe/read-values.ts";
import { projection } from "./projection.ts";

export const connectedAccount = projection({
  objects: ["account"],
  table: "connected_accounts",
  tombstone: true,
  columns: {
    stripe_created: "time",
    type: "text",
    country: "text",
    default_currency: "text",
    email: "text",
    business_type: "text",
    business_name: "text",
    charges_enabled: "boolean",
    payouts_enabled: "boolean",
    details_submitted: "boolean",
    disabled_reason: "text",
    current_deadline: "time",
    currently_due: "json",
    eventually_due: "json",
    past_due: "json",
    pending_verification: "json",
    requirement_errors: "json",
    future_requirements: "json",
    capabilities: "json",
    metadata: "json",
  },
  row: (object) => ({
    stripe_created: time(object.created),
    type: word(object.type),
    country: text(object.country),
    default_currency: word(object.default_currency),
    email: email(object.email),
    business_type: word(object.business_type),
    business_name: firstOf(text(at(object, "business_profile", "name")), text(object.business_name)),
    charges_enabled: required(boolean(object.charges_enabled)),
    // `transfers_enabled` until 2017-04-06
    payouts_enabled: required(firstOf(boolean(object.payouts_enabled), boolean(object.transfers_enabled))),
    details_submitted: required(boolean(object.details_submitted)),
    ...requirements(object),
    future_requirements: hash(object.future_requirements),
    capabilities: hash(object.capabilities),
    metadata: hash(object.metadata),
  }),
  updated: "connected_account.updated",
  tracked: [
    "charges_enabled",
    "payouts_enabled",
    "details_submitted",
    "disabled_reason",
    "current_deadline",
    "currently_due",
    "past_due",
    "capabilities",
    "email",
  ],
  alsoTold: ["business_name", "business_type", "country", "default_currency"],
});

/** Until 2019-02-19 they were called `verification`, with one list of needed fields. */
function requirements(object: StripeObject) {
  return {
    disabled_reason: firstOf(
      text(at(object, "requirements", "disabled_reason")),
      text(at(object, "verification", "disabled_reason")),
    ),
    current_deadline: firstOf(
      time(at(object, "requirements", "current_deadline")),
      time(at(object, "verification", "due_by")),
    ),
    currently_due: firstOf(
      array(at(object, "requirements", "currently_due")),
      array(at(object, "verification", "fields_needed")),
    ),
    eventually_due: array(at(object, "requirements", "eventually_due")),
    past_due: array(at(object, "requirements", "past_due")),
    pending_verification: array(at(object, "requirements", "pending_verification")),
    requirement_errors: array(at(object, "requirements", "errors")),
  };
}
