// What the tenant's pages read in common: the role, and short lists.
import type { UseQueryResult } from "@tanstack/react-query";

import type { BillhookError, components } from "../../kit/client/client.ts";
import { type Page, useMay, useRead } from "../frame/hooks.ts";

export type Schemas = components["schemas"];
export type Endpoint = Schemas["WebhookEndpoint"];
export type EventType = Schemas["EventType"];

/** Keys, the Stripe account and members are changed by owners alone. */
export const useIsOwner = (): boolean => useMay("owner");

/** Members read the lists; what changes something is for admins and owners. */
export const useIsAdmin = (): boolean => useMay("admin");

const MOST = 100;

/** A tenant has few: the first hundred. */
export function useEndpoints(): UseQueryResult<Endpoint[], BillhookError> {
  return useRead(["endpoints", "all"], async (api, signal) => {
    const { data } = await api.get("/api/v1/webhook-endpoints/", { params: { query: { limit: MOST } }, signal });
    return data;
  });
}

/** Also those off sale: who subscribed before stays. The newest hundred. */
export function usePlans(): UseQueryResult<Schemas["Plan"][], BillhookError> {
  return useRead(["plans", "all"], async (api, signal) => {
    const { data } = await api.get("/api/v1/plans/", { params: { query: { limit: MOST } }, signal });
    return data;
  });
}

export function useEventTypes(): UseQueryResult<EventType[], BillhookError> {
  return useRead(["event-types"], async (api, signal) => (await api.get("/api/v1/event-types/", { signal })).data);
}

/** What comes whole, as a list's only page. */
export function onlyPage<Row>(data: Row[]): Page<Row> {
  return { data, has_more: false, next_cursor: null };
}
