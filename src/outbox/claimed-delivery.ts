// A delivery that a worker has claimed, how much may be claimed, and what came of it.

export interface ClaimLimits {
  all: number;
  /** For an endpoint that `rooms` does not name. */
  perEndpoint: number;
  /** How many each of these endpoints may have; 0: none now. */
  rooms: ReadonlyMap<string, number>;
  /** Tenants that may have none now. */
  without: readonly string[];
  /** The endpoint that was looked at last: those behind it come first. "" begins anew. */
  behind: string;
}

export interface ClaimedDelivery {
  tenantId: string;
  livemode: boolean;
  id: string;
  endpointId: string;
  eventId: string;
  orderingKey: string | null;
  /** Of this round, those that have ended. */
  attempts: number;
  /** Somebody asked for it. */
  again: boolean;
  /** The claim that it belongs to. */
  lease: string;
}

export interface Claim {
  claimed: ClaimedDelivery[];
  /** How many were met that wait for an older one, and were put off. */
  parked: number;
  /** For the next look; "": it came to the end of the endpoints. */
  behind: string;
}

/** What came of a claimed delivery. */
export interface DeliveryEnd {
  delivery: ClaimedDelivery;
  status: "delivered" | "failed" | "canceled" | "pending";
  /** Milliseconds until it is due again, where it is pending. */
  wait: number;
  /** For people. */
  error: string | null;
  /** undefined: nothing was sent. */
  attempt?: RecordedAttempt;
}

export interface RecordedAttempt {
  /** att_… */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  url: string;
  requestHeaders: Readonly<Record<string, string>>;
  statusCode: number | null;
  latencyMs: number;
  responseHeaders: Readonly<Record<string, unknown>> | null;
  responseBody: string | null;
  errorCode: string | null;
}
