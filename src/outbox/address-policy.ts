// Where webhooks may be sent: the form of a URL, its host and port, and the addresses that a host may have. Pure.
import { BlockList, isIP } from "node:net";

import { isHostName } from "../base/host-name.ts";
import type { HostAndPort, PortRange } from "../base/settings.ts";
import type { Config } from "../config.ts";

export interface AddressPolicy {
  /** In development: loopback addresses, over http too and on any port. */
  loopback: boolean;
  /** What the operator vouches for: neither port nor addresses are looked at. */
  allowed: readonly HostAndPort[];
  /** Undefined: 443, and those from 1024 on that are no well-known service's. */
  ports: readonly PortRange[] | undefined;
  /** Instead of DNS: for tests. */
  resolve?: Resolve;
}

/** All addresses of a name. Rejects for a name that has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** One for a process: connections belong to the policy under which they were made. */
export function policyOf({
  environment,
  webhookAllowedHosts,
  webhookPorts,
}: Pick<Config, "environment" | "webhookAllowedHosts" | "webhookPorts">): AddressPolicy {
  return { loopback: environment !== "production", allowed: webhookAllowedHosts, ports: webhookPorts };
}

/** Why a URL is refused, as a sentence that says what to do. */
export interface RefusedUrl {
  refused: string;
  code: "invalid_url" | "refused_address";
}

export const MAX_URL_LENGTH = 2048;

/** Looks at all that can be told without asking DNS; a literal address as the parser wrote it, however it was spelled. */
export function checkUrl(text: string, policy: AddressPolicy): { url: URL } | RefusedUrl {
  const url = parsed(text);
  if (url === undefined) return invalid("Give it as https://host/path.");
  // As it is called, with what is no ASCII in percents: looked at again before each post.
  if (Math.max(text.length, url.href.length) > MAX_URL_LENGTH)
    return invalid(`Use a URL of at most ${MAX_URL_LENGTH} characters.`);
  if (url.username !== "" || url.password !== "") {
    return invalid("Remove the user name and password: the signature says who sends.");
  }
  if (url.hostname.endsWith(".")) return invalid("Remove the dot at the end of the host name.");
  if (literalOf(url) === undefined && !isHostName(url.hostname)) return invalid(NO_HOST_NAME);
  if (allowedHost(url, policy) !== undefined) return { url };
  return refusedPlace(url, policy) ?? { url };
}

/** Whether the operator vouches for this host and port. */
export function isAllowed(url: URL, policy: AddressPolicy): boolean {
  return allowedHost(url, policy) !== undefined;
}

/** Whether a connection to this address may be opened. `address` as `node:net` and DNS write it. */
export function isReachable(address: string, policy: AddressPolicy): boolean {
  return isPublicAddress(address) || (policy.loopback && isLoopback(address));
}

/**
 * Whether the address is one of the public internet: IPv4 outside of NOT_PUBLIC, IPv6 inside 2000::/3 and outside of it.
 * That leaves out the forms in which IPv6 holds an IPv4 address: mapped, compatible, NAT64, 6to4 and Teredo.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC.check(address, "ipv4");
    case 6:
      // A zone names a link of this machine.
      return !address.includes("%") && GLOBAL.check(address, "ipv6") && !NOT_PUBLIC_6.check(address, "ipv6");
    default:
      return false;
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** What the URL parser would correct in silence is refused: the text that people see is the URL that is called. */
function parsed(text: string): URL | undefined {
  const isPlain = /^https?:\/\/(?!:?@)[^/?#]/i.test(text) && !/[\s\\\p{Cc}]/u.test(text);
  return isPlain && URL.canParse(text) ? new URL(text) : undefined;
}

function allowedHost(url: URL, { allowed }: AddressPolicy): HostAndPort | undefined {
  const plain = url.protocol === "http:";
  return allowed.find((one) => one.host === url.hostname && one.port === portOf(url) && (one.plain || !plain));
}

function refusedPlace(url: URL, policy: AddressPolicy): RefusedUrl | undefined {
  const address = literalOf(url);
  const mayBeLoopback = policy.loopback && (address === undefined ? isLocalName(url.hostname) : isLoopback(address));
  if (url.protocol === "http:" && !mayBeLoopback) return invalid("Use https.");
  if (mayBeLoopback) return undefined;
  if (address !== undefined && !isReachable(address, policy)) return NOT_PUBLIC_REFUSAL;
  if (address === undefined && isInternalName(url.hostname)) return NOT_PUBLIC_REFUSAL;
  if (!isOpenPort(portOf(url), policy.ports)) {
    return invalid("Use port 443, or one from 1024 on that belongs to no other service, such as 8443.");
  }
  return undefined;
}

/** Of `[::1]` or `127.0.0.1`, as the parser wrote it; undefined for a name. */
export function literalOf({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? undefined : bare;
}

export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}

const isLocalName = (name: string): boolean => name === "localhost" || name.endsWith(".localhost");

const NO_HOST_NAME =
  "Use a host name as DNS has it: labels of at most 63 letters, digits and hyphens, and 253 characters in all.";

/** Names that public DNS never has: refused when a URL is saved rather than at the first delivery. */
function isInternalName(name: string): boolean {
  return isLocalName(name) || !name.includes(".") || /\.(local|internal|home\.arpa)$/.test(name);
}

function isOpenPort(port: number, ranges: AddressPolicy["ports"]): boolean {
  if (ranges !== undefined) return ranges.some(({ from, to }) => port >= from && port <= to);
  return port === 443 || (port >= 1024 && !SERVICE_PORTS.has(port));
}

const invalid = (sentence: string): RefusedUrl => ({ refused: sentence, code: "invalid_url" });

const NOT_PUBLIC_REFUSAL: RefusedUrl = {
  refused: "Use a host with a public address: this one belongs to a private or reserved network.",
  code: "refused_address",
};

function networks(family: "ipv4" | "ipv6", list: readonly string[]): BlockList {
  const found = new BlockList();
  for (const network of list) {
    const [address = "", bits] = network.split("/");
    found.addSubnet(address, Number(bits), family);
  }
  return found;
}

const NOT_PUBLIC = networks("ipv4", [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by a carrier's customers
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's own, inside each of its machines
  "169.254.0.0/16", // link-local, and clouds' metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
]);
const GLOBAL = networks("ipv6", ["2000::/3"]);
const NOT_PUBLIC_6 = networks("ipv6", [
  "2001::/23", // protocol assignments, with Teredo in 2001::/32
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4
  "3fff::/20", // documentation
]);

/** Ports from 1024 on whose services are not to be knocked at: databases, queues, control planes, remote desktops. */
const SERVICE_PORTS: ReadonlySet<number> = new Set([
  ...[1080, 1099, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2222, 2375, 2376, 2379, 2380, 3128, 3260, 3306, 3389, 3478],
  ...[4369, 4444, 4505, 4506, 5060, 5061, 5222, 5432, 5555, 5601, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6443],
  ...[6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6697, 7001, 7077, 8086, 8500, 9000, 9042, 9092],
  ...[9200, 9300, 10_250, 10_255, 11_211, 15_672, 25_565, 27_017, 27_018, 28_017, 50_000, 50_070, 61_616],
]);
