// The parts of payment methods that are no cards: bank accounts and the rest, and what a payment by each does.
import { blankPart } from "../core/blank.ts";
import { invalidRequest, parameterMissing } from "../core/errors.ts";
import { SHAPES } from "../core/shapes.ts";
import { fingerprint } from "./card.ts";
import {
  behaviorOfAccount,
  behaviorOfIban,
  behaviorOfUsAccount,
  ibanOfName,
  isIban,
  usAccountOfName,
} from "./test-banks.ts";

export interface MadePart {
  behavior: string;
  number: string;
  part: Record<string, unknown>;
}

type Given = Readonly<Record<string, string | undefined>>;

/** Types whose money is fetched from a bank later: the payment is processing meanwhile. */
export const DEBITS = new Set([
  "sepa_debit",
  "us_bank_account",
  "bacs_debit",
  "acss_debit",
  "au_becs_debit",
  "nz_bank_account",
]);
/** Types that are paid at once without a page, as a wallet that has agreed. */
const AT_ONCE = new Set(["link", "cashapp", "amazon_pay", "card_present", "interac_present", "custom"]);

/** Names that follow `pm_`, such as `usBankAccount_success`. */
export function namedPart(name: string): (MadePart & { type: string }) | undefined {
  const [, us] = /^usBankAccount_?(\w*)$/.exec(name) ?? [];
  const usNumber = us === undefined ? undefined : usAccountOfName(us);
  if (usNumber !== undefined) {
    return { type: "us_bank_account", ...usAccount({ account_number: usNumber }, behaviorOfUsAccount(usNumber)) };
  }
  const [, sepa] = /^sepaDebit_?(\w*)$/.exec(name) ?? [];
  const iban = sepa === undefined ? undefined : ibanOfName(sepa);
  return iban === undefined ? undefined : { type: "sepa_debit", ...ibanAccount(iban) };
}

/** @throws StripeFailure 400 what the type needs is missing or malformed */
export function partOf(type: string, given: Given): MadePart {
  switch (type) {
    case "sepa_debit": {
      const iban = (given.iban ?? "").replaceAll(" ", "").toUpperCase();
      if (iban === "") throw parameterMissing("sepa_debit[iban]");
      if (!isIban(iban)) {
        throw invalidRequest("The IBAN you provided is invalid.", {
          param: "sepa_debit[iban]",
          code: "invalid_bank_account_iban",
        });
      }
      return ibanAccount(iban);
    }
    case "us_bank_account": {
      if (given.account_number === undefined && given.financial_connections_account === undefined) {
        throw parameterMissing("us_bank_account[account_number]");
      }
      // An account that was typed in is verified with two small deposits first.
      const number = given.account_number ?? "000123456789";
      const behavior = behaviorOfUsAccount(number);
      return usAccount(given, given.account_number === undefined ? behavior : `unverified ${behavior}`);
    }
    default:
      return otherPart(type, given);
  }
}

function ibanAccount(iban: string): MadePart {
  const part = blankPart("payment_method.sepa_debit", {
    bank_code: iban.slice(4, 9),
    branch_code: "",
    country: iban.slice(0, 2),
    fingerprint: fingerprint(iban),
    generated_from: { charge: null, setup_attempt: null },
    last4: iban.slice(-4),
  });
  return { behavior: behaviorOfIban(iban), number: iban, part };
}

function usAccount(given: Given, behavior: string): MadePart {
  const number = given.account_number ?? "000123456789";
  const part = blankPart("payment_method.us_bank_account", {
    account_holder_type: given.account_holder_type ?? "individual",
    account_type: given.account_type ?? "checking",
    bank_name: "STRIPE TEST BANK",
    financial_connections_account: given.financial_connections_account ?? null,
    fingerprint: fingerprint(number),
    last4: number.slice(-4),
    networks: { preferred: "ach", supported: ["ach"] },
    routing_number: given.routing_number ?? "110000000",
    status_details: {},
  });
  return { behavior, number, part };
}

function otherPart(type: string, given: Given): MadePart {
  const number = given.account_number ?? "";
  const behavior = DEBITS.has(type) ? behaviorOfAccount(number) : behaviorOfType(type);
  const bank = number === "" ? {} : { last4: number.slice(-4), fingerprint: fingerprint(number) };
  const { account_number: _number, ...shown } = given;
  return { behavior, number, part: partWithFields(type, { ...shown, ...bank }) };
}

function behaviorOfType(type: string): string {
  if (type === "customer_balance") return "transfers";
  return AT_ONCE.has(type) ? "succeeds" : "redirects";
}

/** What the type's part has; what it has not is dropped. A type that is not known has an empty part. */
function partWithFields(type: string, given: Given): Record<string, unknown> {
  const shape = SHAPES.get("PaymentMethod");
  const node = shape !== undefined && "fields" in shape ? shape.fields[type] : undefined;
  if (node === undefined) {
    throw invalidRequest(`Invalid type: ${type} is no type of payment method`, { param: "type" });
  }
  const empty = node === "#Nothing" ? {} : blankPart(`payment_method.${type}`);
  const known = Object.entries(given).filter(([field, value]) => field in empty && value !== undefined);
  return { ...empty, ...Object.fromEntries(known) };
}
