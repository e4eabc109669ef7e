// Signs what is sent: `Stripe-Signature: t=…,v1=…`, one v1 for each secret that is valid.
import { createHmac } from "node:crypto";

/** Nobody's secret: test events carry a fake `v0` besides, which receivers must not take for a signature. */
const FAKE_SECRET = "the fake scheme of test events";

/** `t`: unix seconds. Signed anew for each attempt, as receivers refuse a time that is more than minutes ago. */
export function signatureHeader(
  body: string,
  secrets: readonly string[],
  { t, livemode }: { t: number; livemode: boolean },
): string {
  const sign = (secret: string): string => createHmac("sha256", secret).update(`${t}.${body}`).digest("hex");
  const schemes = secrets.map((secret) => `v1=${sign(secret)}`);
  return [`t=${t}`, ...schemes, ...(livemode ? [] : [`v0=${sign(FAKE_SECRET)}`])].join(",");
}

/** The headers of a delivery, as Stripe sends them. */
export function deliveryHeaders(signature: string): Record<string, string> {
  return {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    Accept: "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
    "Stripe-Signature": signature,
  };
}
