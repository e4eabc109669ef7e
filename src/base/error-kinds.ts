// Every error that a caller may see: one table of code, status, title and the sentence that says what to do next.

interface ErrorKind {
  /** HTTP status. */
  status: number;
  /** The wire's `error`. */
  title: string;
  /** The wire's `message`, unless the place that throws knows a better one. Says what to do; names no internals. */
  sentence: string;
}

export const ERRORS = {
  // The request
  invalid_request: {
    status: 400,
    title: "Invalid request",
    sentence: "Correct the request as the API reference describes it, and send it again.",
  },
  invalid_json: {
    status: 400,
    title: "Invalid JSON",
    sentence: "The body is not valid JSON in UTF-8: correct it and send it again.",
  },
  unauthorized: {
    status: 401,
    title: "Unauthorized",
    sentence: "Send a valid token as `Authorization: Bearer <token>`.",
  },
  forbidden: { status: 403, title: "Forbidden", sentence: "This token may not do that: use one that is allowed to." },
  not_found: { status: 404, title: "Not found", sentence: "There is nothing here under this path or id: check both." },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    sentence: "Use one of the methods that the Allow header names.",
  },
  request_timeout: {
    status: 408,
    title: "Request timeout",
    sentence: "The request took too long to arrive: send it again.",
  },
  body_too_large: { status: 413, title: "Body too large", sentence: "Send a smaller body." },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    sentence: "Send JSON with `Content-Type: application/json`.",
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    sentence: "Wait as long as the Retry-After header says, then send it again.",
  },
  headers_too_large: { status: 431, title: "Headers too large", sentence: "Send fewer or shorter headers." },

  // People, tenants and their keys
  credentials_invalid: {
    status: 401,
    title: "Sign-in failed",
    sentence: "The e-mail address and the password do not fit: check both, or reset the password.",
  },
  sign_in_link_invalid: {
    status: 401,
    title: "Link invalid",
    sentence:
      "This link was used, is too old, or a later start printed a newer one: restart Billhook and open the new one.",
  },
  refresh_token_invalid: {
    status: 401,
    title: "Refresh token invalid",
    sentence: "This refresh token does not work any more: sign in again.",
  },
  one_time_token_invalid: {
    status: 400,
    title: "Link invalid",
    sentence: "This link was used, is too old, or was replaced by a newer one: ask for a new one.",
  },
  password_weak: {
    status: 400,
    title: "Password refused",
    sentence: "Choose a longer password that is not a common one.",
  },
  email_taken: {
    status: 409,
    title: "Address taken",
    sentence: "There is an account with this e-mail address: sign in, or reset its password.",
  },
  tenant_required: {
    status: 400,
    title: "Tenant required",
    sentence: "Say which tenant: send its id as the header Billhook-Tenant.",
  },
  already_member: {
    status: 409,
    title: "Already a member",
    sentence: "This person is a member already: change the role instead.",
  },
  last_owner: {
    status: 409,
    title: "Last owner",
    sentence: "A tenant needs an owner: make somebody else owner first.",
  },
  confirmation_required: {
    status: 400,
    title: "Confirmation required",
    sentence: "Send `confirm: true` to say that you mean it.",
  },

  // Idempotency-Key
  idempotency_key_required: {
    status: 400,
    title: "Idempotency key required",
    sentence: "Send an Idempotency-Key header: a new one for each new operation, the same one to repeat it.",
  },
  idempotency_key_reused: {
    status: 409,
    title: "Idempotency key reused",
    sentence: "This Idempotency-Key was sent with another request: use a new key for a new operation.",
  },
  idempotency_key_in_use: {
    status: 409,
    title: "Idempotency key in use",
    sentence: "The first request with this Idempotency-Key is still running: send it again after a moment.",
  },

  // Accounts and credits
  insufficient_credits: {
    status: 402,
    title: "Insufficient credits",
    sentence:
      "The balance does not cover this amount, and nothing was taken: let the account buy credits, or spend less.",
  },
  purchase_decided: {
    status: 409,
    title: "Already decided",
    sentence: "Only a payment that waits for a decision can be assigned or dismissed: look at its status.",
  },
  key_taken: {
    status: 409,
    title: "Key taken",
    sentence: "There is one with this key in this mode: change that one, or use another key.",
  },
  external_id_taken: {
    status: 409,
    title: "External id taken",
    sentence: "Another account of this tenant has this external_id: use that account, or another id.",
  },

  // Subscriptions
  subscription_exists: {
    status: 409,
    title: "Subscription exists",
    sentence: "The account has a subscription to a plan of this group: change its plan, or cancel it first.",
  },
  subscription_unchangeable: {
    status: 409,
    title: "Subscription unchangeable",
    sentence: "The subscription is in no state in which this can be done: look at its status.",
  },

  // Mails
  mail_not_retriable: {
    status: 409,
    title: "Mail not retriable",
    sentence: "Only a failed or a kept mail is tried again.",
  },

  // Outbound webhooks
  webhook_not_configured: {
    status: 400,
    title: "Webhook not configured",
    sentence: "Set the URL of your webhook first: POST it to /api/v1/auth/tenants/webhooks/config/.",
  },
  endpoint_limit: {
    status: 409,
    title: "Too many endpoints",
    sentence: "A tenant has 50 webhook endpoints at most: delete one that is not used any more.",
  },
  first_endpoint: {
    status: 409,
    title: "First endpoint",
    sentence: "The first endpoint stays with the tenant: set its url to null instead, or disable it.",
  },
  too_many_secrets: {
    status: 409,
    title: "Too many secrets",
    sentence: "Five replaced secrets are still valid: wait until one's grace has ended, or send `grace_seconds: 0`.",
  },
  endpoint_disabled: {
    status: 409,
    title: "Endpoint takes nothing",
    sentence: "The endpoint is disabled, has no url, or takes no events of this mode: change that first.",
  },
  delivery_not_retriable: {
    status: 409,
    title: "Delivery not retriable",
    sentence:
      "Its event is not kept any more, or its endpoint is deleted, disabled, without a url, or takes no events of this mode: mend that first.",
  },
  recovery_running: {
    status: 409,
    title: "Recovery running",
    sentence: "A recovery of this endpoint is running in this mode: wait until it has finished, or cancel it.",
  },
  recovery_ended: {
    status: 409,
    title: "Recovery ended",
    sentence: "Only a recovery that runs can be canceled: look at its status.",
  },

  // Stripe's webhooks
  signature_missing: {
    status: 400,
    title: "Signature missing",
    sentence: "Send the event with a Stripe-Signature header.",
  },
  signature_malformed: {
    status: 400,
    title: "Signature malformed",
    sentence: "The Stripe-Signature header must have the form `t=<unix seconds>,v1=<hex>`: pass it on unchanged.",
  },
  signature_stale: {
    status: 400,
    title: "Signature too old",
    sentence: "The signature is more than 300 seconds old: check this server's clock, or resend the event.",
  },
  signature_mismatch: {
    status: 400,
    title: "Signature mismatch",
    sentence:
      "No configured signing secret fits: check STRIPE_WEBHOOK_SECRET against the endpoint's secret, and that nothing on the way changes the body.",
  },
  not_a_stripe_event: {
    status: 400,
    title: "Not a Stripe event",
    sentence: "The signed body is not a Stripe event: check what is sent to this address.",
  },

  // What we ask Stripe to do
  stripe_not_configured: {
    status: 503,
    title: "Stripe not configured",
    sentence:
      "There is no Stripe key for this mode: the operator sets STRIPE_SECRET_KEY, or STRIPE_TEST_SECRET_KEY for test mode beside a live key.",
  },
  connect_client_id_missing: {
    status: 503,
    title: "Connect client id missing",
    sentence: "OAuth needs the Connect client id (ca_…): the operator sets STRIPE_CONNECT_CLIENT_ID.",
  },
  connect_state_invalid: {
    status: 400,
    title: "State invalid",
    sentence: "This state is unknown, was used, or is older than 10 minutes: start the connection again.",
  },
  connect_refused: {
    status: 400,
    title: "Connection refused",
    sentence: "The Stripe account was not connected: start the connection again, and allow it there.",
  },
  stripe_already_connected: {
    status: 409,
    title: "Already connected",
    sentence: "A Stripe account is connected already: disconnect it first to connect another one.",
  },
  stripe_account_taken: {
    status: 409,
    title: "Stripe account taken",
    sentence:
      "This Stripe account belongs to another tenant: disconnect it there first, or connect another Stripe account.",
  },
  platform_account: {
    status: 409,
    title: "The platform's own account",
    sentence: "The platform's Stripe account is the one that owns STRIPE_SECRET_KEY: there is nothing to connect.",
  },
  stripe_not_connected: {
    status: 409,
    title: "Stripe account not connected",
    sentence: "There is no Stripe account that may be used for this: connect one, and send it again.",
  },
  stripe_account_restricted: {
    status: 409,
    title: "Stripe account restricted",
    sentence: "Stripe does not let this account do that yet: complete what its Stripe dashboard asks for.",
  },
  card_declined: {
    status: 402,
    title: "Card declined",
    sentence: "The card was declined: use another payment method, or ask the bank.",
  },
  stripe_refused: {
    status: 400,
    title: "Refused by Stripe",
    sentence: "Stripe refuses this request: correct it, and send it again.",
  },
  stripe_permission_denied: {
    status: 502,
    title: "Stripe key not allowed",
    sentence: "The operator's Stripe key may not do this: the operator gives it the right, or sets another key.",
  },
  stripe_rate_limited: {
    status: 503,
    title: "Stripe is busy",
    sentence: "Too many calls to Stripe at once: send it again after the Retry-After header's seconds.",
  },
  stripe_unreachable: {
    status: 503,
    title: "Stripe unreachable",
    sentence: "Stripe does not answer: send it again after the Retry-After header's seconds.",
  },
  invoice_being_made: {
    status: 409,
    title: "Invoice being made",
    sentence:
      "The invoice is still on its way to Stripe: wait until it has its stripe_invoice_id, and send this again.",
  },
  invoice_not_open: {
    status: 409,
    title: "Invoice not open",
    sentence: "Only an invoice that waits for its payment can be changed in this way: look at its status.",
  },
  stripe_conflict: {
    status: 409,
    title: "Conflict at Stripe",
    sentence: "Another request is changing the same thing at Stripe: look at its state, and send it again if needed.",
  },

  // The operator's door
  event_in_progress: {
    status: 409,
    title: "Event in progress",
    sentence: "This event is waiting or being processed: replay it when it is done or has failed.",
  },
  replay_in_progress: {
    status: 409,
    title: "Replay in progress",
    sentence: "Another replay is running: wait until it has finished.",
  },
  rebuild_in_progress: {
    status: 409,
    title: "Rebuild in progress",
    sentence: "A rebuild is running: wait until it has finished.",
  },

  // Moving to another database
  not_movable: {
    status: 409,
    title: "Not movable",
    sentence:
      "This server's database is no embedded one: move it with PostgreSQL's own tools, or by backup and restore.",
  },
  move_in_progress: {
    status: 409,
    title: "Move in progress",
    sentence: "Another move of this server's data is running: wait until it has ended.",
  },
  move_ended: {
    status: 409,
    title: "Move ended",
    sentence: "This move has ended, and the server goes on as before: begin another one.",
  },
  moving: {
    status: 503,
    title: "Moving",
    sentence: "The data is being moved to another database: send it again after the Retry-After header's seconds.",
  },
  moved: {
    status: 503,
    title: "Moved",
    sentence:
      "The data was moved to another database: the operator sets DATABASE_URL to it, and starts this server again.",
  },

  // Us
  internal: {
    status: 500,
    title: "Internal error",
    sentence: "Something failed on our side: try again, and report the request_id if it stays.",
  },
  overloaded: {
    status: 503,
    title: "Overloaded",
    sentence: "Too much is waiting: send it again after the Retry-After header's seconds.",
  },
  storage_unavailable: {
    status: 503,
    title: "Storage unavailable",
    sentence: "It could not be stored: send it again after the Retry-After header's seconds.",
  },
  stopping: {
    status: 503,
    title: "Stopping",
    sentence: "This process is stopping: send it again after the Retry-After header's seconds.",
  },
} as const satisfies Record<string, ErrorKind>;
