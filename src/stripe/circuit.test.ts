// The circuit, over random calls and times.
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { admit, type Circuit, CIRCUIT_PLAN as PLAN, CLOSED, settle } from "./circuit.ts";

const step = fc.record({
  passes: fc.oneof(fc.nat(2_000), fc.nat(120_000)),
  served: fc.boolean(),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  /** Whether the oldest running call ends in this step, or a new one starts. */
  ends: fc.boolean(),
});

function failed(times: number, from: Circuit = CLOSED): Circuit {
  return Array.from({ length: times }).reduce<Circuit>(
    (circuit) => settle(circuit, { probe: undefined, served: false }, 0, 0, PLAN),
    from,
  );
}

describe("the circuit of an account", () => {
  it("opens after so many failures in a row, and a success in between starts the count again", () => {
    expect(failed(PLAN.failures - 1).state).toBe("closed");
    expect(failed(PLAN.failures).state).toBe("open");
    const served = settle(failed(PLAN.failures - 1), { probe: undefined, served: true }, 0, 0, PLAN);
    expect(failed(PLAN.failures - 1, served).state).toBe("closed");
  });

  it("lets one probe through after its pause; what it finds closes the circuit, or opens it for longer", () => {
    const open = failed(PLAN.failures);
    expect(admit(open, 999, PLAN).admission).toEqual({ go: false, wait: 1 });
    const probing = admit(open, 1_000, PLAN);
    const probe = 1_000 + PLAN.probeLasts;
    expect(probing.admission).toEqual({ go: true, probe });
    expect(admit(probing.circuit, 1_001, PLAN).admission.go).toBe(false);
    expect(settle(probing.circuit, { probe, served: true }, 1_100, 0, PLAN)).toEqual(CLOSED);
    const unasked = settle(probing.circuit, { probe, served: undefined }, 1_100, 0, PLAN);
    expect(admit(unasked, 1_100, PLAN).admission).toEqual({ go: true, probe: 1_100 + PLAN.probeLasts });
    expect(settle(probing.circuit, { probe, served: false }, 1_100, 0, PLAN)).toEqual({
      state: "open",
      until: 3_100,
      opened: 2,
    });
  });

  it("never lets more than one call through while it is not closed, never stays shut longer than its longest pause", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let circuit: Circuit = CLOSED;
        let now = 0;
        const running: { probe: number | undefined; since: number }[] = [];
        for (const { passes, served, random, ends } of steps) {
          now += passes;
          const oldest = running[0];
          if (ends && oldest !== undefined) {
            running.shift();
            const before = circuit;
            circuit = settle(circuit, { probe: oldest.probe, served }, now, random, PLAN);
            // What began before the opening decides nothing after it.
            if (before.state !== "closed" && oldest.probe === undefined) expect(circuit).toBe(before);
            if (before.state === "closed" && served) expect(circuit).toEqual(CLOSED);
          } else {
            const before = circuit;
            const admitted = admit(circuit, now, PLAN);
            ({ circuit } = admitted);
            if (before.state === "closed") expect(admitted.admission).toEqual({ go: true, probe: undefined });
            else expect(admitted.admission.go).toBe(now >= before.until);
            if (admitted.admission.go) running.push({ probe: admitted.admission.probe, since: now });
          }
          if (circuit.state !== "closed") {
            expect(circuit.until - now).toBeLessThanOrEqual(Math.max(PLAN.longestPause, PLAN.probeLasts));
            const young = running.filter(({ probe, since }) => probe !== undefined && now - since < PLAN.probeLasts);
            expect(young.length).toBeLessThanOrEqual(1);
          } else expect(circuit.failures).toBeLessThan(PLAN.failures);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("pauses longer each time, with jitter, and opens for good never", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (opened, random) => {
        const circuit: Circuit = { state: "probing", until: 0, opened };
        const next = settle(circuit, { probe: 0, served: false }, 0, random, PLAN);
        const whole = Math.min(PLAN.longestPause, PLAN.firstPause * 2 ** opened);
        expect(next.state).toBe("open");
        if (next.state === "closed") return;
        expect(next.until).toBeLessThanOrEqual(whole);
        expect(next.until).toBeGreaterThanOrEqual(whole * (1 - PLAN.jitter));
      }),
    );
  });
});
