// Our copy of Stripe products. Projection of table products.
import { array, boolean, hash, reference, required, text, time, word } from "../stripe/read-values.ts";
import { projection } from "./projection.ts";

// No tombstone: whoever creates a product may choose its id, and use it again.
export const product = projection({
  objects: ["product"],
  table: "products",
  columns: {
    stripe_created: "time",
    name: "text",
    active: "boolean",
    description: "text",
    type: "text",
    default_price_id: "text",
    unit_label: "text",
    statement_descriptor: "text",
    tax_code_id: "text",
    url: "text",
    images: "json",
    stripe_updated: "time",
    metadata: "json",
  },
  row: (object) => ({
    stripe_created: required(time(object.created)),
    name: required(text(object.name)),
    active: boolean(object.active),
    description: text(object.description),
    type: word(object.type),
    default_price_id: reference(object.default_price),
    unit_label: text(object.unit_label),
    statement_descriptor: text(object.statement_descriptor),
    tax_code_id: reference(object.tax_code),
    url: text(object.url),
    images: array(object.images),
    stripe_updated: time(object.updated),
    metadata: hash(object.metadata),
  }),
  tracked: ["name", "active", "description", "default_price_id", "metadata"],
});
