import { expect, it } from "vitest";

import { manualClock } from "../base/clock.ts";
import { rush } from "./rush.ts";

const MANY = 40;
const CALM = 100;

it("a rush begins with the first crowd behind calm, and crowds that follow each other are one", () => {
  const clock = manualClock();
  const begin = rush({ many: MANY, calm: CALM }, clock);
  begin.set(MANY - 1);
  expect(begin.since()).toBe(Infinity);
  begin.set(MANY);
  for (let wave = 0; wave < 30; wave += 1) {
    clock.advance(9);
    begin.set(0);
    clock.advance(1);
    begin.set(64);
  }
  expect(begin.since()).toBe(300);
  begin.set(0);
  clock.advance(CALM);
  begin.set(MANY);
  expect(begin.since()).toBe(0);
});
