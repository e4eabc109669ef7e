// What verifyWebhook throws: a code for programs, and a sentence that says what to look at.

export type WebhookErrorCode =
  /** The receiver's own secret has no form that is known. */
  | "secret_invalid"
  | "signature_missing"
  | "signature_malformed"
  /** Older or newer than the tolerance: a replay, or a clock that is wrong. */
  | "signature_stale"
  | "signature_mismatch"
  /** Signed, and no event all the same. */
  | "not_an_event";

export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
