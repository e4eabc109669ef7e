// `billhook/client`: the typed client, a payment's status, and what they throw.
export { billhook, type BillhookClient, type Call, type ClientOptions } from "./billhook-client.ts";
export { BillhookError, type BillhookErrorFields, type Code, type LocalCode } from "./billhook-error.ts";
export {
  followPayment,
  type FollowOptions,
  type FollowTimes,
  isOver,
  PAYMENT_STATES,
  type PaymentProgress,
  type PaymentState,
  type PaymentStatus,
} from "./payment-status.ts";
export { keepStatusUrl, keptStatusUrl } from "./return-visit.ts";
export { type FreshToken, signedIn, type SignedInOptions, type Tokens, type TokenSource } from "./tokens.ts";
export type { components, ErrorCode, paths } from "../generated/api.ts";
