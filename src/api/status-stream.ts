// The status as a stream of server-sent events: one for each change, a heartbeat between, a final one at the end.
import type { ServerResponse } from "node:http";

import { publicError } from "../base/errors.ts";
import type { StatusGrant } from "../billing/status-grants.ts";
import type { StatusState } from "../billing/status-heads.ts";
import { isOver } from "../billing/status-view.ts";
import { revisionOf } from "../billing/status-watch.ts";
import type { StatusCall } from "./status-routes.ts";
import { awaitStatus, CONFIRM_MS, isUnconfirmed, MOST_WAITING, startsOver } from "./status-wait.ts";

/** Then the browser connects anew, perhaps to another node. */
const LONGEST_MS = 600_000;
/** A client that does not read is let go: what waits for it is memory of ours. */
const MOST_UNREAD = 65_536;
const RECONNECT_MS = 1000;

export interface StreamOptions {
  wireOf: (state: StatusState) => object;
  /** Whether who asked may still be told; asked before each event and heartbeat. Rejects where it cannot be known. */
  isLetIn: () => Promise<boolean>;
}

/** Answers by the connection itself; 204 where the client has had the final event. */
export async function streamStatus(call: StatusCall, grant: StatusGrant, options: StreamOptions): Promise<unknown> {
  const { deps, headers, reply } = call;
  if (deps.status.count() >= MOST_WAITING) throw publicError("overloaded");
  const first = await awaitStatus(deps.status, grant, { milliseconds: 0, gone: startsOver(reply) });
  const had = headers["last-event-id"];
  if (isOver(first.status) && had === revisionOf(first)) return reply.status(204).send();
  const known = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined);
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(Object.fromEntries(known) as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    // No proxy may gather or compress it: an event would come late or never.
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    // Its connection serves nothing else after it, and holds up no stop.
    connection: "close",
  });
  raw.write(`retry: ${RECONNECT_MS}\n\n`);
  follow(call, grant, raw, { first, had, ...options });
  return reply;
}

interface Begun extends StreamOptions {
  first: StatusState;
  /** The revision that the client had when it came. */
  had: string | string[] | undefined;
}

/** Writes in the order of the calls, what is told only to who may still be told it: for others the stream ends. */
function writerOf(raw: ServerResponse, isLetIn: () => Promise<boolean>, end: () => void) {
  let before = Promise.resolve();
  /** `unknown`: whether it is written where nobody can say who may be told. */
  return (unknown: boolean, write: () => void): void => {
    before = before.then(async () => {
      if (isEnded(raw)) return;
      const may = await isLetIn().catch(() => unknown);
      if (isEnded(raw)) return;
      if (may) write();
      else end();
    });
  };
}

const isEnded = ({ writableEnded, destroyed }: ServerResponse): boolean => writableEnded || destroyed;

function follow(
  { deps, query: { returned } }: StatusCall,
  grant: StatusGrant,
  raw: ServerResponse,
  { first, had, wireOf, isLetIn }: Begun,
): void {
  const { status } = deps;
  let last = first;
  let sent = had;
  const send = (state: StatusState, event: "status" | "final"): void => {
    const revision = revisionOf(state);
    if (revision === sent && event === "status") return;
    sent = revision;
    writeInTurn(false, () => {
      raw.write(`id: ${revision}\nevent: ${event}\ndata: ${JSON.stringify(wireOf(state))}\n\n`);
      if (event === "final") end();
    });
  };
  const end = (): void => {
    clearInterval(heartbeat);
    clearTimeout(limit);
    clearTimeout(confirmation);
    release();
    raw.end();
  };
  const writeInTurn = writerOf(raw, isLetIn, end);
  const tell = (state: StatusState): void => {
    last = state;
    if (isUnconfirmed(first, state)) return;
    if (!isOver(state.status)) {
      send(state, "status");
      return;
    }
    status.over(grant, state);
    send(state, "final");
  };
  const heartbeat = setInterval(() => {
    if (raw.writableLength > MOST_UNREAD) {
      raw.destroy();
      return;
    }
    // It tells nothing: while the database is gone it keeps the stream.
    writeInTurn(true, () => {
      raw.write(": still here\n\n");
      if (!isOver(last.status)) status.keep(grant, last);
    });
  }, status.heartbeatMs);
  const limit = setTimeout(end, LONGEST_MS);
  // No answer from Stripe: then it is as we know it.
  const confirmation = setTimeout(() => {
    if (isOver(last.status)) send(last, "final");
  }, CONFIRM_MS);
  let release = (): void => undefined;
  raw.once("close", end);
  release = status.wait(grant, {
    told: (state) => {
      if (!isOver(state.status)) status.want(grant, state, status.heartbeatMs / 1000, returned);
      tell(state);
    },
    // What is known stays so; the next read is tried soon.
    failed: () => undefined,
    ended: (state) => {
      send(state ?? last, isOver((state ?? last).status) ? "final" : "status");
      writeInTurn(true, end);
    },
  });
}
