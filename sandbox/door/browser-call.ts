// Calls of Stripe's script in a buyer's browser: the publishable key and the account are fields of the form, so that a page
// of any site may send it without asking first, and read the answer.

export interface BrowserFields {
  authorization: string | undefined;
  account: string | undefined;
  parameters: Record<string, unknown>;
}

/** Only a publishable key: what a page may know. Undefined: the call is not a browser's. */
export function browserFields(parameters: Record<string, unknown>): BrowserFields | undefined {
  const { key, _stripe_account: account, ...others } = parameters;
  if (typeof key !== "string" || !key.startsWith("pk_")) return undefined;
  return {
    authorization: `Bearer ${key}`,
    account: typeof account === "string" && account !== "" ? account : undefined,
    parameters: others,
  };
}

export const READABLE_EVERYWHERE = { "access-control-allow-origin": "*" };

/** An answer of a control endpoint may be read by the pages that may call it: refusals too, which say what is wrong. */
export function readableFor(origin: string | undefined, origins: ReadonlySet<string>): Record<string, string> {
  if (origin === undefined || !origins.has(origin)) return {};
  return { "access-control-allow-origin": origin, vary: "origin" };
}
