// The status_url of a checkout, kept in this tab while the buyer is away at Stripe's page: the way back names only its id.

const NAME = "billhook:status:";

/** Before the buyer is sent to `checkout_url`. */
export function keepStatusUrl(sessionId: string, statusUrl: string): void {
  storage()?.setItem(NAME + sessionId, statusUrl);
}

/** For the page that `?session_id=cs_…` leads to; null: this tab did not begin it. */
export function keptStatusUrl(sessionId: string | null | undefined): string | null {
  return sessionId === null || sessionId === undefined ? null : (storage()?.getItem(NAME + sessionId) ?? null);
}

/** Undefined on a server, and where the browser keeps nothing. */
function storage(): Storage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    // Blocked for this site: then the page asks with the session's id and the client's token.
    return undefined;
  }
}
