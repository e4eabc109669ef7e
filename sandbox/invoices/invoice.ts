// What the other rooms call of the invoices, in the order of an invoice's life.
export { createInvoiceItem, type ItemInput } from "./invoice-item.ts";
export { draftInvoice, type DraftInvoice } from "./draft.ts";
export type { DraftLine } from "./invoice-line.ts";
export { finalizeInvoice } from "./finalize.ts";
export { payInvoice, paymentMethodOf } from "./collect.ts";
export { attachPayment, sendInvoice } from "./settle.ts";
export { deleteInvoice, markUncollectible, voidInvoice } from "./close.ts";
export { paymentIntentOf, paymentsOf } from "./invoice-payment.ts";
export { createPreview as previewInvoice, upcomingInvoice } from "./preview.ts";
