// Answers that last, to readers who are slow: an operation goes no faster than its lines are read, and its last line arrives.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { publicError } from "../src/base/errors.ts";
import { answerInLines, LINES, type ProgressLines } from "../src/api/progress-lines.ts";
import { at, operation } from "../src/api/route.ts";
import { type Door, openDoor, OPERATOR_TOKEN, type Wire } from "./support/api-door.ts";
import { readyDatabase } from "./support/ready-database.ts";
import { runBillhook } from "./support/run-billhook.ts";

/** Of one line. What the network itself holds on its way is a few megabytes. */
const WIDE = "x".repeat(10_000);
const LINES_TOLD = 10_000;

let door: Door;
let run: (lines: ProgressLines) => Promise<{ done: object; log: object }>;
/** Lines that the operation has told. */
let told = 0;
let ended: Promise<void> | undefined;
let stopping = false;
const long = operation({
  tag: "Operations",
  answers: { 200: { description: "Lines.", contentType: LINES } },
  run: async ({ deps, reply, requestId }) => {
    const answered = answerInLines({ deps, reply, requestId }, { event: "drift.checked", run: (lines) => run(lines) });
    ({ ended } = answered);
    return answered.answer;
  },
});
beforeAll(async () => {
  door = await openDoor("embedded", {
    deps: { stopping: () => stopping },
    routes: [at("POST", "/api/v1/admin/long/", "operator", long, "Lasts")],
  });
});
afterAll(() => door.close());
beforeEach(() => {
  [told, ended, stopping] = [0, undefined, false];
});

/** Its answer, of which nothing is read yet. */
async function ask(): Promise<IncomingMessage> {
  const asked = request(`${door.url}/api/v1/admin/long/`, {
    method: "POST",
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
  });
  asked.on("error", () => undefined);
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.on("error", () => undefined);
  return answer;
}

async function read(answer: IncomingMessage): Promise<Wire[]> {
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += String(part);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Wire);
}

/** Until nothing is told any more. */
async function stalled(): Promise<number> {
  for (let before = -1; before !== told;) {
    before = told;
    await sleep(300);
  }
  return told;
}

async function tellDifferences({ difference, signal }: ProgressLines): Promise<{ done: object; log: object }> {
  while (told < LINES_TOLD && !signal.aborted) {
    told += 1;
    await difference({ number: told, wide: WIDE });
  }
  return { done: { told }, log: {} };
}

it("an operation waits with its findings for a reader who takes none, and loses none of them", async () => {
  run = tellDifferences;
  const answer = await ask();
  expect(await stalled()).toBeLessThan(LINES_TOLD / 2);
  const lines = await read(answer);
  expect(lines.slice(0, -1).map(({ difference }) => (difference as Wire).number)).toEqual(
    Array.from({ length: LINES_TOLD }, (_, index) => index + 1),
  );
  expect(lines.at(-1)).toEqual({ done: { told: LINES_TOLD } });
});

it("an operation goes on while nobody reads how far it is, and tells only the latest of that, and its end", async () => {
  run = async ({ progress }) => {
    for (; told < LINES_TOLD; told += 1) {
      progress({ number: told, wide: WIDE });
      await turn();
    }
    return { done: { told }, log: {} };
  };
  const answer = await ask();
  await ended;
  expect(told).toBe(LINES_TOLD);
  const lines = await read(answer);
  expect(lines.length).toBeLessThan(LINES_TOLD / 2);
  expect(lines.slice(-2)).toEqual([
    { progress: { number: LINES_TOLD - 1, wide: WIDE } },
    { done: { told: LINES_TOLD } },
  ]);
});

it.each(["is gone", "stays while the process is to stop"])(
  "an operation that waits for its reader ends when that one %s",
  async (how) => {
    run = tellDifferences;
    const answer = await ask();
    await stalled();
    if (how === "is gone") answer.destroy();
    else stopping = true;
    await ended;
    expect(told).toBeLessThan(LINES_TOLD / 2);
    answer.destroy();
  },
);

it("an operation that fails before its first line is answered as an error, and one that fails behind it with its last line", async () => {
  run = () => Promise.reject(publicError("not_found", { message: "There is no such thing." }));
  const refused = await ask();
  await ended;
  expect([refused.statusCode, await read(refused)]).toMatchObject([404, [{ code: "not_found" }]]);
  run = () => Promise.reject(new Error("broken"));
  const failed = await ask();
  expect([failed.statusCode, await read(failed)]).toMatchObject([500, [{ code: "internal" }]]);
  run = async ({ tell }) => {
    await tell({ first: 1 });
    throw publicError("not_found");
  };
  const late = await ask();
  expect([late.statusCode, await read(late)]).toMatchObject([200, [{ first: 1 }, { error: { code: "not_found" } }]]);
});

it.each(["catch-up", "import", "drift"])(
  "`billhook %s` of an account that is not there says so alone, in one sentence",
  async (command) => {
    const env = {
      DATABASE_URL: await readyDatabase(),
      SECRET_KEY: "k".repeat(32),
      STRIPE_SECRET_KEY: "sk_test_1",
      STRIPE_API_BASE: "http://127.0.0.1:9",
    };
    const ended = await runBillhook([command, "--account", "acct_nobody"], env);
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toMatch(/^billhook: There is no Stripe account acct_nobody here: .*\n$/);
  },
);
