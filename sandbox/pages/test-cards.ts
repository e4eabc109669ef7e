// The test cards and accounts that the pages offer. Each does what its number means at Stripe.

export interface TestCard {
  number: string;
  does: string;
}

export const TEST_CARDS: readonly TestCard[] = [
  { number: "4242424242424242", does: "succeeds" },
  { number: "4000002760003184", does: "asks for 3-D Secure" },
  { number: "4000000000000002", does: "is declined" },
  { number: "4000000000009995", does: "is declined: insufficient funds" },
  { number: "4000000000000069", does: "is declined: expired" },
  { number: "4000000000000127", does: "is declined: wrong security code" },
  { number: "4000000000000341", does: "succeeds now, is declined on later charges" },
  { number: "4000000000000259", does: "succeeds, then is disputed" },
];

export const TEST_IBANS = {
  succeeds: "AT611904300234573201",
  fails: "AT861904300235473202",
} as const;

/** "4242 4242 4242 4242" */
export function inFours(number: string): string {
  return number.replaceAll(/(.{4})(?=.)/g, "$1 ");
}
