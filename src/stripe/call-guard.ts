// The guard of all calls to Stripe: a circuit and a lane for each account and mode, one deadline for each call, one count of all.
import type { Clock } from "../base/clock.ts";
import { PublicError } from "../base/errors.ts";
import { randomFraction } from "../base/random.ts";
import { callFailure, type FieldNames, StripeCallError } from "./call-failure.ts";
import { callLanes, type LanePlan } from "./call-lanes.ts";
import { type CallContext, inContext } from "./call-context.ts";
import { admit, type Circuit, CIRCUIT_PLAN, type CircuitPlan, CLOSED, settle } from "./circuit.ts";

/** How a call ended: `ok`, or the code of its failure. */
export interface StripeMetrics {
  called: (outcome: string, seconds: number) => void;
  /** How many circuits are not closed, whenever that changes. */
  circuitsOpen: (count: number) => void;
}

export interface GuardPlan {
  circuit?: CircuitPlan;
  lanes?: LanePlan;
}

export interface GuardedCall {
  livemode: boolean;
  account: string;
  idempotencyKey?: string | undefined;
  once?: boolean | undefined;
  fields?: FieldNames | undefined;
  /** Milliseconds from now to its end, whatever happens. */
  within: number;
}

/** What a guarded call may ask about itself. */
export interface Running {
  context: CallContext;
  /** Milliseconds. */
  left: () => number;
}

export interface CallGuard {
  /** Runs it, or fails at once while the account's circuit is open. Rejects with a StripeCallError, or with a mistake of the code's. */
  run<T>(call: GuardedCall, work: (running: Running) => Promise<T>, ended?: (call: EndedCall) => void): Promise<T>;
  /** Accounts of this mode whose circuit lets nothing through now. */
  paused(livemode: boolean): string[];
}

export interface EndedCall {
  context: CallContext;
  failure: unknown;
  milliseconds: number;
}

export function callGuard(clock: Pick<Clock, "monotonic">, metrics: StripeMetrics, plan: GuardPlan = {}): CallGuard {
  const lanes = callLanes(plan.lanes);
  const circuits = circuitBook(clock, metrics, plan.circuit ?? CIRCUIT_PLAN);
  const now = (): number => clock.monotonic();

  async function run<T>(
    call: GuardedCall,
    work: (running: Running) => Promise<T>,
    ended?: (call: EndedCall) => void,
  ): Promise<T> {
    const key = keyOf(call.livemode, call.account);
    const started = now();
    const timeout = new AbortController();
    const context = contextOf(call, started + call.within, now, timeout.signal);
    const left = (): number => Math.max(0, context.deadline - now());
    try {
      const pause = circuits.pause(key);
      if (pause > 0) throw circuitOpen(pause);
      const leave = await lanes.enter(key, left(), call.account === "");
      if (leave === undefined) throw tooMany();
      try {
        const settled = circuits.begin(key);
        const asked = inContext(context, () => work({ context, left }));
        const value = await inTime(asked, left()).catch((error: unknown) => {
          const failure = context.mistake ?? (isOwn(error) ? error : callFailure(error, call.account, call.fields));
          settled(failure instanceof StripeCallError ? !failure.outage : undefined);
          throw failure;
        });
        settled(true);
        metrics.called("ok", (now() - started) / 1000);
        return value;
      } finally {
        leave();
      }
    } catch (failure) {
      const outcome = failure instanceof StripeCallError ? failure.code : "internal";
      metrics.called(outcome, (now() - started) / 1000);
      ended?.({ context, failure, milliseconds: Math.round(now() - started) });
      throw failure;
    } finally {
      timeout.abort();
    }
  }

  return { run, paused: (livemode) => circuits.paused(livemode) };
}

interface CircuitBook {
  /** Milliseconds until a call may start; 0: now. */
  pause(key: string): number;
  /** Throws where none may start. What it returns is told what the call came to. */
  begin(key: string): (served: boolean | undefined) => void;
  paused(livemode: boolean): string[];
}

/** The circuits that are not at rest. */
function circuitBook(clock: Pick<Clock, "monotonic">, metrics: StripeMetrics, plan: CircuitPlan): CircuitBook {
  const circuits = new Map<string, Circuit>();
  const now = (): number => clock.monotonic();
  const openNow = (): number => [...circuits.values()].filter(({ state }) => state !== "closed").length;

  function keep(key: string, circuit: Circuit): void {
    const before = openNow();
    if (circuit.state === "closed" && circuit.failures === 0) circuits.delete(key);
    else circuits.set(key, circuit);
    const after = openNow();
    if (after !== before) metrics.circuitsOpen(after);
  }
  const pause = (key: string): number => {
    const circuit = circuits.get(key) ?? CLOSED;
    return circuit.state === "closed" ? 0 : Math.max(0, circuit.until - now());
  };
  return {
    pause,
    begin: (key) => {
      const { circuit, admission } = admit(circuits.get(key) ?? CLOSED, now(), plan);
      if (!admission.go) throw circuitOpen(admission.wait);
      keep(key, circuit);
      const { probe } = admission;
      return (served) => {
        keep(key, settle(circuits.get(key) ?? CLOSED, { probe, served }, now(), randomFraction(), plan));
      };
    },
    paused: (livemode) => {
      const mode = keyOf(livemode, "");
      const ours = [...circuits.keys()].filter((key) => key.startsWith(mode) && pause(key) > 0);
      return ours.map((key) => key.slice(mode.length));
    },
  };
}

/** A bug of the code that asks, or its own refusal: nothing that Stripe did. */
function isOwn(error: unknown): boolean {
  const isBug = [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
  return isBug || (error instanceof PublicError && !(error instanceof StripeCallError));
}

function contextOf(
  { account, idempotencyKey, once = false }: GuardedCall,
  deadline: number,
  now: () => number,
  ended: AbortSignal,
): CallContext {
  return { deadline, now, account, idempotencyKey, once, attempts: 0, sent: undefined, mistake: undefined, ended };
}

const keyOf = (livemode: boolean, account: string): string => `${livemode ? "live" : "test"} ${account}`;

/** The SDK's own timeout watches for silence; this one also ends an answer that comes drop by drop. */
async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("Stripe did not answer in time"));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

function circuitOpen(wait: number): StripeCallError {
  const message =
    "Stripe has not answered for this account lately, so nothing is sent to it for a moment: send it again after the Retry-After header's seconds.";
  const retryAfter = Math.max(1, Math.ceil(wait / 1000));
  return new StripeCallError("stripe_unreachable", { transient: true, outage: false }, { message, retryAfter });
}

function tooMany(): StripeCallError {
  const message =
    "Too many calls to Stripe wait for this account already: send it again after the Retry-After header's seconds.";
  return new StripeCallError("stripe_rate_limited", { transient: true, outage: false }, { message, retryAfter: 2 });
}
