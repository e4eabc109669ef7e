// One tenant's backlog to endpoints that are dead, hang or are slow takes no turn and no place of another tenant's deliveries.
import { afterAll, beforeAll, expect, it } from "vitest";

import { guardedPost } from "../src/outbox/guarded-post.ts";
import { newEndpoint, newTenant, openTarget, startWorker, tell, until } from "./support/delivery-scene.ts";
import { openPipe, type Pipe } from "./support/pipe.ts";
import { freePort } from "./support/free-port.ts";

const LIMITS = { all: 32, perEndpoint: 8 };
/** A quarter of all places: what one tenant may have. */
const MOST_OF_TENANT = 8;
const BACKLOG = 10_000;
const EVENTS = 60;

let pipe: Pipe;
beforeAll(async () => {
  pipe = await openPipe("server");
});
afterAll(() => pipe.close());

it(`${BACKLOG} deliveries that wait for dead, hanging and slow endpoints let another tenant's pass`, async () => {
  const { database } = pipe;
  const [bad, good] = [await newTenant(database), await newTenant(database)];
  const hanging = await openTarget(() => undefined);
  const slow = await openTarget((response) => setTimeout(() => response.end(), 2500));
  const target = await openTarget();
  for (const url of [`http://127.0.0.1:${await freePort()}/`, hanging.url, slow.url])
    await newEndpoint(database, bad, url);
  await newEndpoint(database, good, target.url);
  for (let told = 0; told < BACKLOG / 3; told += 500) await tell(database, bad, 500);

  // Of the tenant with the backlog: attempts that have begun, those that run, and the most that did.
  const count = { begun: 0, open: 0, most: 0 };
  const worker = startWorker(database, {
    limits: LIMITS,
    post: async (options) => {
      if (options.url === target.url) return guardedPost(options);
      count.begun += 1;
      count.open += 1;
      count.most = Math.max(count.most, count.open);
      return guardedPost({ ...options, timeoutMs: 5000 }).finally(() => (count.open -= 1));
    },
  });
  await until(() => count.begun > 30 && hanging.got.length > 0 && slow.got.length > 0, 30_000);
  const passed: number[] = [];
  for (let event = 1; event <= EVENTS; event += 1) {
    await tell(database, good, 1);
    const before = count.begun;
    worker.wake();
    await until(() => target.got.length === event, 30_000);
    passed.push(count.begun - before);
  }
  await worker.stop(0);
  await Promise.all([hanging, slow, target].map((one) => one.close()));
  expect(count.most).toBeLessThanOrEqual(MOST_OF_TENANT);
  // Its turn comes with the next claim, behind no more than the places that the one before has filled: measured 0 to 6.
  expect(Math.max(...passed)).toBeLessThanOrEqual(2 * MOST_OF_TENANT);
  expect(passed.toSorted((a, b) => a - b)[EVENTS / 2]).toBeLessThanOrEqual(MOST_OF_TENANT / 2);
}, 120_000);
