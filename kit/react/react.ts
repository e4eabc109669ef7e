// `billhook/react`: buying credits, taking payments, and how they go on, as React components.
export type { BegunPayment } from "./begun-payment.ts";
export { BillhookProvider, useBillhook } from "./billhook-provider.tsx";
export { type CreditPack, CreditPacks, type CreditPacksProps } from "./credit-packs.tsx";
export { money } from "./money.ts";
export { PaymentForm, type PaymentFormProps } from "./payment-form.tsx";
export { type FollowedPayment, usePaymentStatus } from "./use-payment-status.ts";
