// Triggers: raises an event of a type by doing the work that raises it, through the API's own calls.
import { invalidRequest, StripeFailure } from "../core/errors.ts";
import { scopeOf } from "../core/kinds.ts";
import type { World } from "../core/world.ts";
import { callApi } from "../door/api-call.ts";
import type { RouteTable } from "../door/route-table.ts";
import { type Given, givenFlag, givenText } from "./given.ts";
import type { Step } from "./trigger-steps.ts";
import { TRIGGERS } from "./trigger-table.ts";

type Answers = Map<string, Record<string, unknown>>;

interface Raised {
  id: string;
  type: string;
  account: string;
}

/** The types that can be asked for. */
export function triggersShown(): { data: string[] } {
  return { data: Object.keys(TRIGGERS) };
}

/**
 * Fields: `type`, and `livemode` (default false). Answers with every event that the work raised, the oldest first.
 * @throws StripeFailure 400 when no trigger raises that type, or what a step's call failed with
 */
export function trigger(world: World, api: RouteTable, body: Given): object {
  const type = givenText(body, "type") ?? "";
  const steps = Object.hasOwn(TRIGGERS, type) ? TRIGGERS[type] : undefined;
  if (steps === undefined) {
    throw invalidRequest(`No trigger raises '${type}': GET /_sandbox/trigger lists the types.`, { param: "type" });
  }
  const key = givenFlag(body, "livemode") === true ? "sk_live_sandbox_trigger" : "sk_test_sandbox_trigger";
  const before = new Set(eventsOf(world).map(({ id }) => id));
  const answers: Answers = new Map();
  for (const step of steps) answers.set(step.name, made(world, api, key, step, answers));
  const events = eventsOf(world).filter(({ id }) => !before.has(id));
  const objects = Object.fromEntries([...answers].map(([name, { id }]) => [name, id ?? null]));
  return { type, raised: events.some((event) => event.type === type), events, objects };
}

function made(
  world: World,
  api: RouteTable,
  key: string,
  { name, call, given, account, declines }: Step,
  answers: Answers,
): Record<string, unknown> {
  const [method = "", path = ""] = (filled(call, answers) as string).split(" ");
  const { status, body } = callApi(world, api, {
    method,
    path,
    parameters: filled(given, answers) as Record<string, unknown>,
    authorization: `Bearer ${key}`,
    account: account === undefined ? undefined : (filled(account, answers) as string),
    idempotencyKey: undefined,
    version: undefined,
    requestId: `req_${world.random.text(14)}`,
  });
  const answer = JSON.parse(body) as Record<string, unknown>;
  if (status < 400) return answer;
  const error = answer.error as StripeFailure["body"];
  if (declines === true && status === 402) return {};
  throw new StripeFailure(status, { ...error, message: `${name}: ${error.message}` });
}

/** With the ids of earlier answers in place of `$name`, and their fields in place of `$name.field`. */
function filled(value: unknown, answers: Answers): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\$([\w.]+)/g, (_, path: string) => {
      const [name = "", ...fields] = path.split(".");
      let at: unknown = answers.get(name);
      for (const field of fields.length === 0 ? ["id"] : fields) {
        at = (at as Record<string, unknown> | null | undefined)?.[field];
      }
      if (typeof at !== "string") throw new Error(`a trigger has nothing to put in place of $${path}`);
      return at;
    });
  }
  if (Array.isArray(value)) return value.map((each) => filled(each, answers));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each, answers)]));
}

function eventsOf(world: World): Raised[] {
  return world.scopes().flatMap((key) => {
    const scope = scopeOf(key);
    const events = world.run((tx) => tx.all("event"), scope);
    return events.map(({ id, type }) => ({ id, type, account: scope.account }));
  });
}
