// Products: what is sold. Their prices are in price.ts.
import type Stripe from "stripe";
import { blank, blankPart } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { given, named } from "./given.ts";
import { keepNewPrice, newPrice } from "./price.ts";
import { search, type SearchParameters } from "./search.ts";

/** With `default_price_data` the price is made too, after the product. */
export function createProduct(tx: Transaction, params: Stripe.ProductCreateParams): Stripe.Product {
  if (params.id !== undefined && tx.find("product", params.id) !== undefined) {
    throw invalidRequest("Product already exists.", { code: "resource_already_exists" });
  }
  const id = params.id ?? tx.newId("product");
  const price =
    params.default_price_data === undefined ? undefined : newPrice(tx, { ...params.default_price_data, product: id });
  const product = blank("product", {
    id,
    active: params.active ?? true,
    created: tx.now,
    default_price: price?.id ?? null,
    description: given(params.description),
    images: params.images ?? [],
    livemode: tx.scope.livemode,
    marketing_features: params.marketing_features ?? [],
    metadata: mergeMetadata({}, params.metadata),
    name: params.name,
    package_dimensions: params.package_dimensions ?? null,
    shippable: params.shippable ?? null,
    statement_descriptor: given(params.statement_descriptor),
    tax_code: given(params.tax_code),
    tax_details: taxDetails(params.tax_details, null),
    type: params.type ?? "service",
    unit_label: given(params.unit_label),
    updated: tx.now,
    url: given(params.url),
  }) as unknown as Stripe.Product;
  tx.put("product", product);
  tx.raise("product.created", product);
  if (price !== undefined) keepNewPrice(tx, price, params.default_price_data ?? {});
  return product;
}

export function updateProduct(tx: Transaction, id: string, params: Stripe.ProductUpdateParams): Stripe.Product {
  const old = named(tx, "product", id, "id");
  const after: Stripe.Product = {
    ...old,
    active: params.active ?? old.active,
    default_price: defaultPrice(tx, old, params.default_price),
    description: given(params.description, old.description),
    images: given(params.images, old.images) ?? [],
    marketing_features: given(params.marketing_features, old.marketing_features) ?? [],
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    name: params.name ?? old.name,
    package_dimensions: given(params.package_dimensions, old.package_dimensions),
    shippable: given(params.shippable, old.shippable),
    statement_descriptor: given(params.statement_descriptor, old.statement_descriptor ?? null),
    tax_code: given(params.tax_code, idOf(old.tax_code)),
    tax_details: taxDetails(params.tax_details, old.tax_details),
    unit_label: given(params.unit_label, old.unit_label ?? null),
    url: given(params.url, old.url),
  };
  if (equal(old, after)) return old;
  return tx.change("product", { ...after, updated: tx.now }, "product.updated");
}

function defaultPrice(tx: Transaction, product: Stripe.Product, given: string | undefined): string | null {
  if (given === undefined) return idOf(product.default_price);
  if (given === "") return null;
  const price = tx.get("price", given, "default_price");
  if (idOf(price.product) !== product.id) {
    const message = `The price \`${given}\` cannot be set as the default price of the product \`${product.id}\` because it belongs to another product.`;
    throw invalidRequest(message, { param: "default_price" });
  }
  if (!price.active) {
    const message = "The price specified is inactive. This field only accepts active prices.";
    throw invalidRequest(message, { param: "default_price" });
  }
  return given;
}

type TaxDetailsParam = Stripe.ProductUpdateParams["tax_details"];

function taxDetails(params: TaxDetailsParam, old: Stripe.Product.TaxDetails | null): Stripe.Product.TaxDetails | null {
  if (params === undefined) return old;
  if (params === "" || params === null) return null;
  return blankPart("product.tax_details", {
    performance_location: given(params.performance_location, old?.performance_location),
    tax_code: given(params.tax_code, old?.tax_code),
  }) as unknown as Stripe.Product.TaxDetails;
}

/** Only a product that never had a price can go. */
export function deleteProduct(tx: Transaction, id: string): object {
  const product = named(tx, "product", id, "id");
  if (tx.all("price").some((price) => idOf(price.product) === id)) {
    throw invalidRequest("This product cannot be deleted because it has one or more user-created prices.");
  }
  tx.remove("product", id);
  tx.raise("product.deleted", { ...product, active: false });
  return { id, object: "product", deleted: true };
}

export function listProducts(tx: Transaction, params: Stripe.ProductListParams): object {
  const { active, ids, shippable, type, url } = params;
  const products = tx.where(
    "product",
    (product) =>
      (active === undefined || product.active === active) &&
      (ids === undefined || ids.includes(product.id)) &&
      (shippable === undefined || product.shippable === shippable) &&
      (type === undefined || product.type === type) &&
      (url === undefined || product.url === url),
  );
  return listOf(products, "/v1/products", params);
}

export function searchProducts(tx: Transaction, params: SearchParameters): object {
  return search(tx.all("product"), params, {
    resource: "products",
    url: "/v1/products/search",
    fields: {
      active: { as: "token", read: ({ active }) => active },
      created: { as: "number", read: ({ created }) => created },
      description: { as: "text", read: ({ description }) => description },
      name: { as: "text", read: ({ name }) => name },
      shippable: { as: "token", read: ({ shippable }) => shippable },
      url: { as: "text", read: ({ url }) => url },
    },
  });
}
