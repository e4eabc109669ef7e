// Rounds on the embedded database: a burst with no worker, its backlog, and both at once.
import { setTimeout as sleep } from "node:timers/promises";

import { order, stream } from "./rounds.ts";
import type { Bench } from "./rounds.ts";
import { startBillhook, temporaryFolder } from "./servers.ts";
import type { RunningServer } from "./servers.ts";
import { requireAll, withEmbedded, writtenBy } from "./stores.ts";

export interface EmbeddedRound {
  connections: number;
  burst: { answeredPerSecond: number; p99: number };
  backlog: { drainedPerSecond: number };
  both: { answeredPerSecond: number; projectedPerSecond: number; p50: number; p99: number };
  peakMb: number | undefined;
}

const CONNECTIONS = 64;
const WARM_UP = 1000;
const SEEDS = { warmUp: 9001, measured: 1 };
const DRAIN_LIMIT_MS = 180_000;

export async function measureEmbedded(bench: Bench, count: number): Promise<EmbeddedRound> {
  const parted = await burstThenBacklog(bench, count);
  const both = await bothAtOnce(bench, count);
  return { connections: CONNECTIONS, ...parted, ...both };
}

async function burstThenBacklog(bench: Bench, count: number): Promise<Pick<EmbeddedRound, "burst" | "backlog">> {
  const folder = temporaryFolder();
  const started = { secret: bench.secret, dataDir: folder.path };
  const streams = [stream(bench, SEEDS.warmUp, WARM_UP), stream(bench, SEEDS.measured, count)] as const;
  try {
    const burst = await during(await startBillhook({ ...started, roles: "api" }), async (server) => {
      await bench.load.send(order(bench, server, streams[0], CONNECTIONS));
      const sent = await bench.load.send(order(bench, server, streams[1], CONNECTIONS));
      return { answeredPerSecond: count / sent.seconds, p99: sent.p99 };
    });
    const backlog = await during(await startBillhook({ ...started, roles: "api,work" }), async (server) => {
      const began = performance.now();
      const waiting = await pending(server);
      await untilDrained(server);
      return { drainedPerSecond: (waiting * 1000) / (performance.now() - began) };
    });
    requireAll(await withEmbedded(folder.path, (ask) => writtenBy("billhook", ask, streams)));
    return { burst, backlog };
  } finally {
    folder.remove();
  }
}

async function bothAtOnce(bench: Bench, count: number): Promise<Pick<EmbeddedRound, "both" | "peakMb">> {
  const folder = temporaryFolder();
  const streams = [stream(bench, SEEDS.warmUp, WARM_UP), stream(bench, SEEDS.measured, count)] as const;
  try {
    const started = startBillhook({ secret: bench.secret, dataDir: folder.path, roles: "api,work" });
    const round = await during(await started, async (server) => {
      await bench.load.send(order(bench, server, streams[0], CONNECTIONS));
      await untilDrained(server);
      const sent = await bench.load.send(order(bench, server, streams[1], CONNECTIONS));
      await untilDrained(server);
      const seconds = (Number(process.hrtime.bigint()) - sent.startedAt) / 1e9;
      const rates = { answeredPerSecond: count / sent.seconds, projectedPerSecond: count / seconds };
      return { both: { ...rates, p50: sent.p50, p99: sent.p99 }, peakMb: server.usage()?.peakMb };
    });
    requireAll(await withEmbedded(folder.path, (ask) => writtenBy("billhook", ask, streams)));
    return round;
  } finally {
    folder.remove();
  }
}

async function during<T>(server: RunningServer, work: (server: RunningServer) => Promise<T>): Promise<T> {
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

/** Only the process itself can look into its database while it runs. */
async function pending(server: RunningServer): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  const value = /^billhook_events_pending (\d+)$/m.exec(text)?.[1];
  if (value === undefined) throw new Error("/metrics does not say how many events are pending");
  return Number(value);
}

async function untilDrained(server: RunningServer): Promise<void> {
  const until = performance.now() + DRAIN_LIMIT_MS;
  for (let left = await pending(server); left > 0; left = await pending(server)) {
    if (performance.now() > until) throw new Error(`after three minutes ${left} events are still pending`);
    await sleep(left > 500 ? 100 : 20);
  }
}
