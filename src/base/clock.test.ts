// The two clocks.
import { describe, expect, it } from "vitest";

import { manualClock, systemClock } from "./clock.ts";

describe("clocks", () => {
  it("the system's gives milliseconds since 1970, and a monotonic time that never goes back", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  it("a manual one moves only when it is told to", () => {
    const clock = manualClock(500);
    clock.advance(20);
    expect([clock.now(), clock.monotonic()]).toEqual([520, 20]);
  });
});
