// The webhook door from outside: PUBLIC_URL is asked as Stripe would ask it, and what was refused there is told apart.
import { createHmac } from "node:crypto";

import type { SigningSecret } from "../stripe/signature.ts";
import { check, type Examined } from "./doctor-check.ts";
import { ROLE_VARIABLE, WEBHOOK_PATH, WHOSE } from "./doctor-endpoints.ts";
import { PROBE_OBJECT, readReceipts, type Receipt } from "./doctor-receipts.ts";
import { type Found, when } from "./doctor-report.ts";

/** How the door at PUBLIC_URL met a post. */
export type Met =
  | { by: "nobody"; reason: string }
  | { by: "redirect"; status: number; location: string }
  | { by: "stranger"; status: number }
  | { by: "billhook"; status: number; code: string };

export interface DoorFacts {
  url: string;
  /** The secret that signed it; undefined: none is known here. */
  variable: string | undefined;
  /** A body spaced as Stripe spaces it, with letters beyond ASCII. */
  spaced: Met;
  /** The simplest body; undefined: it was not needed. */
  simple: Met | undefined;
}

const PROBE_MS = 2_000;

export const doorCheck = check({
  code: "webhook_door",
  title: "The webhook door at PUBLIC_URL",
  needs: "nothing",
  look: lookAtDoor,
  judge: (facts) => (facts === undefined ? [] : judgeDoor(facts)),
});

async function lookAtDoor({ config, webhookSecrets, clock }: Examined): Promise<DoorFacts | undefined> {
  // Any free port: nobody is told which.
  if (new URL(config.publicUrl).port === "0") return undefined;
  const url = `${config.publicUrl}${WEBHOOK_PATH}`;
  const [signer] = webhookSecrets;
  const ask = (body: string): Promise<Met> => post(url, body, signer, Math.floor(clock.now() / 1000));
  const spaced = await ask(JSON.stringify({ object: PROBE_OBJECT, text: "naïve – as Stripe spaces it" }, null, 2));
  const failed = spaced.by === "billhook" && spaced.code === "signature_mismatch";
  const simple = failed ? await ask(JSON.stringify({ object: PROBE_OBJECT })) : undefined;
  return { url, variable: signer?.name, spaced, simple };
}

/** What is signed but no event is refused for that alone, and counted nowhere. */
async function post(url: string, body: string, signer: SigningSecret | undefined, now: number): Promise<Met> {
  const mac = createHmac("sha256", signer?.secret ?? "").update(`${now}.${body}`);
  const headers = {
    "content-type": "application/json; charset=utf-8",
    ...(signer === undefined ? {} : { "stripe-signature": `t=${now},v1=${mac.digest("hex")}` }),
  };
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const answer = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    const text = await answer.text();
    const { status } = answer;
    if (status >= 300 && status < 400)
      return { by: "redirect", status, location: answer.headers.get("location") ?? "nothing" };
    const code = codeOf(text);
    return code === undefined || !answer.headers.has("x-request-id")
      ? { by: "stranger", status }
      : { by: "billhook", status, code };
  } catch (error) {
    return { by: "nobody", reason: reasonOf(error) };
  }
}

function codeOf(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === "string" ? code : undefined;
  } catch {
    // A page of somebody's.
    return undefined;
  }
}

/** fetch tells the reason in its error's cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  if (error.name === "TimeoutError") return `no answer within ${PROBE_MS / 1000} seconds`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message !== "" ? cause.message : "code" in cause ? String(cause.code) : error.message;
}

export function judgeDoor({ url, variable, spaced, simple }: DoorFacts): Found[] {
  const subject = url;
  switch (spaced.by) {
    case "nobody":
      return [{ code: "door_unreachable", subject, values: { url, reason: spaced.reason } }];
    case "redirect": {
      const { status, location } = spaced;
      return [{ code: "door_redirects", subject, values: { url, status, location } }];
    }
    case "stranger":
      return [{ code: "door_elsewhere", subject, values: { url, status: spaced.status } }];
    case "billhook":
      break;
  }
  const { code } = spaced;
  if (code === "signature_missing" && variable !== undefined)
    return [{ code: "door_strips_signature", subject, values: { url } }];
  if (code !== "signature_mismatch") return [];
  const isTaken = simple?.by === "billhook" && simple.code === "not_a_stripe_event";
  return isTaken
    ? [{ code: "door_rewrites", subject, values: { url } }]
    : [{ code: "door_other_secret", subject, values: { url, variable: variable ?? "" } }];
}

export interface ReceiptFacts {
  receipts: readonly Receipt[];
  /** Milliseconds. */
  now: number;
}

export const signaturesCheck = check({
  code: "signatures",
  title: "Signatures of Stripe's events",
  needs: "database",
  look: async ({ ask, clock, flushReceipts }): Promise<ReceiptFacts> => {
    await flushReceipts();
    return { receipts: await readReceipts(ask), now: clock.now() };
  },
  judge: judgeReceipts,
});

const HOUR = 3_600_000;
/** What was refused longer ago is history. */
const LOOKED_BACK = 24 * HOUR;
/** What is refused may be refused again within this, though others are taken meanwhile. */
const STILL = HOUR / 6;

/** Not events at all are anybody's, and say nothing about Stripe. */
export function judgeReceipts({ receipts, now }: ReceiptFacts): Found[] {
  const accepted = receipts.filter(({ outcome }) => outcome === "accepted");
  const refused = receipts.filter(
    ({ outcome, kind, lastAt }) => outcome !== "accepted" && kind !== "none" && now - lastAt.getTime() < LOOKED_BACK,
  );
  return [...refused.flatMap((one) => judgeRefused(one, accepted, now)), ...taken(accepted)];
}

function judgeRefused(refused: Receipt, accepted: readonly Receipt[], now: number): Found[] {
  const { address, kind, livemode, outcome, count, lastAt } = refused;
  if (kind === "none") return [];
  const since = (one: Receipt): boolean => one.lastAt.getTime() >= lastAt.getTime();
  const age = now - lastAt.getTime();
  const subject = `${address} ${kind} ${livemode}`;
  const values = {
    ...{ address, count, at: when(lastAt), mode: livemode, role: kind },
    ...{ variable: ROLE_VARIABLE[kind], whose: WHOSE[kind] },
  };
  if (outcome === "mismatch") {
    // Whichever address it came to, an endpoint of this kind is signed for with its own secret.
    if (!accepted.some((one) => one.kind === kind && one.livemode === livemode && since(one)))
      return [{ code: "webhook_secret_wrong", subject, values }];
    return age < HOUR ? [{ code: "webhook_secret_mixed", subject, values }] : [];
  }
  if (age >= STILL && accepted.some((one) => one.address === address && since(one))) return [];
  if (outcome === "changed") return [{ code: "webhook_body_changed", subject, values }];
  if (outcome === "stale") return [{ code: "webhook_stale", subject, values }];
  const how = outcome === "missing" ? "without a Stripe-Signature header" : "with a damaged Stripe-Signature header";
  return [{ code: "webhook_signature_stripped", subject, values: { ...values, how } }];
}

/** Of each address and kind, whichever secret signed it. */
function taken(accepted: readonly Receipt[]): Found[] {
  const byDoor = new Map<string, Receipt>();
  for (const one of accepted) {
    const name = `${one.address} ${one.kind} ${one.livemode}`;
    const known = byDoor.get(name);
    const lastAt = known === undefined || known.lastAt < one.lastAt ? one.lastAt : known.lastAt;
    byDoor.set(name, { ...one, count: one.count + (known?.count ?? 0), lastAt });
  }
  return [...byDoor].flatMap(([subject, { address, kind, livemode, count, lastAt }]): Found[] => {
    if (kind === "none") return [];
    const whose = `${WHOSE[kind]} (${livemode})`;
    const details = { address, role: kind, livemode: livemode === "live", count, last_at: lastAt.toISOString() };
    return [{ code: "webhook_receipts", subject, values: { address, count, whose, at: when(lastAt) }, details }];
  });
}
