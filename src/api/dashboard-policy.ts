// What the dashboard's pages may load and call: the headers of each of its answers. Pure.

export interface PolicyFacts {
  /** Another one for each answer: Mantine's <style> elements carry it. */
  nonce: string;
  /** Browsers confirm sandbox payments there. */
  sandboxUrl: string | undefined;
  /** With real keys Stripe's script takes the card: see https://docs.stripe.com/security/guide#content-security-policy. */
  withStripe: boolean;
}

export function contentPolicy({ nonce, sandboxUrl, withStripe }: PolicyFacts): string {
  const sandbox = sandboxUrl === undefined ? [] : [new URL(sandboxUrl).origin];
  const stripe = (...hosts: string[]): string[] => (withStripe ? hosts.map((host) => `https://${host}`) : []);
  const rules: [name: string, ...sources: string[]][] = [
    ["default-src", "'none'"],
    ["script-src", "'self'", ...stripe("js.stripe.com", "*.js.stripe.com")],
    ["style-src", "'self'", `'nonce-${nonce}'`],
    ["img-src", "'self'", "data:", ...stripe("*.stripe.com")],
    ["font-src", "'self'"],
    ["connect-src", "'self'", ...sandbox, ...stripe("api.stripe.com")],
    ["frame-src", ...(withStripe ? stripe("js.stripe.com", "*.js.stripe.com", "hooks.stripe.com") : ["'none'"])],
    ["form-action", "'self'"],
    ["base-uri", "'none'"],
    ["frame-ancestors", "'none'"],
  ];
  return rules.map((rule) => rule.join(" ")).join("; ");
}

export function pageHeaders(facts: PolicyFacts): Record<string, string> {
  return {
    "content-security-policy": contentPolicy(facts),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "strict-origin",
    "x-frame-options": "DENY",
  };
}
