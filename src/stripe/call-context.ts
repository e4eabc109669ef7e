// What one call to Stripe is bound to while the SDK sends it: its deadline, its account and its idempotency key.
import { AsyncLocalStorage } from "node:async_hooks";

export interface CallContext {
  /** On the monotonic clock, milliseconds. No attempt outlives it. */
  deadline: number;
  now: () => number;
  /** "" for the platform's own. */
  account: string;
  idempotencyKey: string | undefined;
  /** Never more than one request. */
  once: boolean;
  /** Requests that were sent, the SDK's own retries included. */
  attempts: number;
  /** The last one's method and path, without ids. */
  sent: { method: string; route: string } | undefined;
  /** A mistake of the code that asks: what it wanted to send was not sent. */
  mistake: Error | undefined;
  ended: AbortSignal;
}

const current = new AsyncLocalStorage<CallContext>();

export function inContext<T>(context: CallContext, call: () => Promise<T>): Promise<T> {
  return current.run(context, call);
}

export interface SentRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, unknown>>;
}

/**
 * Called before each request of the SDK's. Gives the milliseconds that it may take. Throws when it must not be sent.
 *
 * A POST goes out only with the idempotency key of the call, so that none is ever repeated blindly; and a request for a
 * connected account only with its header, without which it would change the platform's own account.
 */
export function beforeRequest({ method, path, headers }: SentRequest, timeout: number): number {
  const context = current.getStore();
  if (context === undefined) return timeout;
  context.sent = { method, route: routeOf(path) };
  context.mistake ??= mistakeIn(context, method, headers);
  if (context.mistake !== undefined) throw context.mistake;
  // The SDK repeats a closed connection once, whatever it is told.
  if (context.once && context.attempts > 0) throw new Error("this call is sent only once");
  const left = context.deadline - context.now();
  if (left <= 0 || context.ended.aborted) throw new Error("the call's deadline has passed");
  context.attempts += 1;
  return Math.max(1, Math.min(timeout, Math.ceil(left)));
}

/** Ends what still arrives when the call's time is over. */
export function whenOver(end: () => void): void {
  current.getStore()?.ended.addEventListener("abort", end, { once: true });
}

function mistakeIn(
  { account, idempotencyKey }: CallContext,
  method: string,
  headers: SentRequest["headers"],
): Error | undefined {
  const sentAccount = headers["Stripe-Account"] ?? headers["Stripe-Context"] ?? "";
  if (sentAccount !== account) return new Error("a call to Stripe must pass on the options that it is given");
  if (method === "POST" && (idempotencyKey === undefined || headers["Idempotency-Key"] !== idempotencyKey)) {
    return new Error("a POST to Stripe needs the idempotency key of its call");
  }
  return undefined;
}

/** `/v1/invoices/in_123/pay?…` → `/v1/invoices/:id/pay`. */
function routeOf(path: string): string {
  const [plain = ""] = path.split("?", 1);
  return plain.replace(/(?<=\/)[^/]*\d[^/]*(?=\/|$)/g, (segment) => (/^v[12]$/.test(segment) ? segment : ":id"));
}
