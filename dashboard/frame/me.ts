// The person who is signed in, with their tenants and roles, and what they may see.
import { type UseQueryResult, useQuery } from "@tanstack/react-query";

import type { BillhookError, components } from "../../kit/client/client.ts";
import { clientOf, queries } from "./asking.ts";
import { useSessionPerson } from "./session.ts";
import { settings } from "./settings.ts";
import { useStanding } from "./standing.ts";

export type Me = components["schemas"]["Me"];
export type Membership = Me["tenants"][number];

/**
 * Who may open a page. user: whoever is signed in · member, admin, owner: of the chosen tenant, at least · operator: an owner
 * or admin of the platform · sandbox: an operator, while this runs against the sandbox
 */
export type Who = "user" | "member" | "admin" | "owner" | "operator" | "sandbox";

const RANK = { member: 1, admin: 2, owner: 3 } as const;

export function useMeQuery(): UseQueryResult<Me, BillhookError> {
  const person = useSessionPerson();
  const { mode } = useStanding();
  return useQuery<Me, BillhookError>({
    queryKey: [person, "me", mode],
    queryFn: ({ signal }) => clientOf({ tenant: undefined, mode }).get("/api/v1/auth/me/", { signal }),
    enabled: person !== undefined,
    // The other mode's answer stays until its own is there: the frame does not blink when the mode is switched.
    placeholderData: (before) => before,
  });
}

/** Before the next page: what was known of their tenants is known anew, not shown until then. */
export function forgetMe(): void {
  queries.removeQueries({ predicate: ({ queryKey: [, what] }) => what === "me" });
}

/** Below the shell, which waits for it. */
export function useMe(): Me {
  const { data } = useMeQuery();
  if (data === undefined) throw new Error("useMe is for pages inside the shell.");
  return data;
}

/** Of the tenant in the top bar. */
export function useMembership(): Membership | undefined {
  const { tenant } = useStanding();
  return membershipOf(useMe(), tenant);
}

export function membershipOf({ tenants }: Me, tenant: string | undefined): Membership | undefined {
  return tenants.find(({ id }) => id === tenant) ?? tenants[0];
}

/** Of the tenant in the top bar. The API is the judge; this is what is shown. */
export function useMay(who: Who): boolean {
  const { tenant } = useStanding();
  return mayOpen(who, useMe(), tenant);
}

export const isOperator = ({ tenants }: Me): boolean =>
  tenants.some(({ platform, role }) => platform && role !== "member");

export function mayOpen(who: Who, me: Me, tenant: string | undefined): boolean {
  if (who === "user") return true;
  if (who === "operator") return isOperator(me);
  if (who === "sandbox") return isOperator(me) && settings.sandbox_url !== null;
  const membership = membershipOf(me, tenant);
  return membership !== undefined && RANK[membership.role] >= RANK[who];
}
