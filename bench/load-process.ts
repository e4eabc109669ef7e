// The bench's side of the load generator: starts its process and gives it orders.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

interface OrderFields {
  count: number;
  connections: number;
  port: number;
  path: string;
}

/** Signed events. */
export interface EventOrder extends OrderFields {
  seed: number;
  /** Unix seconds: when the events' first life begins. */
  from: number;
  secret: string;
}

/** The same GET again and again. */
export interface ReadOrder extends OrderFields {
  bearer: string;
}

export type LoadOrder = EventOrder | ReadOrder;

/** Times in milliseconds, except `seconds` and `startedAt`. */
export interface LoadResult {
  /** process.hrtime in nanoseconds, which all processes of a Linux or Windows machine share. */
  startedAt: number;
  /** From the first request to the last answer. */
  seconds: number;
  sent: number;
  /** How often each HTTP status was answered. */
  statuses: Record<string, number>;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  /** The generator's own, while it sent: it shares the processors with what it measures. */
  cpuSeconds: number;
  meanRequestBytes: number;
}

export type LoadAnswer = { done: LoadResult } | { failed: string };

export interface LoadGenerator {
  /** Throws unless every request was answered 200. */
  send(order: LoadOrder): Promise<LoadResult>;
  stop(): Promise<void>;
}

/** A load takes at most this long: then something hangs. */
const LIMIT_MS = 180_000;

export function startLoadGenerator(): LoadGenerator {
  // Ended orders leave garbage of hundreds of megabytes; a cap would only make the generator slower.
  const child = fork(fileURLToPath(new URL("./load.ts", import.meta.url)), { execArgv: [], stdio: "inherit" });
  return {
    send: async (order) => {
      const result = await ask(child, order);
      if (result.sent !== order.count || result.statuses["200"] !== order.count) {
        throw new Error(
          `of ${order.count} requests the server answered ${JSON.stringify(result.statuses)}: all must be 200`,
        );
      }
      return result;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function ask(child: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error("the load took longer than three minutes"))), LIMIT_MS);
    const onExit = (): void => end(() => reject(new Error("the load generator ended")));
    const onMessage = (answer: LoadAnswer): void =>
      end(() => ("done" in answer ? resolve(answer.done) : reject(new Error(answer.failed))));
    function end(then: () => void): void {
      clearTimeout(timer);
      child.off("exit", onExit);
      child.off("message", onMessage);
      then();
    }
    child.on("exit", onExit);
    child.on("message", onMessage);
    child.send(order);
  });
}
