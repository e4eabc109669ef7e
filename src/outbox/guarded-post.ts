// POST to an address that a tenant chose: only where the policy allows, bounded in time and bytes, and no redirect followed.
import { type LookupAddress, lookup } from "node:dns";
import { Resolver } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { buildConnector, Pool } from "undici";

import { type Clock, systemClock } from "../base/clock.ts";
import { type AddressPolicy, checkUrl, isAllowed, isReachable, literalOf } from "./address-policy.ts";
import type { RefusedUrl, Resolve } from "./address-policy.ts";
import { type Answer, EndedExchange, exchange, KeptClient, KeptConnectionEnded } from "./exchange.ts";

export interface GuardedPost {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
  /** For the whole exchange: DNS, connection, TLS, answer and its body. */
  timeoutMs: number;
  /** The same object for all posts of a process: its connections are used again. */
  policy: AddressPolicy;
  signal?: AbortSignal;
  clock?: Clock;
}

export type Exchange = Answered | Failed;

/** There was a status. The body was read to its end, or to READ_BYTES, where the connection was cut off. */
export interface Answered extends Answer {
  outcome: "answered";
  latencyMs: number;
  /** Seconds from now, as the header Retry-After says; null without a readable one. */
  retryAfter: number | null;
}

export type FailureCode =
  /** The name does not resolve. */
  | "dns"
  /** The policy does not allow the address. */
  | "refused_address"
  | "connect"
  | "tls"
  | "timeout"
  /** The connection ended before the answer did. */
  | "reset"
  /** Headers of more than HEADER_BYTES. */
  | "too_large"
  | "invalid_url"
  /** What came is no HTTP. */
  | "protocol";

export interface Failed {
  outcome: "failed";
  code: FailureCode;
  /** A sentence for the tenant: it names no address of ours. */
  message: string;
  latencyMs: number;
}

/** What every post carries beside its caller's headers. */
export const POST_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  "user-agent": "Billhook",
  // A body that is not compressed cannot grow: 50 MB of gzip are 64 KiB and a closed connection.
  "accept-encoding": "identity",
};

const HEADER_BYTES = 16 * 1024;

/** Less than the 5 s after which Node's own servers close an idle connection. */
const IDLE_MS = 4_000;
/** DNS is asked again after so long, also for a receiver that is never idle. */
const CONNECTION_MS = 60_000;
/** Of more origins than this, those that were used the longest ago and have no connection any more are forgotten. */
const ORIGINS = 1_024;
const DNS_TRIES = 2;
const DNS_TRY_MS = 2_000;
/** Once one family of addresses is known: some servers are silent when they are asked for the other. */
const OTHER_FAMILY_MS = 300;
/** For each address of a name but the last, so that one that swallows everything leaves time for the next. */
const ADDRESS_MS = 3_000;
/** Nobody waits for it: the exchange's own limit ends first. */
const CONNECT_MS = 20_000;

/** Never throws for what a receiver does: that is in the Exchange. */
export async function guardedPost(options: GuardedPost): Promise<Exchange> {
  const { body, timeoutMs, policy, signal, clock = systemClock } = options;
  const began = clock.monotonic();
  const latencyMs = (): number => Math.round(clock.monotonic() - began);
  const failed = (code: FailureCode, message: string): Failed => ({
    outcome: "failed",
    code,
    message,
    latencyMs: latencyMs(),
  });
  // Asked before each post: a policy may be stricter today, and `lookup` is never called for a literal address.
  const place = placeOf(options.url, policy);
  if ("refused" in place) return failed(place.code, place.refused);
  const headers = { ...POST_HEADERS, ...options.headers, "accept-encoding": "identity" };
  try {
    const request = { path: place.path, headers, body, timeoutMs, signal };
    const answer = await exchange(poolFor(place, policy), request).catch((error: unknown) => {
      if (!(error instanceof KeptConnectionEnded)) throw error;
      // Once more, on one that was never used: what ends that one is the receiver's answer.
      const left = Math.max(1, timeoutMs - latencyMs());
      return exchange(poolFor(place, policy, "new"), { ...request, timeoutMs: left, close: true });
    });
    const retryAfter = secondsUntil(answer.headers["retry-after"], clock);
    return { outcome: "answered", ...answer, latencyMs: latencyMs(), retryAfter };
  } catch (error) {
    if (error instanceof EndedExchange) {
      return error.reason === "stopped"
        ? failed("reset", "This server ended the exchange, because it stops.")
        : failed("timeout", `No whole answer came within ${timeoutMs / 1000} seconds.`);
    }
    const { code, message } = failureOf(error);
    return failed(code, message);
  }
}

/** Closes what this policy's posts have left open. For the end of a process. */
export async function closeConnections(policy: AddressPolicy): Promise<void> {
  const pools = [...(connections.get(policy)?.values() ?? [])];
  connections.delete(policy);
  await Promise.all(pools.map((pool) => pool.destroy()));
}

/** null: there is none, or nobody can tell what it says. Of several the first counts. */
function secondsUntil(header: string | undefined, clock: Clock): number | null {
  if (header === undefined) return null;
  const seconds = /^\s*(\d+)\s*(,|$)/.exec(header)?.[1];
  if (seconds !== undefined) return Math.min(Number(seconds), YEAR_SECONDS);
  // Date.parse takes "-5", "1.5" and "retry 5" for dates, too: HTTP's begin with the day of the week.
  const at = /^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - clock.now()) / 1000));
}

const YEAR_SECONDS = 31_536_000;

/** A URL that its policy allows. */
interface Place {
  url: URL;
  origin: string;
  /** With the query. */
  path: string;
}

/** Of each policy, by their text: to parse and check one takes 6 µs. A policy never changes, another one is another object. */
const places = new WeakMap<AddressPolicy, Map<string, Place>>();
const PLACES = 10_000;

function placeOf(text: string, policy: AddressPolicy): Place | RefusedUrl {
  const known = places.get(policy) ?? new Map<string, Place>();
  places.set(policy, known);
  const before = known.get(text);
  if (before !== undefined) return before;
  const checked = checkUrl(text, policy);
  if ("refused" in checked) return checked;
  const { url } = checked;
  const place = { url, origin: url.origin, path: url.pathname + url.search };
  const [oldest] = known.keys();
  if (known.size >= PLACES && oldest !== undefined) known.delete(oldest);
  known.set(text, place);
  return place;
}

/** Of each policy by origin, the one that was used last at the end: no connection is used under another policy. */
const connections = new WeakMap<AddressPolicy, Map<string, Pool>>();

/** `new`: none of its connections is used twice, where its requests say so. */
function poolFor({ url, origin }: Place, policy: AddressPolicy, kind: "kept" | "new" = "kept"): Pool {
  const pools = connections.get(policy) ?? new Map<string, Pool>();
  connections.set(policy, pools);
  const name = kind === "kept" ? origin : `${kind} ${origin}`;
  const pool = pools.get(name) ?? openPool(url, policy);
  pools.delete(name);
  pools.set(name, pool);
  if (pools.size > ORIGINS) forgetIdle(pools, pool);
  return pool;
}

/** Looks at a few: each new origin forgets as many as it adds, and more where connections have ended meanwhile. */
function forgetIdle(pools: Map<string, Pool>, used: Pool): void {
  let looks = 8;
  for (const [origin, pool] of pools) {
    const { connected, pending, running, queued } = pool.stats;
    if (pool !== used && connected + pending + running + queued === 0) {
      pools.delete(origin);
      // Nobody waits for it: there is nothing to end.
      void pool.close();
    }
    looks -= 1;
    if (looks === 0) return;
  }
}

/** Every new connection asks DNS, checks all it answers, and opens to those addresses alone. */
function openPool(url: URL, policy: AddressPolicy): Pool {
  const vouched = isAllowed(url, policy);
  const mayReach = (address: string): boolean => vouched || isReachable(address, policy);
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_MS,
    rejectUnauthorized: true,
    autoSelectFamily: true,
    // Node's 250 ms end a connection to the other side of the world, and come back to no address.
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    lookup: guardedLookup(policy.resolve ?? resolverFor(url, policy), mayReach),
  });
  return new Pool(url.origin, {
    factory: (origin, options) => new KeptClient(origin, options),
    allowH2: false,
    // Many tenants may post to one origin, such as that of an automation service: the caller says how many at a time.
    connections: null,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    clientTtl: CONNECTION_MS,
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, callback) => {
      // Node does not call `lookup` for a literal address.
      const literal = literalOf(url);
      if (literal !== undefined && !mayReach(literal)) {
        callback(new RefusedAddress(), null);
        return;
      }
      connect(target, callback);
    },
  });
}

/** Refuses a name as soon as one of its addresses is not to be reached: a mixed answer is how a rebinding looks. */
function guardedLookup(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const found = addresses.map((address): LookupAddress => ({ address, family: isIP(address) }));
        const [first] = found;
        if (first === undefined) callback(new Unresolved(), []);
        else if (!found.every(({ address }) => mayReach(address))) callback(new RefusedAddress(), []);
        else if (all === true) callback(null, found);
        else callback(null, first.address, first.family);
      },
      () => {
        callback(new Unresolved(), []);
      },
    );
  };
}

/**
 * DNS itself for names that tenants choose: the system's resolver has four threads for a whole process, and names whose
 * servers are silent would stop them all. Where the operator vouches, and in development, the system knows more names.
 */
function resolverFor(url: URL, policy: AddressPolicy): Resolve {
  if (/^(.*\.)?localhost$/.test(url.hostname)) return async () => ["127.0.0.1", "::1"];
  return policy.loopback || isAllowed(url, policy) ? systemAddresses : dnsAddresses();
}

/**
 * `servers` as `address:port`; undefined: the system's. Waits for both families, but not long for the second one: only what
 * is returned is checked and connected to.
 */
export function dnsAddresses(servers?: readonly string[]): Resolve {
  return async (hostname) => {
    const resolver = new Resolver({ timeout: DNS_TRY_MS, tries: DNS_TRIES });
    if (servers !== undefined) resolver.setServers(servers);
    const found: string[] = [];
    const families = [resolver.resolve4(hostname), resolver.resolve6(hostname)].map(async (answer) => {
      found.push(...(await answer));
    });
    const both = Promise.allSettled(families);
    // A family without addresses is a refusal here: only one that has some makes the other's time short.
    const one = Promise.any(families).then(
      () => sleep(OTHER_FAMILY_MS, undefined, { ref: false }),
      () => both,
    );
    await Promise.race([both, one]);
    resolver.cancel();
    return [...found];
  };
}

function systemAddresses(hostname: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, found) => {
      if (error === null) resolve(found.map(({ address }) => address));
      else reject(error);
    });
  });
}

class RefusedAddress extends Error {
  override readonly name = "RefusedAddress";
  readonly code = "BILLHOOK_REFUSED_ADDRESS";
}

class Unresolved extends Error {
  override readonly name = "Unresolved";
  readonly code = "BILLHOOK_UNRESOLVED";
}

const FAILURES: readonly { code: FailureCode; of: RegExp; message: string }[] = [
  {
    code: "refused_address",
    of: /^BILLHOOK_REFUSED_ADDRESS$/,
    message: "The host has an address in a private or reserved network: use one with public addresses alone.",
  },
  { code: "dns", of: /^BILLHOOK_UNRESOLVED$/, message: "The host's name could not be resolved." },
  {
    code: "connect",
    of: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    message: "The connection could not be opened in time.",
  },
  {
    code: "connect",
    of: /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|EPERM|EINVAL|ENETDOWN|EHOSTDOWN)$/,
    message: "The connection was refused, or there is no way to the host.",
  },
  {
    code: "tls",
    of: /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/,
    message: "TLS failed: check that the certificate is valid, complete with its chain, and for this host name.",
  },
  { code: "too_large", of: /^UND_ERR_HEADERS_OVERFLOW$/, message: "The answer's headers are larger than 16 KiB." },
  { code: "protocol", of: /^(HPE_|UND_ERR_RES)/, message: "What came back is no HTTP answer." },
];
const RESET = { code: "reset", message: "The connection ended before the whole answer had come." } as const;
/** What only a mistake of ours brings about. */
const OURS = /^(|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_.*)$/;

function failureOf(error: unknown): { code: FailureCode; message: string } {
  const code = codeOf(error);
  if (OURS.test(code)) throw error;
  return FAILURES.find(({ of }) => of.test(code)) ?? RESET;
}

/** Of several addresses that all failed, the first one's. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return "";
  if (error.name === "HTTPParserError") return "HPE_";
  return "code" in error && typeof error.code === "string"
    ? error.code
    : error.cause === undefined
      ? ""
      : codeOf(error.cause);
}
