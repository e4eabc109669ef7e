// An account's standing: what is due, what it may do. Worked out anew after each change, with the events of what moved.
import type Stripe from "stripe";

import { blank, blankPart } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import type { Transaction } from "../core/transaction.ts";
import { connectionOf, ownOf, platformOf } from "./connection.ts";
import { externalAccountsOf } from "./external-account.ts";
import { capabilityStatus, dueForCapabilities, fieldsDue, isItsOwn, representative } from "./requirements.ts";

/** The capabilities that a call asks for or gives back. */
export type CapabilityWishes = Readonly<Record<string, { requested?: boolean } | undefined>>;

interface Standing {
  due: readonly string[];
  /** The disabled_reason of the platform's rejection. */
  rejected: string | null;
  submitted: boolean;
}

/**
 * Keeps the account with its standing as its fields, persons and bank accounts now have it. Raises capability.updated
 * and account.updated for what differs from before, unless the platform is not connected to it.
 */
export function settleAccount(tx: Transaction, account: Stripe.Account, wishes: CapabilityWishes = {}): Stripe.Account {
  const platform = platformOf(tx);
  const own = ownOf(tx, account.id);
  const before = platform.find("account", account.id);
  const connection = connectionOf(tx, account.id);
  const isTold = connection?.connected === true;
  const persons = own.all("person");
  const externals = externalAccountsOf(own, account.id);
  const asked = wished(own, account.id, wishes);
  const requested = asked.filter((capability) => capability.requested).map(({ id }) => id);
  const due = fieldsDue({
    account,
    persons,
    requested,
    hasExternalAccount: externals.length > 0,
    stillDue: connection?.still_due ?? [],
  });
  // Whoever collects for Stripe says when all is told: the hosted page. A platform that collects by itself has told all.
  const complete = dueForCapabilities(due).length === 0 && account.controller?.requirement_collection === "application";
  const submitted = account.details_submitted || complete;
  const standing: Standing = { due, submitted, rejected: connection?.rejected ?? null };
  const capabilities = settleCapabilities(own, asked, standing, isTold);
  const takesMoney = (name: string): boolean => name === "transfers" || name.endsWith("_payments");
  const after: Stripe.Account = {
    ...account,
    capabilities,
    charges_enabled: Object.keys(capabilities).some((name) => takesMoney(name) && capabilities[name] === "active"),
    payouts_enabled: submitted && disabledReason(standing) === null,
    details_submitted: submitted,
    requirements: accountRequirements(standing),
    ...(isItsOwn(account) ? {} : visibleParts(account, persons, externals)),
  };
  platform.put("account", after);
  if (isTold) own.raise("account.updated", after, before ?? { ...after, capabilities: {} });
  return after;
}

function disabledReason({ rejected, due }: Standing): string | null {
  return rejected ?? (due.length > 0 ? "requirements.past_due" : null);
}

/** What the platform sees of accounts that it answers for, and not of standard ones. */
function visibleParts(
  account: Stripe.Account,
  persons: readonly Stripe.Person[],
  externals: readonly (Stripe.BankAccount | Stripe.Card)[],
): Pick<Stripe.Account, "external_accounts" | "individual"> {
  const person = account.business_type === "individual" ? representative(persons) : undefined;
  const url = `/v1/accounts/${account.id}/external_accounts`;
  const list = { object: "list", data: externals, has_more: false, url };
  return {
    external_accounts: list as unknown as NonNullable<Stripe.Account["external_accounts"]>,
    ...(person === undefined ? {} : { individual: person }),
  };
}

/** The account's capabilities with what the call wishes; not yet kept. */
function wished(own: Transaction, account: string, wishes: CapabilityWishes): Stripe.Capability[] {
  const old = new Map(own.all("capability").map((capability) => [capability.id, capability]));
  for (const [id, wish] of Object.entries(wishes)) {
    if (wish?.requested === undefined) continue;
    const before = old.get(id) ?? unrequested(account, id);
    if (before.requested === wish.requested) continue;
    const requested_at = wish.requested ? own.now : before.requested_at;
    old.set(id, { ...before, requested: wish.requested, requested_at });
  }
  return [...old.values()];
}

/** A capability that nobody asked for yet. */
export function unrequested(account: string, id: string): Stripe.Capability {
  const requirements = capabilityRequirements(false, { due: [], rejected: null, submitted: false });
  const known = { id, account, requested: false, requirements, status: "unrequested" };
  return blank("capability", known) as unknown as Stripe.Capability;
}

/** Keeps each capability with its status; returns those that are asked for, as the account shows them. */
function settleCapabilities(
  own: Transaction,
  asked: readonly Stripe.Capability[],
  standing: Standing,
  isTold: boolean,
): Record<string, string> {
  const shown: Record<string, string> = {};
  const lacks = dueForCapabilities(standing.due).length > 0;
  const isOpen = standing.submitted && standing.rejected === null && !lacks;
  for (const capability of asked) {
    const before = own.find("capability", capability.id) ?? unrequested(own.scope.account, capability.id);
    const after: Stripe.Capability = {
      ...capability,
      requirements: capabilityRequirements(capability.requested, standing),
      status: capabilityStatus(capability.requested, isOpen),
    };
    if (after.requested) shown[after.id] = after.status;
    if (equal(before, after)) continue;
    own.put("capability", after);
    if (isTold) own.raise("capability.updated", after, before);
  }
  return shown;
}

function accountRequirements(standing: Standing): Stripe.Account.Requirements {
  const { due } = standing;
  return blankPart("account.requirements", {
    alternatives: [],
    currently_due: due,
    disabled_reason: disabledReason(standing),
    errors: [],
    eventually_due: due,
    past_due: due,
    pending_verification: [],
  }) as unknown as Stripe.Account.Requirements;
}

function capabilityRequirements(requested: boolean, standing: Standing): Stripe.Capability.Requirements {
  const due = requested ? dueForCapabilities(standing.due) : [];
  const reason = standing.rejected === null ? null : "rejected.other";
  return blankPart("capability.requirements", {
    alternatives: [],
    currently_due: due,
    disabled_reason: requested ? (reason ?? (due.length > 0 ? "requirements.fields_needed" : null)) : null,
    eventually_due: due,
    past_due: due,
  }) as unknown as Stripe.Capability.Requirements;
}
