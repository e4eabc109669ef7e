// Our copy of what connected accounts may do. A capability's id (card_payments) is unique within its account only. Projection of table capabilities.
import { array, at, boolean, reference, required, text, time, word } from "../stripe/read-values.ts";
import { fact, projection } from "./projection.ts";

export const capability = projection({
  objects: ["capability"],
  table: "capabilities",
  columns: {
    account_id: "text",
    status: "text",
    requested: "boolean",
    requested_at: "time",
    disabled_reason: "text",
    current_deadline: "time",
    currently_due: "json",
    eventually_due: "json",
    past_due: "json",
    pending_verification: "json",
  },
  row: (object) => ({
    account_id: required(reference(object.account)),
    status: required(word(object.status)),
    requested: boolean(object.requested),
    requested_at: time(object.requested_at),
    disabled_reason: text(at(object, "requirements", "disabled_reason")),
    current_deadline: time(at(object, "requirements", "current_deadline")),
    currently_due: array(at(object, "requirements", "currently_due")),
    eventually_due: array(at(object, "requirements", "eventually_due")),
    past_due: array(at(object, "requirements", "past_due")),
    pending_verification: array(at(object, "requirements", "pending_verification")),
  }),
  facts: (object, { type, objectId, created }) => {
    const account = reference(object.account);
    const status = word(object.status);
    // It may become active and inactive again and again, with nothing in the object that counts it.
    return objectId !== null &&
      type === "capability.updated" &&
      typeof account === "string" &&
      typeof status === "string"
      ? [fact("capability.updated", account, objectId, status, created)]
      : [];
  },
  tracked: ["status", "requested", "disabled_reason", "currently_due"],
});
