// A gate lets so many through at a time, in order, and refuses when the line is full.
import { expect, it } from "vitest";

import { gate } from "./gate.ts";

it("lets two in, makes two wait, refuses the fifth, and is empty again after a failure", async () => {
  const { pass } = gate({ atOnce: 2, waiting: 2, full: () => new Error("full") });
  const leave: (() => void)[] = [];
  const began: number[] = [];
  const enter = (number: number): Promise<number> =>
    pass(async () => {
      began.push(number);
      await new Promise<void>((resolve) => leave.push(resolve));
      if (number === 1) throw new Error("one");
      return number;
    });
  const passes = [1, 2, 3, 4, 5].map(enter);
  const settled = Promise.allSettled(passes);
  await expect(passes[4]).rejects.toThrow("full");
  expect(began).toEqual([1, 2]);
  for (let left = 0; left < 4; left += 1) {
    leave[left]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(began).toEqual([1, 2, 3, 4]);
  expect((await settled).map(({ status }) => status)).toEqual([
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
  ]);
  await expect(pass(async () => "again")).resolves.toBe("again");
});
