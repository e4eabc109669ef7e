// Which other origins' pages may call from a browser: those of CORS_ORIGINS, with cookies for the refresh route. Pure.
interface Asked {
  method: string;
  headers: { origin?: string | undefined; "access-control-request-method"?: string | undefined };
}

/** How long a browser may remember a preflight's answer. */
const PREFLIGHT_SECONDS = 600;

export function corsHeaders({ method, headers }: Asked, origins: readonly string[]): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !origins.includes(origin)) return {};
  const allowed = { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", vary: "Origin" };
  if (method !== "OPTIONS") {
    return {
      ...allowed,
      "access-control-expose-headers":
        "X-Request-Id, ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, Idempotent-Replayed",
    };
  }
  return {
    ...allowed,
    "access-control-allow-methods": "GET, POST, PATCH, DELETE",
    "access-control-allow-headers":
      "Authorization, Content-Type, If-None-Match, Last-Event-ID, Billhook-Tenant, Billhook-Mode, Idempotency-Key",
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
}

/** A browser asks before it sends: only pages of these origins are answered. */
export function isPreflight({ method, headers }: Asked, origins: readonly string[]): boolean {
  return (
    method === "OPTIONS" &&
    headers["access-control-request-method"] !== undefined &&
    origins.includes(headers.origin ?? "")
  );
}
