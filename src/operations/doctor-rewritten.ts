// Whether a body whose signature fails is one of Stripe's that something on the way has written anew. Pure.
import { verifySignature, type SigningSecret } from "../stripe/signature.ts";

/**
 * Tries the ways in which Stripe writes a body and proxies rewrite it: spaced by two or not at all, line ends, white space
 * around it, letters beyond ASCII as they are or escaped. A signature that fits one of them proves that the secret is right
 * and the body is not what was sent. Returns the variable of that secret. Other rewritings are not found.
 */
export function fitsRewritten(
  { text, parsed }: { text: string; parsed: unknown },
  signature: string | string[] | undefined,
  secrets: readonly SigningSecret[],
): string | undefined {
  for (const original of new Set(originals(text, parsed))) {
    const verdict = verifySignature(Buffer.from(original, "utf8"), signature, secrets, 0, Infinity);
    if (verdict.ok) return verdict.name;
  }
  return undefined;
}

function originals(text: string, parsed: unknown): string[] {
  const trimmed = text.trim();
  const written = [trimmed, trimmed.replaceAll("\r\n", "\n"), JSON.stringify(parsed, null, 2), JSON.stringify(parsed)];
  return written.flatMap((one) => [one, `${one}\n`, escaped(one)]);
}

/** As a writer that keeps to ASCII has it. */
function escaped(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
