// Connections that are kept for the next post, and that a receiver closes whenever it likes: over real sockets.
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, expect, it } from "vitest";

import { closeAll, DEVELOPMENT, policy, post, urlOf, wire } from "./support/post-scene.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const ANSWERED = { outcome: "answered", statusCode: 200, body: "ok" };

/** A connection is given back a moment after its answer. */
const givenBack = (): Promise<void> => sleep(30);

/** Answers the first request of each connection; `next` is what it does with the one behind it. */
function firstAnswered(next: (socket: Socket) => void): Parameters<typeof wire>[0] {
  return (socket) => {
    socket.on("data", () => {
      next(socket);
    });
    socket.write(OK);
  };
}

it.each<[string, (socket: Socket) => void]>([
  ["closed", (socket) => socket.end()],
  ["reset", (socket) => socket.resetAndDestroy()],
])("a kept connection that is %s under a post costs no attempt: the post goes out on a new one", async (_, next) => {
  let ended = 0;
  const server = await wire(
    firstAnswered((socket) => {
      ended += 1;
      next(socket);
    }),
  );
  const under = policy(DEVELOPMENT);
  for (let round = 0; round < 10; round += 1) {
    expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
    await givenBack();
  }
  // Each second post met a connection that ended; what it went out on then was not kept.
  expect([ended, server.opened]).toEqual([5, 10]);
});

it("a new connection that ends before its answer is the receiver's own: nothing is sent twice", async () => {
  const server = await wire((socket) => socket.resetAndDestroy());
  expect(await post(urlOf(server), policy(DEVELOPMENT))).toMatchObject({ outcome: "failed", code: "reset" });
  expect(server.opened).toBe(1);
});

it("a post whose second connection ends, too, fails: there is no third", async () => {
  let connections = 0;
  const server = await wire((socket) => {
    connections += 1;
    if (connections === 1) firstAnswered(() => socket.resetAndDestroy())(socket);
    else socket.resetAndDestroy();
  });
  const under = policy(DEVELOPMENT);
  expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
  await givenBack();
  expect(await post(urlOf(server), under)).toMatchObject({ outcome: "failed", code: "reset" });
  expect(server.opened).toBe(2);
});

it("an answer that has begun on a kept connection and breaks off is no reason to send again", async () => {
  const server = await wire(
    firstAnswered((socket) => {
      socket.end("HTTP/1.1 500 Oh\r\ncontent-length: 9\r\n\r\nhalf");
    }),
  );
  const under = policy(DEVELOPMENT);
  expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
  await givenBack();
  expect(await post(urlOf(server), under)).toMatchObject({ outcome: "failed", code: "reset" });
  expect(server.opened).toBe(1);
});

it("both connections together have the time of one exchange", async () => {
  let connections = 0;
  const server = await wire((socket) => {
    connections += 1;
    // The second one is silent.
    if (connections === 1) firstAnswered(() => setTimeout(() => socket.resetAndDestroy(), 1500))(socket);
  });
  const under = policy(DEVELOPMENT);
  expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
  await givenBack();
  const began = performance.now();
  expect(await post(urlOf(server), under, 2000)).toMatchObject({ outcome: "failed", code: "timeout" });
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(1900);
  // With a time of its own the second one would end after 3,500 ms.
  expect(took).toBeLessThan(3000);
});

it("half a status line is an answer that broke off, too", async () => {
  const server = await wire(
    firstAnswered((socket) => {
      socket.end("HTTP/1.1 2");
    }),
  );
  const under = policy(DEVELOPMENT);
  expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
  await givenBack();
  expect(await post(urlOf(server), under)).toMatchObject({ outcome: "failed" });
  expect(server.opened).toBe(1);
});

it("one that is closed before the next post is written is not kept: undici opens another, and nothing is sent twice there", async () => {
  let connections = 0;
  let posts = 0;
  const server = await wire((socket) => {
    connections += 1;
    posts += 1;
    if (connections > 1) socket.resetAndDestroy();
    // Its end is on the wire when the next post begins.
    else socket.end(OK);
  });
  const under = policy(DEVELOPMENT);
  expect(await post(urlOf(server), under)).toMatchObject(ANSWERED);
  expect(await post(urlOf(server), under)).toMatchObject({ outcome: "failed", code: "reset" });
  expect([server.opened, posts]).toEqual([2, 2]);
});
