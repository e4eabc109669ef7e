// What 2024-09-30.acacia began: invoices with the shapes of basil beside the older ones. Before it there were these alone.
import { change, type VersionChange, without } from "./version-change.ts";

const ACACIA = "2024-09-30.acacia";

export const acaciaChanges: readonly VersionChange[] = [
  change(ACACIA, "invoice", (invoice) => without(invoice, "parent", "total_taxes")),
  change(ACACIA, "line_item", (line) => without(line, "parent", "pricing", "taxes")),
  change(ACACIA, "invoiceitem", (item) => without(item, "parent", "pricing")),
  change(ACACIA, "credit_note", (note) =>
    without(note, "post_payment_amount", "pre_payment_amount", "refunds", "total_taxes"),
  ),
  change(ACACIA, "credit_note_line_item", (line) => without(line, "taxes")),
];
