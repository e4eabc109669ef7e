// Faults: API calls that fail because a test asked for it, so that a client can be seen to cope.
import { invalidRequest } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { givenFlag, givenNumber, givenText, givenTexts, type Given } from "./given.ts";
import { liveOf } from "./live.ts";

export interface FaultAnswer {
  status: number;
  /** JSON. */
  body: string;
  headers: Record<string, string>;
  /** The call is done all the same, and only its answer is lost. */
  isAfter: boolean;
}

interface Fault {
  method: string | undefined;
  /** `/v1/customers` with all below it, or with `*` in place of ids. */
  path: string | undefined;
  left: number;
  answer: FaultAnswer;
}

const REASONS = [
  "global-rate",
  "endpoint-rate",
  "global-concurrency",
  "endpoint-concurrency",
  "resource-specific",
] as const;

export class Faults {
  #faults: Fault[] = [];

  /** Ends the call when what is given makes no fault. */
  add(given: Given): void {
    const status = givenNumber(given, "status", { from: 400, to: 599 });
    if (status === undefined) throw invalidRequest("Say which status the calls get.", { param: "status" });
    this.#faults.push({
      method: givenText(given, "method")?.toUpperCase(),
      path: givenText(given, "path"),
      left: givenNumber(given, "count", { from: 1, to: 1_000_000 }) ?? 1,
      answer: answerOf(status, given),
    });
  }

  clear(): void {
    this.#faults = [];
  }

  list(): object[] {
    return this.#faults.map(({ method, path, left, answer }) => ({
      method: method ?? null,
      path: path ?? null,
      left,
      status: answer.status,
      after: answer.isAfter,
    }));
  }

  /** The fault that befalls this call, used up by one. The first that was asked for comes first. */
  take(method: string, path: string): FaultAnswer | undefined {
    const fault = this.#faults.find((each) => befalls(each, method, path));
    if (fault === undefined) return undefined;
    fault.left -= 1;
    if (fault.left === 0) this.#faults = this.#faults.filter((each) => each !== fault);
    return fault.answer;
  }
}

/** The fault that befalls this call of the API, if one was asked for. Undefined: answer as always. */
export function takeFault(world: World, method: string, path: string): FaultAnswer | undefined {
  return liveOf(world).faults.take(method, path);
}

function befalls(fault: Fault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  if (fault.path === undefined) return true;
  const words = fault.path.split("/").filter((word) => word !== "");
  const called = path.split("/").filter((word) => word !== "");
  return words.every((word, place) => word === called[place] || (word === "*" && called[place] !== undefined));
}

function answerOf(status: number, given: Given): FaultAnswer {
  const reason = givenText(given, "reason");
  const code =
    givenText(given, "code") ?? (status === 429 ? (reason === undefined ? "lock_timeout" : "rate_limit") : undefined);
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  const message = givenText(given, "message") ?? `The sandbox was asked to answer this call with ${status}.`;
  if (status === 429 && reason !== undefined && !REASONS.some((each) => each === reason)) {
    throw invalidRequest(`reason must be one of ${REASONS.join(", ")}.`, { param: "reason" });
  }
  return {
    status,
    body: JSON.stringify({ error: { type, ...(code === undefined ? {} : { code }), message } }),
    headers: {
      ...(status === 429 && reason !== undefined ? { "stripe-rate-limited-reason": reason } : {}),
      ...Object.fromEntries((givenTexts(given, "headers") ?? []).map(headerOf)),
    },
    isAfter: givenFlag(given, "after") ?? false,
  };
}

/** "stripe-should-retry: true" */
function headerOf(line: string): [name: string, value: string] {
  const [name = "", ...value] = line.split(":");
  return [name.trim().toLowerCase(), value.join(":").trim()];
}
