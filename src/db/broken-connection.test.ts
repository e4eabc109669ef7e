// A connection that ends in the very bytes that open it, as in a restart, fails its transaction and nothing else.
import { createServer, type AddressInfo } from "node:net";

import { expect, it } from "vitest";

import { databaseOnPool } from "./database.ts";

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const OPENED = [message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))];
const ENDED = message("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"));

it("a connection that is ended as it opens rejects what was asked of it, and no error is left unhandled", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(Buffer.concat([...OPENED, ENDED])));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("uncaughtException", note);
  const database = databaseOnPool("server", { host: "127.0.0.1", port, user: "x", max: 2, pipeline: true });
  for (let tried = 0; tried < 3; tried += 1) {
    await expect(database.transaction((tx) => tx.query("select 1"))).rejects.toThrow();
    await expect(database.query("select 1")).rejects.toThrow();
  }
  await database.close();
  process.off("uncaughtException", note);
  server.close();
  expect(unhandled).toEqual([]);
});
