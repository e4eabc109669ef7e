// Where a webhook's signatures stand: the headers of Standard Webhooks, or the one in Stripe's form. Pure.
import { bytesOf } from "./signature-bytes.ts";
import { WebhookError } from "./webhook-error.ts";

/** Of `fetch`, or a record as Node and its frameworks have it. */
export type WebhookHeaders =
  { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Signed {
  scheme: "standard" | "stripe";
  /** Unix seconds. */
  timestamp: number;
  /** What stands before the body in the signed text. */
  head: string;
  signatures: readonly { version: string; bytes: Uint8Array<ArrayBuffer> }[];
}

/** Both say the same; proxies and frameworks may drop one. Throws `signature_missing` or `signature_malformed`. */
export function signedOf(headers: WebhookHeaders): Signed {
  const [id, time, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    headerOf(headers, name),
  );
  if (id !== undefined && time !== undefined && signatures !== undefined) {
    const timestamp = secondsOf(time);
    return { scheme: "standard", timestamp, head: `${id}.${time}.`, signatures: standardSignatures(signatures) };
  }
  const own = headerOf(headers, "x-webhook-signature");
  if (own !== undefined) return stripeSigned(own);
  throw new WebhookError(
    "signature_missing",
    "The request has neither webhook-id, webhook-timestamp and webhook-signature nor X-Webhook-Signature: it is no webhook of Billhook's, or something on the way drops headers.",
  );
}

/** `v1,<base64> v1,<base64> v1a,<base64>`: what is of another version is left out. */
function standardSignatures(text: string): Signed["signatures"] {
  return text.split(" ").flatMap((part) => {
    const [version = "", base64 = ""] = part.split(",");
    const bytes = base64 === "" ? undefined : bytesOf(base64);
    return bytes === undefined ? [] : [{ version, bytes }];
  });
}

/** `t=<unix seconds>,v1=<hex>,v1=<hex>`. */
function stripeSigned(text: string): Signed {
  const parts = text.split(",").map((part) => part.trim().split("=", 2));
  const time = parts.find(([name]) => name === "t")?.[1] ?? "";
  const signatures = parts.flatMap(([version = "", hex = ""]) =>
    version === "v1" && /^([0-9a-f]{2})+$/.test(hex) ? [{ version, bytes: hexBytes(hex) }] : [],
  );
  return { scheme: "stripe", timestamp: secondsOf(time), head: `${time}.`, signatures };
}

function hexBytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) => parseInt(hex.slice(2 * index, 2 * index + 2), 16));
}

function secondsOf(text: string): number {
  if (!/^\d{1,12}$/.test(text)) {
    throw new WebhookError("signature_malformed", "The signature's time is no whole number of seconds.");
  }
  return Number(text);
}

/** Record keys are lower case in Node; elsewhere they may not be. A header that came twice is its first. */
function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (isFetchHeaders(headers)) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : found?.[0];
}

function isFetchHeaders(headers: WebhookHeaders): headers is { get(name: string): string | null } {
  return typeof headers.get === "function";
}
