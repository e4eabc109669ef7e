// How a tenant's Stripe account stands, from what the heads of its objects say. Pure.

export type ConnectStatus = "not_connected" | "pending" | "active" | "restricted" | "disconnected";

export type ConnectMethod = "account_link" | "oauth" | "express_oauth";
export const CONNECT_METHODS = ["account_link", "oauth", "express_oauth"] as const satisfies readonly ConnectMethod[];

/**
 * Why a connection ended. deauthorized: the account shut us out · account_deleted · disconnected: a person's act, and Stripe
 * was told · unlinked: likewise, but only here · replaced: an account that was never finished gave way to another
 */
export type EndReason = "deauthorized" | "account_deleted" | "disconnected" | "unlinked" | "replaced";

/** What the head of an `account` says. Null: Stripe did not say it in a way that could be read. */
export interface AccountHead {
  /** The second of the observation. */
  created: number;
  deleted: boolean;
  detailsSubmitted: boolean | null;
  chargesEnabled: boolean | null;
  payoutsEnabled: boolean | null;
  disabledReason: string | null;
  currentlyDue: readonly unknown[];
  pastDue: readonly unknown[];
  /** Status by capability. */
  capabilities: Readonly<Record<string, unknown>>;
}

export interface CapabilityHead {
  id: string;
  status: string | null;
  created: number;
}

/** All that Stripe told us of one account. */
export interface AccountHeads {
  account: AccountHead | undefined;
  capabilities: readonly CapabilityHead[];
  /** The seconds of every account.application.deauthorized. */
  deauthorized: readonly number[];
}

export const NOTHING_KNOWN: AccountHeads = { account: undefined, capabilities: [], deauthorized: [] };

export interface ConnectionEnd {
  /** Unix seconds. */
  at: number;
  reason: EndReason;
}

export interface Standing {
  status: Exclude<ConnectStatus, "not_connected">;
  end: ConnectionEnd | undefined;
}

/**
 * The standing of a connection made at `connectedAt` (Unix seconds). A function of sets and heads, so that the order in
 * which events arrive does not matter: an end by Stripe stays, whatever came after it, until somebody connects again; of
 * several the earliest counts. An end of ours stays as it is.
 */
export function standingOf(
  { connectedAt, end }: { connectedAt: number; end: ConnectionEnd | undefined },
  heads: AccountHeads,
): Standing {
  if (end !== undefined && !isStripes(end.reason)) return { status: "disconnected", end };
  const { account, deauthorized } = heads;
  const ends: ConnectionEnd[] = deauthorized
    .filter((at) => at > connectedAt)
    .map((at) => ({ at, reason: "deauthorized" }));
  if (account?.deleted === true) ends.push({ at: account.created, reason: "account_deleted" });
  if (end !== undefined) ends.push(end);
  const [first] = ends.sort((a, b) => a.at - b.at || (a.reason < b.reason ? 1 : -1));
  return first === undefined
    ? { status: accountStatus(heads), end: undefined }
    : { status: "disconnected", end: first };
}

const isStripes = (reason: EndReason): boolean => reason === "deauthorized" || reason === "account_deleted";

/**
 * pending: the account has not told all, or has and Stripe still looks at it, with nothing left to do · active: it takes
 * payments and is paid out · restricted: anything else.
 */
function accountStatus(heads: AccountHeads): "pending" | "active" | "restricted" {
  const { account } = heads;
  if (account?.detailsSubmitted !== true) return "pending";
  const { disabledReason } = account;
  const charges = account.chargesEnabled === true && mayTakePayments(heads, account);
  if (charges && account.payoutsEnabled === true && disabledReason === null) return "active";
  const waits = disabledReason === null || VERIFYING.has(disabledReason);
  const nothingDue = account.currentlyDue.length === 0 && account.pastDue.length === 0;
  return account.chargesEnabled !== true && waits && nothingDue ? "pending" : "restricted";
}

/** Stripe's words for "nothing is missing, it is being checked". */
const VERIFYING = new Set(["requirements.pending_verification", "under_review"]);

/**
 * A capability that is newer than the account can only take away: that the last one that takes payments went is certain,
 * that one came says nothing of what else the account lacks, and the account's own word follows.
 */
function mayTakePayments({ capabilities }: AccountHeads, account: AccountHead): boolean {
  const newer = capabilities.filter(({ created }) => created > account.created);
  const known = { ...account.capabilities, ...Object.fromEntries(newer.map(({ id, status }) => [id, status])) };
  // Not every method of paying is called so, but those that are not come with one that is.
  const payments = Object.entries(known).filter(([id]) => id.endsWith("_payments"));
  return payments.length === 0 || payments.some(([, status]) => status === "active");
}
