// Promises 1 and 2 where several processes share one PostgreSQL, or a server is asked to end: what was answered is there, its effects once.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { openServer } from "../src/db/server.ts";
import { CONNECTIONS, drained, expectAllThere, load, nothingSent, startedServers } from "./support/kill-scene.ts";
import { readyDatabase } from "./support/ready-database.ts";

const start = startedServers();

describe("several processes on one PostgreSQL", () => {
  it("share the work, and take over what a killed one had claimed", async () => {
    const url = await readyDatabase();
    const folder = mkdtempSync(join(tmpdir(), "billhook-share-"));
    const env = { DATABASE_URL: url, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" };
    const door = await start({ ...env, BILLHOOK_ROLES: "api" });
    const [first, second] = await Promise.all([
      start({ ...env, BILLHOOK_ROLES: "work" }),
      start({ ...env, BILLHOOK_ROLES: "work" }),
    ]);
    const sent = nothingSent();
    const stop = { now: false };
    const loading = load(door, sent, stop);
    await sleep(600);
    await first.end("SIGKILL");
    await sleep(600);
    stop.now = true;
    await loading;
    await drained(door);
    const processed = await (await fetch(`${second.url}/metrics`)).text();
    expect(
      Number(/^billhook_events_processed_total\{outcome="processed"\} (\d+)/m.exec(processed)?.[1]),
    ).toBeGreaterThan(0);
    const database = await openServer({ url, poolSize: 2 });
    await expectAllThere(database, sent);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }, 90_000);

  it("SIGTERM answers what has come, finishes what is claimed, and exits 0", async () => {
    const url = await readyDatabase();
    const folder = mkdtempSync(join(tmpdir(), "billhook-term-"));
    const server = await start({ DATABASE_URL: url, DATA_DIR: folder });
    const sent = nothingSent();
    const stop = { now: false };
    const loading = load(server, sent, stop);
    await sleep(400);
    const signalled = performance.now();
    const ending = server.end("SIGTERM");
    // The load runs on into the stop: a few more are sent while it lasts.
    await sleep(20);
    stop.now = true;
    await loading;
    expect(await ending).toBe(0);
    expect(sent.answered.size).toBeGreaterThan(CONNECTIONS);
    expect(sent.broken.filter((began) => began < signalled)).toEqual([]);
    const database = await openServer({ url, poolSize: 2 });
    const { rows } = await database.query<{ id: string }>("select id from stripe_events");
    const ids = new Set(rows.map((row) => row.id));
    expect([...sent.answered].filter((id) => !ids.has(id))).toEqual([]);
    // What was answered but not yet claimed waits for the next start; what was claimed was finished.
    expect((await database.query("select * from stripe_event_queue where lease is not null")).rows).toEqual([]);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it("a request that is never finished holds up the exit for no more than 15 s", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-half-"));
    const server = await start({ DATABASE_URL: await readyDatabase(), DATA_DIR: folder });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(socket, "connect");
    // The server may end this connection in any way that it likes.
    socket.on("error", () => undefined);
    const head = ["POST /stripe/webhook/ HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"];
    socket.write([...head, "content-length: 1000", "", '{"id": "evt_half'].join("\r\n"));
    await sleep(200);
    const signalled = performance.now();
    expect(await server.end("SIGTERM")).toBe(0);
    expect(performance.now() - signalled).toBeLessThan(15_000);
    socket.destroy();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});
