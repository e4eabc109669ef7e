// The webhook endpoints on the Stripe account, held against what `billhook stripe setup` would make of them.
import { STRIPE_API_VERSION } from "../stripe/client.ts";
import type { SigningSecret } from "../stripe/signature.ts";
import { check, type Examined } from "./doctor-check.ts";
import type { Found } from "./doctor-report.ts";
import { isLoopback } from "./doctor-settings.ts";
import { hasConnections, inEachMode } from "./doctor-stripe.ts";
import { listEndpoints } from "./stripe-setup.ts";
import { SETUP_EVENT_TYPES } from "./stripe-setup-events.ts";
import {
  ENDPOINT_ROLES,
  type EndpointRole,
  foreignEndpoints,
  type FoundEndpoint,
  ownSecret,
  planSetup,
  SECRET_MARK,
  secretMark,
  type SetupStep,
  type SetupWish,
} from "./stripe-setup-plan.ts";

/** Where Stripe is to send events, of those addresses that answer. */
export const WEBHOOK_PATH = "/stripe/webhook/";
const WEBHOOK_PATHS = /\/(?:stripe\/webhook|account\/stripe-webhook|api\/webhooks\/stripe)\/?$/;

export const ROLE_VARIABLE: Record<EndpointRole, string> = {
  platform: "STRIPE_WEBHOOK_SECRET",
  connect: "STRIPE_CONNECT_WEBHOOK_SECRET",
};
export const WHOSE: Record<EndpointRole, string> = {
  platform: "the platform's own account",
  connect: "connected accounts",
};

export const endpointsCheck = check({
  code: "webhook_endpoints",
  title: "Webhook endpoints at Stripe",
  needs: "both",
  look: (examined) =>
    inEachMode(examined, async ({ livemode, mode }) => {
      const { ask, stripe, config, webhookSecrets } = examined;
      const found = await listEndpoints({ stripe, livemode });
      const isSandbox = config.sandbox !== undefined;
      return judgeEndpoints({
        mode,
        found: isSandbox ? found.map((one) => asOurs(one, config.publicUrl)) : found,
        wish: wishOf(examined),
        // The sandbox is given them by the process itself, one for both where there is one.
        secretsKnown: webhookSecrets.length > 0 && !isSandbox,
        connected: await hasConnections(ask, livemode),
      });
    }),
  judge: (found) => found,
});

function wishOf({ config, webhookSecrets }: Pick<Examined, "config" | "webhookSecrets">): SetupWish {
  return {
    url: `${config.publicUrl}${WEBHOOK_PATH}`,
    apiVersion: STRIPE_API_VERSION,
    eventTypes: SETUP_EVENT_TYPES,
    secrets: { platform: ofRole(webhookSecrets, "platform"), connect: ofRole(webhookSecrets, "connect") },
    rotate: false,
  };
}

function ofRole(secrets: readonly SigningSecret[], role: EndpointRole): string[] {
  return secrets
    .filter(({ name }) => (name === ROLE_VARIABLE.connect) === (role === "connect"))
    .map(({ secret }) => secret);
}

/** The sandbox sends to where the process listens, by whichever name of this machine, in its own newest version. */
function asOurs(endpoint: FoundEndpoint, publicUrl: string): FoundEndpoint {
  if (!isLoopback(new URL(endpoint.url).hostname)) return endpoint;
  const { pathname } = new URL(endpoint.url);
  return { ...endpoint, url: `${publicUrl}${pathname}`, apiVersion: endpoint.apiVersion ?? STRIPE_API_VERSION };
}

export interface EndpointFacts {
  mode: "live" | "test";
  found: readonly FoundEndpoint[];
  wish: SetupWish;
  /** false: a process that does not know what the server was given. */
  secretsKnown: boolean;
  /** A tenant has connected an account in this mode. */
  connected: boolean;
}

export function judgeEndpoints(facts: EndpointFacts): Found[] {
  const steps = planSetup(facts.found, facts.wish);
  return ENDPOINT_ROLES.flatMap((role) => judgeRole(facts, role, steps));
}

function judgeRole(facts: EndpointFacts, role: EndpointRole, steps: readonly SetupStep[]): Found[] {
  const own = steps.filter((step) => step.role === role);
  const best = bestOf(own);
  if (best === undefined) return [judgeMissing(facts, role, steps)];
  const twins = own.flatMap((step) =>
    (step.do === "report" || step.do === "retire") && endpointOf(step).id !== best.id ? [endpointOf(step)] : [],
  );
  const instead = role === "platform" ? insteadOfConnect(steps) : undefined;
  return [
    ...judgeStanding(facts, role, best),
    ...judgeSecret(facts, role, best),
    ...twins
      .filter(({ id }) => id !== instead?.id)
      .map(({ id }): Found => ({ code: "webhook_endpoint_twice", subject: id, values: { endpoint: id } })),
  ];
}

/** The one that setup would keep or replace. */
function bestOf(steps: readonly SetupStep[]): FoundEndpoint | undefined {
  const step = steps.find((one) => one.do === "nothing" || one.do === "repair" || one.do === "replace");
  return step === undefined ? undefined : endpointOf(step);
}

function endpointOf(step: Exclude<SetupStep, { do: "create" }>): FoundEndpoint;
function endpointOf(step: SetupStep): FoundEndpoint | undefined;
function endpointOf(step: SetupStep): FoundEndpoint | undefined {
  if (step.do === "create") return undefined;
  return step.do === "replace" || step.do === "retire" ? step.old : step.endpoint;
}

/** Two endpoints for the platform and none for connected accounts: the second was meant to be theirs. */
function insteadOfConnect(steps: readonly SetupStep[]): FoundEndpoint | undefined {
  if (bestOf(steps.filter(({ role }) => role === "connect")) !== undefined) return undefined;
  const best = bestOf(steps.filter(({ role }) => role === "platform"));
  return steps
    .filter(({ role }) => role === "platform")
    .map((step) => endpointOf(step))
    .find((endpoint) => endpoint !== undefined && endpoint.id !== best?.id);
}

function judgeMissing(facts: EndpointFacts, role: EndpointRole, steps: readonly SetupStep[]): Found {
  const { mode, found, wish, connected } = facts;
  const values = { mode, role, url: wish.url, whose: WHOSE[role] };
  const instead = role === "connect" ? insteadOfConnect(steps) : undefined;
  if (instead !== undefined) {
    const { id } = instead;
    return { code: "webhook_endpoint_not_connect", subject: id, values: { ...values, endpoint: id } };
  }
  const elsewhere = foreignEndpoints(found, wish.url).find(
    (one) => one.role === role && (WEBHOOK_PATHS.test(one.url) || hostOf(one.url) === hostOf(wish.url)),
  );
  if (elsewhere !== undefined) {
    const { id, url } = elsewhere;
    return { code: "webhook_endpoint_url_wrong", subject: id, values: { ...values, endpoint: id, found: url } };
  }
  const code = role === "connect" && !connected ? "connect_endpoint_missing" : "webhook_endpoint_missing";
  return { code, subject: `${role} ${mode}`, values };
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

const TYPES_NAMED = 3;

function judgeStanding({ mode, wish }: EndpointFacts, role: EndpointRole, endpoint: FoundEndpoint): Found[] {
  const { id, url, enabled, apiVersion, eventTypes } = endpoint;
  const values = { mode, role, endpoint: id, url };
  const found: Found[] = [];
  if (!enabled) found.push({ code: "webhook_endpoint_disabled", subject: id, values });
  const lacking = eventTypes.includes("*") ? [] : wish.eventTypes.filter((type) => !eventTypes.includes(type));
  if (lacking.length > 0) {
    const types = lacking.slice(0, TYPES_NAMED).join(", ");
    const named = { ...values, count: lacking.length, types };
    found.push({ code: "webhook_endpoint_events", subject: id, values: named, details: { lacking } });
  }
  if (apiVersion !== wish.apiVersion) {
    const named = { ...values, found: apiVersion ?? "the account's default version", wanted: wish.apiVersion };
    found.push({ code: "webhook_endpoint_version", subject: id, values: named });
  }
  return found;
}

function judgeSecret(facts: EndpointFacts, role: EndpointRole, endpoint: FoundEndpoint): Found[] {
  const { mode, wish, secretsKnown } = facts;
  if (!secretsKnown || ownSecret(endpoint, wish.secrets[role]) !== undefined) return [];
  const other = role === "platform" ? "connect" : "platform";
  const mark = endpoint.metadata[SECRET_MARK];
  const subject = endpoint.id;
  const values = { mode, role, endpoint: subject, variable: ROLE_VARIABLE[role], found: ROLE_VARIABLE[other] };
  if (mark !== undefined && wish.secrets[other].some((secret) => secretMark(secret) === mark))
    return [{ code: "webhook_secrets_swapped", subject, values }];
  // Made by hand: whether one of several secrets of the other variable is its own, nobody can tell.
  return mark === undefined && wish.secrets[other].length > 1
    ? []
    : [{ code: "webhook_secret_missing", subject, values }];
}
