// What several pages of the account ask and do: the account, its packs and plans, and the way to a checkout and back.
import type { UseMutationResult, UseQueryResult } from "@tanstack/react-query";

import {
  billhook,
  type BillhookClient,
  type BillhookError,
  type components,
  keepStatusUrl,
  keptStatusUrl,
} from "../../kit/client/client.ts";
import { type Mode, useAct, useOwnApi, useRead, useStanding } from "../frame/hooks.ts";

type Schemas = components["schemas"];
export type OwnAccount = Schemas["OwnAccount"];
export type Pack = Schemas["SoldPack"];
export type Plan = Schemas["Plan"];

export function useOwnAccount(every?: number): UseQueryResult<OwnAccount, BillhookError> {
  const own = useOwnApi();
  return useRead(["account"], (_api, signal) => own.get("/account/", { signal }), every === undefined ? {} : { every });
}

export function usePacks(): UseQueryResult<Pack[], BillhookError> {
  const own = useOwnApi();
  return useRead(
    ["account", "packs"],
    async (_api, signal) => (await own.get("/account/credit-packs/", { signal })).data,
  );
}

const sellers = new Map<Mode, BillhookClient>();

/** The platform's plans are what anyone may see: with a token it would be the plans of the person's own tenant. */
function sellerOf(mode: Mode): BillhookClient {
  const client = sellers.get(mode) ?? billhook({ baseUrl: location.origin, mode });
  sellers.set(mode, client);
  return client;
}

const MOST_PLANS = 100;

export function usePlans(): UseQueryResult<Plan[], BillhookError> {
  const { mode } = useStanding();
  return useRead(["account", "plans"], async (_api, signal) => {
    const { data } = await sellerOf(mode).get("/api/v1/plans/", { params: { query: { limit: MOST_PLANS } }, signal });
    return data.filter(({ price_id: price }) => price !== null).sort((one, other) => one.amount - other.amount);
  });
}

interface Started {
  checkout_url?: string | null;
  session_id?: string;
  status_url: string;
}

/** Begins a checkout, keeps where to ask for it, and leaves for Stripe's page. */
export function useCheckout<Input>(
  begin: (own: BillhookClient, input: Input) => Promise<Started>,
): UseMutationResult<Started, BillhookError, Input> {
  const own = useOwnApi();
  return useAct((_api, input: Input) => begin(own, input), {
    then: ({ checkout_url: page, session_id: session, status_url: status }) => {
      if (session !== undefined) keepStatusUrl(session, status);
      if (page !== null && page !== undefined) location.assign(page);
    },
  });
}

/**
 * Where to ask for what Stripe led back from; null: the address names nothing. Of a checkout that another tab began, the
 * signed-in person may ask too.
 */
export function statusUrlOf(id: string | null): string | null {
  if (id === null || id === "") return null;
  return onThisOrigin(keptStatusUrl(id) ?? `/api/v1/status/${encodeURIComponent(id)}/`);
}

/** The server names its public address; the page may have been opened by another one, and asks only its own. */
export function onThisOrigin(address: string): string {
  const { pathname, search } = new URL(address, location.origin);
  return pathname + search;
}

/** `visa` → `Visa`. */
export function methodName({ type, brand }: { type: string | null; brand: string | null }): string {
  const name = (brand ?? type ?? "payment method").replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}
