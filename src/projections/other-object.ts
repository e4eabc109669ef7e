// Our copy of every Stripe object that has no table of its own. Projection of table stripe_objects.
import { reference } from "../stripe/read-values.ts";
import { projection } from "./projection.ts";

// Nothing is required here, and nothing is terminal: we do not know what these objects are.
export const otherObject = projection({
  objects: ["*"],
  table: "stripe_objects",
  columns: { customer_id: "text" },
  // An unreadable customer is no unknown shape here.
  row: (object) => ({ customer_id: reference(object.customer) ?? null }),
});
