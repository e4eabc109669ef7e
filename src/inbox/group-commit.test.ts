import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { groupCommit, type GroupCommitOptions } from "./group-commit.ts";

function setUp(options: Partial<GroupCommitOptions<string, string>> = {}) {
  const batches: string[][] = [];
  const gates: (() => void)[] = [];
  const commits = groupCommit<string, string>({
    write: async (items) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return items.map((item) => `${item} is on disk`);
    },
    sizeOf: (item) => item.length,
    maxInFlight: 2,
    minBeside: 1,
    slowAfter: 60_000,
    maxBatch: 3,
    maxWaiting: 8,
    maxWaitingBytes: 1000,
    isItemsFault: () => false,
    ...options,
  });
  return { commits, batches, open: () => gates.shift()?.() };
}

describe("group commit", () => {
  it("answers nobody before its own batch is written", async () => {
    const { commits, open } = setUp();
    let answer: string | undefined;
    const waiting = commits.add("a").then((text) => (answer = text));
    await turn();
    expect(answer).toBeUndefined();
    open();
    await waiting;
    expect(answer).toBe("a is on disk");
  });

  it("gathers while two batches are in flight, and never starts a third", async () => {
    const { commits, batches, open } = setUp();
    const all: Promise<string>[] = [];
    for (const item of ["a", "b", "c", "d", "e"]) {
      all.push(commits.add(item));
      await turn();
    }
    expect(batches).toEqual([["a"], ["b"]]);
    open();
    await turn();
    expect(batches).toEqual([["a"], ["b"], ["c", "d", "e"]]);
    open();
    open();
    expect(await Promise.all(all)).toHaveLength(5);
    expect(commits.waiting()).toBe(0);
  });

  it("starts beside a first batch only with as many as it should, but with any number once that one is slow", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { commits, batches, open } = setUp({ minBeside: 3, slowAfter: 40 });
    const all = [commits.add("a")];
    await turn();
    all.push(commits.add("b"));
    await turn();
    vi.advanceTimersByTime(39);
    expect(batches).toEqual([["a"]]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([["a"], ["b"]]);
    open();
    open();
    await Promise.all(all);
  });

  it("takes together what came in one turn of the event loop", async () => {
    const { commits, batches } = setUp();
    for (const item of ["a", "b", "c", "d"]) void commits.add(item);
    expect(batches).toEqual([]);
    await turn();
    expect(batches).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("starts a batch beside another one only when it has enough", async () => {
    const { commits, batches, open } = setUp({ minBeside: 2 });
    const all = [commits.add("a")];
    await turn();
    all.push(commits.add("b"));
    await turn();
    expect(batches).toEqual([["a"]]);
    all.push(commits.add("c"));
    await turn();
    expect(batches).toEqual([["a"], ["b", "c"]]);
    open();
    open();
    expect(await Promise.all(all)).toHaveLength(3);
  });

  it("refuses with 503 what would not fit, by count and by bytes, and takes more once there is room", async () => {
    const { commits, open } = setUp({ maxWaiting: 2 });
    const first = commits.add("a");
    await turn();
    const second = commits.add("b");
    await turn();
    await expect(commits.add("c")).rejects.toMatchObject({ code: "overloaded", status: 503 });
    open();
    await first;
    await turn();
    const third = commits.add("c");
    await turn();
    open();
    open();
    await Promise.all([second, third]);
    await expect(setUp({ maxWaitingBytes: 4 }).commits.add("12345")).rejects.toMatchObject({ code: "overloaded" });
  });

  it("lets one item that the database refuses fail alone", async () => {
    const { commits } = setUp({
      write: (items) => (items.includes("bad") ? Promise.reject(new Error("bad content")) : Promise.resolve(items)),
      isItemsFault: () => true,
    });
    const results = await Promise.allSettled(["x", "y", "a", "bad", "c"].map((item) => commits.add(item)));
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });

  it("is idle only when everything has been answered", async () => {
    const { commits, open } = setUp();
    const added = commits.add("a");
    await turn();
    let idle = false;
    const waiting = commits.idle().then(() => (idle = true));
    await turn();
    expect(idle).toBe(false);
    open();
    await added;
    await waiting;
  });
});
