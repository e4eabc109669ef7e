// How pages ask the API: one typed client for each tenant and mode, answers cached by both and by who asks.
import {
  type InfiniteData,
  QueryClient,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";

import { billhook, type BillhookClient, type BillhookError } from "../../kit/client/client.ts";
import { told } from "../parts/told.ts";
import { sendSigned, sessionTokens, useSessionPerson } from "./session.ts";
import { type Standing, useStanding } from "./standing.ts";

const FRESH_MS = 10_000;
const PAGE = 50;
/** Each page of a list is asked for again: who has read on beyond these is not watching what comes. */
const WATCHED_PAGES = 3;

/** The client sends again what may be sent again: a second layer of tries would only make people wait. */
export const queries = new QueryClient({
  defaultOptions: {
    // Also where the browser knows of no network: a page that silently waits for one says nothing. When it is back, they ask again.
    queries: {
      ...{ staleTime: FRESH_MS, retry: false, throwOnError: false },
      ...{ networkMode: "always", refetchOnReconnect: true },
    },
    mutations: { retry: false, networkMode: "always" },
  },
});

const clients = new Map<string, BillhookClient>();

export function clientOf({ tenant, mode }: Standing): BillhookClient {
  const name = `${tenant ?? ""} ${mode}`;
  const known = clients.get(name);
  if (known !== undefined) return known;
  const client = { ...billhook({ baseUrl: location.origin, tenant, mode, fetch: sendSigned }), tokens: sessionTokens };
  clients.set(name, client);
  return client;
}

/** Asks for the tenant and in the mode of the top bar. */
export function useApi(): BillhookClient {
  return clientOf(useStanding());
}

/** For `/account/…`: the person's own account is at the platform, whichever tenant is chosen. */
export function useOwnApi(): BillhookClient {
  return clientOf({ tenant: undefined, mode: useStanding().mode });
}

type Key = readonly unknown[];

function useScope(): Key {
  const { tenant, mode } = useStanding();
  return [useSessionPerson(), tenant, mode];
}

export interface ReadOptions {
  /** False: not yet. */
  enabled?: boolean;
  /** Asked again every so many milliseconds, while the page is looked at; not what is not there. */
  every?: number;
  /** While the next answer is on its way the last one stays. */
  keepsLast?: boolean;
}

/** `key` names what is read, with everything that the answer depends on but tenant and mode. */
export function useRead<T>(
  key: Key,
  read: (api: BillhookClient, signal: AbortSignal) => Promise<T>,
  {
    enabled = true,
    every,
    whileIt,
    keepsLast = false,
  }: ReadOptions & { /** No longer once the answer is not so. */ whileIt?: (answer: T) => boolean } = {},
): UseQueryResult<T, BillhookError> {
  const api = useApi();
  return useQuery<T, BillhookError>({
    queryKey: [...useScope(), ...key],
    queryFn: ({ signal }) => read(api, signal),
    enabled,
    ...(every === undefined
      ? {}
      : {
          refetchInterval: ({ state: { data, error } }) =>
            error?.status !== 404 && (data === undefined || (whileIt?.(data) ?? true)) ? every : false,
        }),
    ...(keepsLast ? { placeholderData: (before: unknown) => before as never } : {}),
  });
}

/** As every list of the API answers. */
export interface Page<T> {
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}

export type List<T> = UseInfiniteQueryResult<InfiniteData<Page<T>>, BillhookError>;

/** `page` goes into the route's query as it is: `api.get(path, { params: { query: { ...filters, ...page } }, signal })`. */
export function useList<T>(
  key: Key,
  read: (api: BillhookClient, page: { limit: number; cursor?: string }, signal: AbortSignal) => Promise<Page<T>>,
  { enabled = true, every }: Omit<ReadOptions, "keepsLast"> = {},
): List<T> {
  const api = useApi();
  // All its pages are asked again, one after the other.
  const isShort = ({ state }: { state: { data: InfiniteData<Page<T>> | undefined } }): boolean =>
    (state.data?.pages.length ?? 0) <= WATCHED_PAGES;
  return useInfiniteQuery<Page<T>, BillhookError, InfiniteData<Page<T>>, Key, string | undefined>({
    queryKey: [...useScope(), "list", ...key],
    queryFn: ({ pageParam, signal }) =>
      read(api, { limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, signal),
    initialPageParam: undefined,
    getNextPageParam: ({ next_cursor: next }) => next ?? undefined,
    enabled,
    refetchOnWindowFocus: isShort,
    refetchOnReconnect: isShort,
    ...(every === undefined ? {} : { refetchInterval: (query) => (isShort(query) ? every : false) }),
  });
}

export interface ActOptions<In, Out> {
  /** Told and announced when it has worked. */
  done?: string | ((answer: Out, given: In) => string);
  /** Runs when it has worked, after what it changed is marked for reading anew. */
  then?: (answer: Out, given: In) => void;
}

/** A change. `act.mutate(input)`, `act.isPending`, and `<ErrorNote error={act.error} />` beside its button. All reads start anew after it. */
export function useAct<In, Out>(
  act: (api: BillhookClient, given: In) => Promise<Out>,
  { done, then }: ActOptions<In, Out> = {},
): UseMutationResult<Out, BillhookError, In> {
  const api = useApi();
  const cache = useQueryClient();
  return useMutation<Out, BillhookError, In>({
    mutationFn: (given) => act(api, given),
    onSuccess: (answer, given) => {
      void cache.invalidateQueries();
      if (done !== undefined) told(typeof done === "string" ? done : done(answer, given));
      then?.(answer, given);
    },
  });
}
