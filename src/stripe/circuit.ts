// The circuit of one account: calls that would only wait for a dead end fail at once, and now and then one probes. Pure.

export interface CircuitPlan {
  /** So many failures in a row open it. */
  failures: number;
  /** Milliseconds of the first pause; each further one is twice as long. */
  firstPause: number;
  longestPause: number;
  /** The part of a pause that is drawn by lot, 0 to 1: nodes do not probe together. */
  jitter: number;
  /** Milliseconds after which a probe that never ended counts as lost. */
  probeLasts: number;
}

export const CIRCUIT_PLAN: CircuitPlan = {
  failures: 5,
  firstPause: 1_000,
  longestPause: 60_000,
  jitter: 0.5,
  probeLasts: 30_000,
};

/** closed: calls go through · open: none does before `until` · probing: one does, the others wait for what it finds. */
export type Circuit =
  | { state: "closed"; failures: number }
  | { state: "open"; until: number; opened: number }
  | { state: "probing"; until: number; opened: number };

export const CLOSED: Circuit = { state: "closed", failures: 0 };

/**
 * `wait` in milliseconds. A `probe`, by when it counts as lost, is told back to `settle`: calls from before the opening decide
 * nothing, and neither does a probe in whose place another one was let through.
 */
export type Admission = { go: true; probe: number | undefined } | { go: false; wait: number };

/** May a call start at `now` (milliseconds, monotonic)? */
export function admit(circuit: Circuit, now: number, plan: CircuitPlan): { circuit: Circuit; admission: Admission } {
  if (circuit.state === "closed") return { circuit, admission: { go: true, probe: undefined } };
  if (now < circuit.until) return { circuit, admission: { go: false, wait: circuit.until - now } };
  const probing: Circuit = { state: "probing", until: now + plan.probeLasts, opened: circuit.opened };
  return { circuit: probing, admission: { go: true, probe: probing.until } };
}

/**
 * What a call that was admitted came to. `served`: Stripe answered, if only with a refusal; undefined: it was not asked after
 * all. `random`: 0 ≤ r < 1.
 */
export function settle(
  circuit: Circuit,
  call: { probe: number | undefined; served: boolean | undefined },
  now: number,
  random: number,
  plan: CircuitPlan,
): Circuit {
  if (circuit.state === "closed") {
    if (call.served === undefined) return circuit;
    if (call.served) return CLOSED;
    const failures = circuit.failures + 1;
    return failures < plan.failures ? { state: "closed", failures } : opened(1, now, random, plan);
  }
  if (circuit.state === "open" || call.probe !== circuit.until) return circuit;
  // The next call probes instead.
  if (call.served === undefined) return { state: "open", until: now, opened: circuit.opened };
  return call.served ? CLOSED : opened(circuit.opened + 1, now, random, plan);
}

function opened(times: number, now: number, random: number, plan: CircuitPlan): Circuit {
  const whole = Math.min(plan.longestPause, plan.firstPause * 2 ** (times - 1));
  return { state: "open", until: now + whole * (1 - plan.jitter * random), opened: times };
}
