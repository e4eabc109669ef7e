// What the operator's pages read in common: the API's shapes by their names, and lists whose route is known by name alone.
import type { BillhookClient, components, paths } from "../../kit/client/client.ts";
import type { Page } from "../frame/hooks.ts";

type Schemas = components["schemas"];
export type StripeEvent = Schemas["StripeEvent"];
export type Change = Schemas["Change"];
export type LogEntry = Schemas["LogEntry"];
export type FoundAccount = Schemas["FoundAccount"];
export type ListedTenant = Schemas["ListedTenant"];
export type ListedUser = Schemas["ListedUser"];
export type ListedPurchase = Schemas["ListedPurchase"];
export type Unmatched = Schemas["UnmatchedPurchase"];
export type Series = Schemas["OverviewSeries"];
export type TimelineItem = Schemas["TimelineItem"];
export type BackgroundWork = Schemas["BackgroundWork"];
export type DoctorReport = Schemas["DoctorReport"];

/** The lists of `/api/v1/admin/<name>/`. */
export type ListName = {
  [Path in keyof paths]: Path extends `/api/v1/admin/${infer Name}/`
    ? Name extends `${string}/${string}`
      ? never
      : Name
    : never;
}[keyof paths];

type PlainGet = (path: string, init: object) => Promise<unknown>;

/** One page of a list. Its filters are what the page's address says, which no type knows; its rows what the caller says. */
export function readList<Row>(
  api: BillhookClient,
  name: ListName,
  query: Readonly<Record<string, string | number | undefined>>,
  signal: AbortSignal,
): Promise<Page<Row>> {
  const get = api.get as unknown as PlainGet;
  return get(`/api/v1/admin/${name}/`, { params: { query }, signal }) as Promise<Page<Row>>;
}
