// Stripe's test bank accounts: IBANs, US accounts and those of other debits, and what a debit of each does.

/** Account numbers in the US, by what a debit does. `pm_usBankAccount_…` names them. */
const US_ACCOUNTS: Readonly<Record<string, string>> = {
  "000123456789": "settles",
  "000111111113": "settling_fails:account_closed",
  "000111111116": "settling_fails:no_account",
  "000222222227": "settling_fails:insufficient_funds",
  "000333333335": "settling_fails:debit_not_authorized",
  "000444444440": "settling_fails:invalid_currency",
  "000555555559": "settles_disputed",
  "000000000009": "never_settles",
  "000777777771": "settling_fails:charge_exceeds_weekly_limit",
};

const US_NAMES: Readonly<Record<string, string>> = {
  success: "000123456789",
  accountClosed: "000111111113",
  noAccount: "000111111116",
  insufficientFunds: "000222222227",
  debitNotAuthorized: "000333333335",
  invalidCurrency: "000444444440",
  dispute: "000555555559",
  processing: "000000000009",
  weeklyLimitExceeded: "000777777771",
};

/** The number behind `success`, or behind nothing: what follows `pm_usBankAccount`. */
export function usAccountOfName(name: string): string | undefined {
  return name === "" ? US_NAMES.success : US_NAMES[name.charAt(0).toLowerCase() + name.slice(1)];
}

export function behaviorOfUsAccount(number: string): string {
  return US_ACCOUNTS[number] ?? "settles";
}

/** IBANs that do more than settle. Each country has the same five; these are the ones that Stripe lists most often. */
const IBANS: Readonly<Record<string, string>> = {
  AT321904300235473204: "settles_late",
  AT861904300235473202: "settling_fails:generic_decline",
  AT051904300235473205: "settling_fails_late:generic_decline",
  AT591904300235473203: "settles_disputed",
  AT981904300000343434: "settling_fails:charge_exceeds_source_limit",
  AT601904300000121212: "settling_fails:insufficient_funds",
  DE08370400440532013003: "settles_late",
  DE62370400440532013001: "settling_fails:generic_decline",
  DE78370400440532013004: "settling_fails_late:generic_decline",
  DE35370400440532013002: "settles_disputed",
  DE65370400440002222227: "settling_fails:insufficient_funds",
  FR3020041010050500013M02609: "settles_late",
  FR8420041010050500013M02607: "settling_fails:generic_decline",
  FR7920041010050500013M02600: "settling_fails_late:generic_decline",
  FR5720041010050500013M02608: "settles_disputed",
  NL55RABO0300065268: "settles_late",
  NL91ABNA0417164300: "settling_fails:generic_decline",
  BE51510007547065: "settling_fails:generic_decline",
  IT60X0542811101000000123456: "settling_fails:generic_decline",
  IE02AIBK93115212345679: "settling_fails:generic_decline",
};

/** The one that `pm_sepaDebit` and its kin stand for. */
const IBAN_NAMES: Readonly<Record<string, string>> = {
  "": "AT611904300234573201",
  success: "AT611904300234573201",
  successDelayed: "AT321904300235473204",
  failed: "AT861904300235473202",
  failure: "AT861904300235473202",
  failedDelayed: "AT051904300235473205",
  disputed: "AT591904300235473203",
  insufficientFunds: "AT601904300000121212",
};

export function ibanOfName(name: string): string | undefined {
  return IBAN_NAMES[name.charAt(0).toLowerCase() + name.slice(1)];
}

export function behaviorOfIban(iban: string): string {
  return IBANS[iban] ?? "settles";
}

/** Letters count from 10; the whole number leaves 1 when divided by 97. */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(iban)) return false;
  const digits = Array.from(iban.slice(4) + iban.slice(0, 4), (letter) => parseInt(letter, 36).toString()).join("");
  return BigInt(digits) % 97n === 1n;
}

/** Accounts of Bacs, BECS and PADs: the ends of their numbers say what a debit does. */
const OTHER_ACCOUNTS: Readonly<Record<string, string>> = {
  // Bacs: sort code 108800
  "90012345": "settles_late",
  "33333335": "settling_fails:debit_not_authorized",
  "22222227": "settling_fails:insufficient_funds",
  "55555559": "settles_late",
  "93333335": "settling_fails_late:debit_not_authorized",
  "77777771": "settling_fails:charge_exceeds_weekly_limit",
  // BECS: BSB 000000
  "000123456": "settles",
  "900123456": "settles_late",
  "111111113": "settling_fails:account_closed",
  "111111116": "settling_fails:no_account",
  "222222227": "settling_fails:refer_to_customer",
  "922222227": "settling_fails_late:refer_to_customer",
  // PADs: institution 000, transit 11000
  "000222222227": "settling_fails:account_closed",
  "900222222227": "settling_fails_late:account_closed",
  "000666666661": "settling_fails:no_account",
};

export function behaviorOfAccount(number: string): string {
  return OTHER_ACCOUNTS[number] ?? "settles";
}

/** A payout to the bank account with these last digits fails so. */
const FAILING_PAYOUTS: Readonly<Record<string, string>> = {
  "1113": "account_closed",
  "1116": "no_account",
  "2227": "insufficient_funds",
  "3335": "debit_not_authorized",
  "4440": "invalid_currency",
};

export function payoutFailureOf(last4: string): string | undefined {
  return FAILING_PAYOUTS[last4];
}
