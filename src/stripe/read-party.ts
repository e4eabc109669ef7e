// Whom an object is about: its customer and e-mail address, for searching and for the customer's story. Pure.
import { storableText } from "../base/text.ts";
import { at, email, reference, type StripeObject } from "./read-values.ts";

/** The customer's id: its own when it is a customer, else what it refers to. null when it names none. */
export function customerOf(object: StripeObject): string | null {
  return (object.object === "customer" ? reference(object.id) : reference(object.customer)) ?? null;
}

const EMAIL_PLACES = [
  ["email"],
  ["customer_details", "email"],
  ["customer_email"],
  ["receipt_email"],
  ["billing_details", "email"],
  ["owner", "email"],
];

/** The first e-mail address that the object names, in lower case, as PostgreSQL can store it. */
export function emailOf(object: StripeObject): string | null {
  for (const place of EMAIL_PLACES) {
    const address = email(at(object, ...place));
    if (typeof address === "string" && address !== "") return storableText(address).toLowerCase();
  }
  return null;
}
