// Stripe's test cards: by number, and by the names that follow `pm_card_` and `tok_`.

/** What a card does when it is used, as kept with the instrument: a word, and after a colon its detail. */
export interface TestCard {
  brand: string;
  behavior: string;
  country?: string;
  funding?: string;
}

/** By name, the number. Each number's behaviour stands in BEHAVIORS, all others succeed. */
const NUMBERS: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  visa_debit: "4000056655665556",
  mastercard: "5555555555554444",
  mastercard_debit: "5200828282828210",
  mastercard_prepaid: "5105105105105100",
  amex: "378282246310005",
  discover: "6011111111111117",
  diners: "3056930009020004",
  jcb: "3566002020360505",
  unionpay: "6200000000000005",
  visa_cartesBancaires: "4000002500001001",
  mastercard_cartesBancaires: "5555552500001001",
  chargeDeclined: "4000000000000002",
  chargeDeclinedInsufficientFunds: "4000000000009995",
  chargeDeclinedLostCard: "4000000000009987",
  chargeDeclinedStolenCard: "4000000000009979",
  chargeDeclinedExpiredCard: "4000000000000069",
  chargeDeclinedIncorrectCvc: "4000000000000127",
  chargeDeclinedProcessingError: "4000000000000119",
  chargeDeclinedFraudulent: "4100000000000019",
  chargeDeclinedVelocityLimitExceeded: "4000000000006975",
  chargeCustomerFail: "4000000000000341",
  authenticationRequired: "4000002760003184",
  authenticationRequiredOnSetup: "4000002500003155",
  authenticationRequiredSetupForOffSession: "4000003800000446",
  authenticationRequiredChargeDeclinedInsufficientFunds: "4000008260003178",
  threeDSecure2Required: "4000000000003220",
  threeDSecureRequired: "4000000000003063",
  threeDSecureRequiredChargeDeclined: "4000008400001629",
  threeDSecureRequiredProcessingError: "4000008400001280",
  threeDSecureOptional: "4000000000003055",
  threeDSecureOptionalProcessingError: "4000000000003097",
  amex_threeDSecureNotSupported: "378282246310005",
  createDispute: "4000000000000259",
  createDisputeProductNotReceived: "4000000000002685",
  createDisputeInquiry: "4000000000001976",
  createIssuerFraudRecord: "4000000000005423",
  refundFail: "4000000000005126",
  pendingRefund: "4000000000007726",
  bypassPending: "4000000000000077",
  bypassPendingInternational: "4000003720000278",
  riskLevelElevated: "4000000000009235",
  riskLevelHighest: "4000000000004954",
  radarBlock: "4100000000000019",
  cvcCheckFail: "4000000000000101",
  avsFail: "4000000000000010",
  avsLine1Fail: "4000000000000028",
  avsZipFail: "4000000000000036",
  avsUnchecked: "4000000000000044",
};

/** Other names for the same card. */
const ALIASES: Readonly<Record<string, string>> = {
  fraudulent: "chargeDeclinedFraudulent",
  chargeDeclinedFraudulentDecline: "chargeDeclinedFraudulent",
  chargeDeclinedIncorrectCvcCode: "chargeDeclinedIncorrectCvc",
  alwaysAuthenticate: "authenticationRequired",
  authenticationRequiredSetupForOffSessionUse: "authenticationRequiredSetupForOffSession",
  disputed: "createDispute",
  discover_debit: "discover",
};

const BEHAVIORS: Readonly<Record<string, string>> = {
  "4000000000000002": "declines:generic_decline",
  "4000000000009995": "declines:insufficient_funds",
  "4000000000009987": "declines:lost_card",
  "4000000000009979": "declines:stolen_card",
  "4000000000000069": "declines:expired_card",
  "4000000000000127": "declines:incorrect_cvc",
  "4000000000000119": "declines:processing_error",
  "4100000000000019": "declines:fraudulent",
  "4000000000004954": "declines:fraudulent",
  "4000000000006975": "declines:card_velocity_exceeded",
  "4000000000000341": "declines_charges:generic_decline",
  "4000002760003184": "authenticates_always",
  "4000002500003155": "authenticates_until_set_up",
  "4000003800000446": "authenticates_on_session",
  "4000008260003178": "authenticates_then_declines:insufficient_funds",
  "4000000000003220": "authenticates_always",
  "4000000000003063": "authenticates_always",
  "4000008400001629": "authenticates_then_declines:generic_decline",
  "4000008400001280": "authenticates_then_declines:processing_error",
  "4000000000000259": "disputed:fraudulent",
  "4000000000002685": "disputed:product_not_received",
  "4000000000001976": "inquired:fraudulent",
  "4000000000005423": "warned:made_with_stolen_card",
  "4000000000005126": "refunds_fail",
  "4000000000007726": "refunds_pend",
  "4000000000000077": "bypasses_pending",
  "4000003720000278": "bypasses_pending",
  "4000000000009235": "elevated_risk",
  "4000000000000101": "check_fails:cvc_check",
  "4000000000000010": "check_fails:address_line1_check",
  "4000000000000028": "check_fails:address_line1_check",
  "4000000000000036": "check_fails:address_postal_code_check",
};

/** Cards of other countries, by the last word of `pm_card_gb`: all succeed. */
const COUNTRY_NUMBERS: Readonly<Record<string, string>> = {
  us: "4242424242424242",
  ar: "4000000320000021",
  br: "4000000760000002",
  ca: "4000001240000000",
  cl: "4000001520000001",
  co: "4000001700000003",
  cr: "4000001880000005",
  ec: "4000002180000000",
  mx: "4000004840008001",
  pa: "4000005910000000",
  pe: "4000006040000068",
  py: "4000006000000066",
  uy: "4000008580000003",
  ae: "4000007840000001",
  at: "4000000400000008",
  be: "4000000560000004",
  bg: "4000001000000000",
  by: "4000001120000005",
  hr: "4000001910000009",
  cy: "4000001960000008",
  cz: "4000002030000002",
  dk: "4000002080000001",
  ee: "4000002330000009",
  fi: "4000002460000001",
  fr: "4000002500000003",
  de: "4000002760000016",
  gi: "4000002920000005",
  gr: "4000003000000030",
  hu: "4000003480000005",
  ie: "4000003720000005",
  it: "4000003800000008",
  lv: "4000004280000005",
  li: "4000004380000004",
  lt: "4000004400000000",
  lu: "4000004420000006",
  mt: "4000004700000007",
  nl: "4000005280000002",
  no: "4000005780000007",
  pl: "4000006160000005",
  pt: "4000006200000007",
  ro: "4000006420000001",
  sa: "4000006820000007",
  si: "4000007050000006",
  sk: "4000007030000001",
  es: "4000007240000007",
  se: "4000007520000008",
  ch: "4000007560000009",
  gb: "4000008260000000",
  gb_debit: "4000058260000005",
  au: "4000000360000006",
  cn: "4000001560000002",
  hk: "4000003440000004",
  in: "4000003560000008",
  jp: "4000003920000003",
  jp_jcb: "3530111333300000",
  my: "4000004580000002",
  nz: "4000005540000008",
  sg: "4000007020000003",
  tw: "4000001580000008",
  th: "4000007640000003",
};

/** Numbers that Stripe lists and that no name above has. */
const MORE_NUMBERS = [
  "4111111111111111",
  "4012888888881881",
  "371449635398431",
  "2223003122003222",
  "6011000990139424",
  "6011981111111113",
  "36227206271667",
  "3566111111111113",
  "6200000000000047",
  "6205500000000000004",
  "4000000000000044",
  "4000056655665564",
  "4000003560000123",
];

const COUNTRY_BY_NUMBER = new Map(
  Object.entries(COUNTRY_NUMBERS).map(([name, number]) => [number, name.slice(0, 2).toUpperCase()]),
);
const KNOWN = new Set([...Object.values(NUMBERS), ...COUNTRY_BY_NUMBER.keys(), ...MORE_NUMBERS]);
const DEBIT = new Set([
  "4000056655665556",
  "5200828282828210",
  "4000000000000077",
  "4000058260000005",
  "4000056655665564",
  "6011981111111113",
]);

/** The number behind `visa`, `visa_chargeDeclined`, `gb`, …: what follows `pm_card_` or `tok_`. */
export function numberOfName(name: string): string | undefined {
  const plain = ALIASES[name] ?? name;
  const known = NUMBERS[plain] ?? COUNTRY_NUMBERS[plain];
  if (known !== undefined) return known;
  // Older names say the brand too: pm_card_visa_chargeDeclined.
  const [, rest] = /^[a-z]+_(\w+)$/.exec(plain) ?? [];
  return rest === undefined ? undefined : (NUMBERS[ALIASES[rest] ?? rest] ?? undefined);
}

/** What the number is. A number that is no test card is declined when it is used, as in Stripe's test mode. */
export function cardOfNumber(number: string): TestCard {
  return {
    brand: brandOf(number),
    behavior: BEHAVIORS[number] ?? (KNOWN.has(number) ? "succeeds" : "declines:test_mode_live_card"),
    country: COUNTRY_BY_NUMBER.get(number) ?? "US",
    funding: DEBIT.has(number) ? "debit" : number === "5105105105105100" ? "prepaid" : "credit",
  };
}

function brandOf(number: string): string {
  if (number.startsWith("4")) return "visa";
  if (/^(5[1-5]|2[2-7])/.test(number)) return "mastercard";
  if (/^3[47]/.test(number)) return "amex";
  if (/^(30|36|38)/.test(number)) return "diners";
  if (number.startsWith("35")) return "jcb";
  if (number.startsWith("62")) return "unionpay";
  return number.startsWith("6") ? "discover" : "unknown";
}

/** Luhn's check digit. */
export function hasCheckDigit(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false;
  const sum = Array.from(number)
    .reverse()
    .reduce((total, digit, place) => {
      const value = Number(digit) * (place % 2 === 0 ? 1 : 2);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}
