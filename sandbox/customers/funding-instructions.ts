// Where a customer sends bank transfers to: one made-up account for each country's way of writing it.
import type Stripe from "stripe";
import { currencyOf } from "../catalogue/given.ts";
import { blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";

interface Bank {
  currency: string;
  country: string;
  /** By the type of the address: its own fields, and the networks that reach it. */
  addresses: Readonly<Record<string, { fields: object; networks: string[] }>>;
}

const HOLDER = { account_holder_name: "Sandbox", bank_name: "SANDBOX TEST BANK" };

const BANKS: Readonly<Record<string, Bank>> = {
  us_bank_transfer: {
    currency: "usd",
    country: "US",
    addresses: {
      aba: {
        fields: { ...HOLDER, account_number: "11119876543210", account_type: "checking", routing_number: "999999999" },
        networks: ["ach", "domestic_wire_us"],
      },
      swift: {
        fields: { ...HOLDER, account_number: "11119876543210", account_type: "checking", swift_code: "TESTUS99XXX" },
        networks: ["swift"],
      },
    },
  },
  eu_bank_transfer: {
    currency: "eur",
    country: "DE",
    addresses: {
      iban: {
        fields: { account_holder_name: "Sandbox", bic: "SOGEDEFFXXX", country: "DE", iban: "DE00000000000000000001" },
        networks: ["sepa"],
      },
    },
  },
  gb_bank_transfer: {
    currency: "gbp",
    country: "GB",
    addresses: {
      sort_code: {
        fields: { account_holder_name: "Sandbox", account_number: "00000001", sort_code: "000000" },
        networks: ["bacs", "fps"],
      },
    },
  },
  jp_bank_transfer: {
    currency: "jpy",
    country: "JP",
    addresses: {
      zengin: {
        fields: { ...HOLDER, account_number: "0000001", account_type: "futsu", bank_code: "0000", branch_code: "000" },
        networks: ["zengin"],
      },
    },
  },
  mx_bank_transfer: {
    currency: "mxn",
    country: "MX",
    addresses: {
      spei: { fields: { ...HOLDER, bank_code: "000", clabe: "000000000000000001" }, networks: ["spei"] },
    },
  },
};

export function createFundingInstructions(
  tx: Transaction,
  customer: string,
  { bank_transfer, currency }: Stripe.CustomerCreateFundingInstructionsParams,
): object {
  tx.get("customer", customer);
  const bank = BANKS[bank_transfer.type];
  if (bank?.currency !== currencyOf(currency)) {
    const message = `Bank transfers of the type ${bank_transfer.type} are not made in ${currency}.`;
    throw invalidRequest(message, { param: "currency" });
  }
  return {
    object: "funding_instructions",
    bank_transfer: {
      country: bank_transfer.eu_bank_transfer?.country ?? bank.country,
      financial_addresses: Object.entries(bank.addresses).map(([type, { fields, networks }]) => ({
        [type]: blankPart(`funding_instructions.bank_transfer.financial_addresses.${type}`, { ...fields }),
        supported_networks: networks,
        type,
      })),
      type: bank_transfer.type,
    },
    currency: bank.currency,
    funding_type: "bank_transfer",
    livemode: tx.scope.livemode,
  };
}
