// What must be done so that Stripe sends Billhook its events: decided from the endpoints that are there. Pure.
import { createHash } from "node:crypto";

/** platform: the events of the platform's own account · connect: those of the connected accounts. */
export type EndpointRole = "platform" | "connect";
export const ENDPOINT_ROLES: readonly EndpointRole[] = ["platform", "connect"];

export interface FoundEndpoint {
  id: string;
  url: string;
  enabled: boolean;
  /** Null: the account's default, which may change under us. */
  apiVersion: string | null;
  eventTypes: readonly string[];
  role: EndpointRole;
  created: number;
  metadata: Readonly<Record<string, string>>;
}

export interface SetupWish {
  url: string;
  apiVersion: string;
  eventTypes: readonly string[];
  /** The configured signing secrets of each role, the current one first. */
  secrets: Readonly<Record<EndpointRole, readonly string[]>>;
  /** New endpoints with new secrets in place of those that are there. */
  rotate: boolean;
}

export type SetupStep =
  | { do: "create"; role: EndpointRole }
  /** A new endpoint beside it first; it goes when the server knows the new secret. */
  | { do: "replace"; role: EndpointRole; old: FoundEndpoint; because: string }
  | { do: "repair"; role: EndpointRole; endpoint: FoundEndpoint; add: string[]; enable: boolean; mark: boolean }
  /** Its successor delivers. */
  | { do: "retire"; role: EndpointRole; old: FoundEndpoint; successor: FoundEndpoint }
  | { do: "nothing"; role: EndpointRole; endpoint: FoundEndpoint }
  /** Only a person can decide. */
  | { do: "report"; role: EndpointRole; endpoint: FoundEndpoint; problem: string };

/** Metadata that says that an endpoint is ours, and which of our secrets is its own: a secret cannot be read again. */
export const ROLE_MARK = "billhook";
export const SECRET_MARK = "billhook_secret";

/** Tells whether a secret is this one, and nothing about it: 48 of the 256 bits of its hash. */
export function secretMark(secret: string): string {
  return createHash("sha256").update(secret).digest("hex").slice(0, 12);
}

/** The paths under which the same door answers: an endpoint on another of them would bring every event twice. */
const WEBHOOK_PATHS = ["/stripe/webhook", "/account/stripe-webhook", "/api/webhooks/stripe"];

export function planSetup(found: readonly FoundEndpoint[], wish: SetupWish): SetupStep[] {
  const ours = found.filter(({ url }) => sameDoor(url, wish.url));
  return ENDPOINT_ROLES.flatMap((role) => planRole(role, ours, wish));
}

/** Endpoints on other addresses: another deployment's, or somebody else's. They are left alone. */
export function foreignEndpoints(found: readonly FoundEndpoint[], url: string): FoundEndpoint[] {
  return found.filter((endpoint) => !sameDoor(endpoint.url, url));
}

function planRole(role: EndpointRole, ours: readonly FoundEndpoint[], wish: SetupWish): SetupStep[] {
  const candidates = ours.filter((endpoint) => endpoint.role === role).sort(bestFirst(wish));
  const [best, ...others] = candidates;
  if (best === undefined) return [{ do: "create", role }];
  const secretKnown = ownSecret(best, wish.secrets[role]) !== undefined;
  const because = whyReplace(best, wish);
  if (because !== undefined) {
    return [{ do: "replace", role, old: best, because }, ...others.map((other) => beside(role, other, best, false))];
  }
  return [
    ...repair(role, best, wish),
    ...(secretKnown ? [] : [{ do: "report" as const, role, endpoint: best, problem: SECRET_UNKNOWN }]),
    ...others.map((other) => beside(role, other, best, secretKnown)),
  ];
}

function whyReplace(endpoint: FoundEndpoint, { rotate, apiVersion }: SetupWish): string | undefined {
  if (rotate) return "a new secret was asked for";
  // An endpoint's version is fixed when it is made.
  return endpoint.apiVersion === apiVersion
    ? undefined
    : `it sends API version ${endpoint.apiVersion ?? "of the account's default"}, not ${apiVersion}`;
}

function repair(role: EndpointRole, endpoint: FoundEndpoint, wish: SetupWish): SetupStep[] {
  const { eventTypes, enabled, metadata } = endpoint;
  const add = eventTypes.includes("*") ? [] : wish.eventTypes.filter((type) => !eventTypes.includes(type));
  const mark = metadata[ROLE_MARK] !== role;
  if (add.length === 0 && enabled && !mark) return [{ do: "nothing", role, endpoint }];
  return [{ do: "repair", role, endpoint, add, enable: !enabled, mark }];
}

/** One of ours, of an earlier run, goes once its successor's secret is known; another is a person's, who is told. */
function beside(
  role: EndpointRole,
  endpoint: FoundEndpoint,
  successor: FoundEndpoint,
  secretKnown: boolean,
): SetupStep {
  if (endpoint.metadata[ROLE_MARK] === role && secretKnown) return { do: "retire", role, old: endpoint, successor };
  const problem = `it brings the same events as ${successor.id} once more, which costs but changes nothing: delete it in Stripe's dashboard if nobody needs it.`;
  return { do: "report", role, endpoint, problem };
}

/** Right version, then enabled, then ours, then exactly the address, then the newest. */
function bestFirst({ apiVersion, url }: SetupWish): (a: FoundEndpoint, b: FoundEndpoint) => number {
  const marks = (endpoint: FoundEndpoint): boolean[] => [
    endpoint.apiVersion === apiVersion,
    endpoint.enabled,
    endpoint.metadata[ROLE_MARK] === endpoint.role,
    plain(endpoint.url) === plain(url),
  ];
  return (a, b) => {
    const theirs = marks(b);
    const first = marks(a).findIndex((mark, index) => mark !== theirs[index]);
    if (first >= 0) return marks(a)[first] === true ? -1 : 1;
    return b.created - a.created || (a.id < b.id ? 1 : -1);
  };
}

/** Without a mark, as of an endpoint made by hand, the first configured secret is taken for its own. */
export function ownSecret({ metadata }: FoundEndpoint, secrets: readonly string[]): string | undefined {
  const mark = metadata[SECRET_MARK];
  if (mark !== undefined) return secrets.find((secret) => secretMark(secret) === mark);
  // Ours, but the run that made it ended before it could keep the secret.
  return metadata[ROLE_MARK] === undefined ? secrets[0] : undefined;
}

const plain = (url: string): string => url.replace(/\/+$/, "");

/** The same server and base path, by whichever of the door's addresses. */
function sameDoor(one: string, other: string): boolean {
  return plain(one) === plain(other) || (base(one) !== undefined && base(one) === base(other));
}

function base(url: string): string | undefined {
  const path = WEBHOOK_PATHS.find((each) => plain(url).endsWith(each));
  return path === undefined ? undefined : plain(url).slice(0, -path.length);
}

const SECRET_UNKNOWN =
  "its signing secret is not configured here, and Stripe shows it only once: copy it from Stripe's dashboard, or run this again with --rotate.";
