// `billhook stripe setup`: makes, mends and replaces the two webhook endpoints on the Stripe account.
import { newId } from "../base/ids.ts";
import type { StripeAccess, StripeTarget } from "../stripe/access.ts";
import type { StripeClient } from "../stripe/client.ts";
import {
  type EndpointRole,
  foreignEndpoints,
  type FoundEndpoint,
  ownSecret,
  planSetup,
  ROLE_MARK,
  SECRET_MARK,
  secretMark,
  type SetupStep,
  type SetupWish,
} from "./stripe-setup-plan.ts";

export interface SetupOptions {
  stripe: StripeAccess;
  livemode: boolean;
  wish: SetupWish;
  dryRun: boolean;
  /** Keeps the secrets of a role, the current one first, before anything is done that needs them. */
  keep: (role: EndpointRole, secrets: readonly string[]) => Promise<void>;
  /** Whether the server at the address takes what is signed so; undefined: it does not answer. */
  accepts: (secret: string) => Promise<boolean | undefined>;
}

/** What was done, or would be. `left`: something remains for a person or a later run. */
export interface SetupLine {
  role: EndpointRole;
  endpoint: string | null;
  action: "created" | "replaced" | "repaired" | "deleted" | "nothing" | "left";
  sentence: string;
}

export interface SetupResult {
  lines: SetupLine[];
  /** By role, where this run made one: all configured ones, the current one first. */
  secrets: Partial<Record<EndpointRole, readonly string[]>>;
  foreign: readonly string[];
}

/** Stripe allows 16 endpoints an account: one page holds them all. */
const PAGE = 100;
const MODES = { platform: false, connect: true } as const;

/** Rejects with a StripeCallError. What was done until then is done, and another run goes on from there. */
export async function setUpStripe(options: SetupOptions): Promise<SetupResult> {
  const found = await listEndpoints(options);
  const state: SetupState = { ...options, secrets: { ...options.wish.secrets }, made: new Set() };
  const lines: SetupLine[] = [];
  for (const step of planSetup(found, options.wish)) lines.push(...(await perform(state, step)));
  return {
    lines,
    secrets: Object.fromEntries([...state.made].map((role) => [role, state.secrets[role]])),
    foreign: foreignEndpoints(found, options.wish.url).map(({ id }) => id),
  };
}

interface SetupState extends SetupOptions {
  secrets: Record<EndpointRole, readonly string[]>;
  made: Set<EndpointRole>;
}

async function perform(state: SetupState, step: SetupStep): Promise<SetupLine[]> {
  switch (step.do) {
    case "create":
      return [await create(state, step.role)];
    case "replace":
      return replace(state, step);
    case "repair":
      return [await repair(state, step)];
    case "retire":
      return [await retire(state, step.role, step.old, ownSecret(step.successor, state.secrets[step.role]))];
    case "nothing":
      return [line(step.role, step.endpoint.id, "nothing", "nothing to do")];
    case "report":
      return [line(step.role, step.endpoint.id, "left", step.problem)];
  }
}

async function create(state: SetupState, role: EndpointRole): Promise<SetupLine> {
  const { eventTypes, apiVersion, url } = state.wish;
  const what = `an endpoint for ${eventTypes.length} event types in API version ${apiVersion}, at ${url}`;
  if (state.dryRun) return line(role, null, "created", `would make ${what}`);
  const id = await make(state, role);
  return line(role, id, "created", `made ${what}`);
}

/** The old one goes last, and only when the server takes what the new one sends: no event finds a closed door. */
async function replace(state: SetupState, step: SetupStep & { do: "replace" }): Promise<SetupLine[]> {
  const { role, old, because } = step;
  if (state.dryRun) return [line(role, old.id, "replaced", `would be replaced by a new endpoint: ${because}`)];
  // Of an endpoint made by hand too, so that a later run knows it as one that may go.
  if (old.metadata[ROLE_MARK] !== role) await update(state, old.id, { metadata: { [ROLE_MARK]: role } });
  const id = await make(state, role);
  return [
    line(role, id, "replaced", `made in place of ${old.id}: ${because}`),
    await retire(state, role, old, state.secrets[role][0]),
  ];
}

async function make(state: SetupState, role: EndpointRole): Promise<string> {
  const { url, apiVersion, eventTypes } = state.wish;
  const { value } = await state.stripe.call(post(state), (client, options) =>
    client.webhookEndpoints.create(
      {
        url,
        connect: MODES[role],
        enabled_events: [...eventTypes] as EnabledEvents,
        api_version: apiVersion as ApiVersion,
        description: DESCRIPTIONS[role],
        metadata: { [ROLE_MARK]: role },
      },
      options,
    ),
  );
  const { id, secret } = value;
  if (secret === undefined) throw new Error(`Stripe gave no secret for ${id}: run this again with --rotate`);
  state.secrets[role] = [secret, ...state.secrets[role].filter((other) => other !== secret)];
  state.made.add(role);
  // First of all: nobody can read it again. The mark after it says that it was kept.
  await state.keep(role, state.secrets[role]);
  await update(state, id, { metadata: { [SECRET_MARK]: secretMark(secret) } });
  return id;
}

async function repair(state: SetupState, step: SetupStep & { do: "repair" }): Promise<SetupLine> {
  const { role, endpoint, add, enable, mark } = step;
  const what = [
    ...(add.length === 0 ? [] : [`${add.length} event types added: ${add.join(", ")}`]),
    ...(enable ? ["enabled again"] : []),
    ...(mark ? ["marked as Billhook's"] : []),
  ].join("; ");
  if (state.dryRun) return line(role, endpoint.id, "repaired", `would be repaired: ${what}`);
  await update(state, endpoint.id, {
    ...(add.length === 0 ? {} : { enabled_events: [...endpoint.eventTypes, ...add] as EnabledEvents }),
    ...(enable ? { disabled: false } : {}),
    ...(mark ? { metadata: { [ROLE_MARK]: role } } : {}),
  });
  return line(role, endpoint.id, "repaired", what);
}

/** `secret`: its successor's. */
async function retire(
  state: SetupState,
  role: EndpointRole,
  old: FoundEndpoint,
  secret: string | undefined,
): Promise<SetupLine> {
  if (state.dryRun)
    return line(role, old.id, "deleted", "would be deleted, once the server knows its successor's secret");
  const accepted = secret === undefined ? false : await state.accepts(secret);
  if (accepted !== true) {
    const why = accepted === undefined ? "the server does not answer" : "the server does not know the new secret yet";
    return line(
      role,
      old.id,
      "left",
      `still there, because ${why}: start Billhook with the new secret, and run this again without --rotate to delete it.`,
    );
  }
  await state.stripe.call(target(state), (client, options) => client.webhookEndpoints.del(old.id, {}, options));
  const gone = old.metadata[SECRET_MARK];
  const left = state.secrets[role].filter((secret) => secretMark(secret) !== gone);
  if (left.length < state.secrets[role].length) {
    state.secrets[role] = left;
    await state.keep(role, left);
  }
  return line(role, old.id, "deleted", "deleted: its successor delivers");
}

export async function listEndpoints({
  stripe,
  ...options
}: Pick<SetupOptions, "stripe" | "livemode">): Promise<FoundEndpoint[]> {
  const { value } = await stripe.call(target(options), (client, request) =>
    client.webhookEndpoints.list({ limit: PAGE }, request),
  );
  return value.data.map((endpoint) => ({
    id: endpoint.id,
    url: endpoint.url,
    enabled: endpoint.status === "enabled",
    apiVersion: endpoint.api_version,
    eventTypes: endpoint.enabled_events,
    // Stripe names the Connect application on endpoints for connected accounts alone.
    role: endpoint.application === null ? "platform" : "connect",
    created: endpoint.created,
    metadata: endpoint.metadata,
  }));
}

type UpdateParams = NonNullable<Parameters<StripeClient["webhookEndpoints"]["update"]>[1]>;
type CreateParams = Parameters<StripeClient["webhookEndpoints"]["create"]>[0];
type EnabledEvents = CreateParams["enabled_events"];
type ApiVersion = NonNullable<CreateParams["api_version"]>;

async function update(state: SetupState, id: string, params: UpdateParams): Promise<void> {
  await state.stripe.call(post(state), (client, options) => client.webhookEndpoints.update(id, params, options));
}

const target = ({ livemode }: { livemode: boolean }): StripeTarget => ({
  livemode,
  account: "",
  patience: "background",
});
/** A key of its own for each change: what matters is that the SDK's retries of one change are one. */
const post = (state: SetupState): StripeTarget => ({ ...target(state), idempotencyKey: newId("req") });

function line(role: EndpointRole, endpoint: string | null, action: SetupLine["action"], sentence: string): SetupLine {
  return { role, endpoint, action, sentence };
}

const DESCRIPTIONS: Record<EndpointRole, string> = {
  platform: "Billhook: events of the platform's own account",
  connect: "Billhook: events of connected accounts",
};
