// One attempt's two ends: what is to be sent where, and what its outcome changes.
import { scopeOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import type { Job } from "./delivery-runner.ts";
import { validSecrets } from "./destination.ts";
import { eventBody } from "./event-body.ts";
import { deliveryHeaders, signatureHeader } from "./signature.ts";

/** `parked`: the endpoint is disabled. `none`: no more attempts are due. `send-nothing`: fails unsent. */
export type Attempt =
  | { kind: "send"; url: string; headers: Record<string, string>; body: string }
  | { kind: "parked" }
  | { kind: "none" }
  | { kind: "send-nothing" };

/** The event as it goes out now, signed with the time of now. */
export function attemptOf(world: World, job: Job): Attempt {
  return world.run((owner): Attempt => {
    const delivery = owner.find("_delivery", job.delivery);
    if (delivery === undefined || (delivery.state !== "pending" && !job.isCopy)) return { kind: "none" };
    const destination = owner.find("_destination", delivery.endpoint);
    const eventScope = owner.in(scopeOf(delivery.event_scope));
    const event = eventScope.find("event", delivery.event);
    if (destination === undefined || event === undefined) {
      if (delivery.state === "pending") {
        owner.put("_delivery", { ...delivery, state: "failed", next_attempt_at: null });
      }
      return { kind: "none" };
    }
    if (!destination.is_enabled) return { kind: "parked" };
    const body = eventBody(eventScope, event, destination, owner.scope);
    const secrets = validSecrets(destination, owner.now).map(({ secret }) => secret);
    // The receiver's clock is the real one, whatever clock the world and the schedule run on.
    const t = Math.floor(Date.now() / 1000);
    const signature = signatureHeader(body, secrets, { t, livemode: event.livemode });
    return { kind: "send", url: destination.url, headers: deliveryHeaders(signature), body };
  }, scopeOf(job.scope));
}

/** `inSeconds`: the delivery clock's time after a wait. `steps`: the waits after each failure; then it is given up. */
export function keepOutcome(
  world: World,
  job: Job,
  status: number | null,
  inSeconds: (wait: number) => number,
  steps: readonly number[],
): void {
  const isTaken = status !== null && status >= 200 && status < 300;
  world.run((owner) => {
    const old = owner.find("_delivery", job.delivery);
    if (old === undefined) return;
    const tried = { ...old, attempts: old.attempts + 1, last_status: status };
    if (old.state !== "pending" || (job.isCopy && !isTaken)) {
      if (job.isCopy) owner.put("_delivery", { ...old, attempts: old.attempts + 1 });
      return;
    }
    if (isTaken) {
      owner.put("_delivery", { ...tried, state: "delivered", next_attempt_at: null });
      countDown(owner.in(scopeOf(old.event_scope)), old.event);
      return;
    }
    if (job.dropped === "forever") {
      owner.put("_delivery", { ...tried, state: "dropped", next_attempt_at: null });
      return;
    }
    const wait = steps[old.attempts];
    if (wait === undefined) owner.put("_delivery", { ...tried, state: "failed", next_attempt_at: null });
    else owner.put("_delivery", { ...tried, next_attempt_at: inSeconds(wait) });
  }, scopeOf(job.scope));
}

function countDown(tx: Transaction, id: string): void {
  const event = tx.find("event", id);
  if (event !== undefined) {
    tx.put("event", { ...event, pending_webhooks: Math.max(0, event.pending_webhooks - 1) });
  }
}
