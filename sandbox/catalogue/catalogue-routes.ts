// What is sold and for how much: the API's routes of products, prices, plans, coupons, codes, rates and payment links.
import type Stripe from "stripe";
import { noSuch } from "../core/errors.ts";
import { innerList } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import { createCoupon, deleteCoupon, listCoupons, updateCoupon, validNow } from "./coupon.ts";
import { named } from "./given.ts";
import { createPaymentLink, listPaymentLinkItems, listPaymentLinks, updatePaymentLink } from "./payment-link.ts";
import { createPlan, deletePlan, listPlans, updatePlan } from "./plan.ts";
import { createPrice, listPrices, searchPrices, updatePrice } from "./price.ts";
import { createProduct, deleteProduct, listProducts, searchProducts, updateProduct } from "./product.ts";
import {
  createPromotionCode,
  listPromotionCodes,
  retrievePromotionCode,
  updatePromotionCode,
} from "./promotion-code.ts";
import { createShippingRate, listShippingRates, updateShippingRate } from "./shipping-rate.ts";
import { createTaxRate, listTaxRates, updateTaxRate } from "./tax-rate.ts";

const products: Route[] = [
  route<Stripe.ProductListParams>()("GET /v1/products", listProducts),
  route<Stripe.ProductCreateParams>()("POST /v1/products", createProduct),
  route<Stripe.ProductSearchParams>()("GET /v1/products/search", searchProducts),
  route()("GET /v1/products/*", (tx, _, id) => named(tx, "product", id, "id")),
  route<Stripe.ProductUpdateParams>()("POST /v1/products/*", (tx, p, id) => updateProduct(tx, id, p)),
  route()("DELETE /v1/products/*", (tx, _, id) => deleteProduct(tx, id)),
  // Entitlements are not in the sandbox: a product has no features.
  route()("GET /v1/products/*/features", (tx, _, id) => {
    return innerList([], `/v1/products/${named(tx, "product", id, "id").id}/features`);
  }),
  route<Stripe.ProductCreateFeatureParams>()("POST /v1/products/*/features", (_, { entitlement_feature }) => {
    throw noSuch("entitlements.feature", entitlement_feature, "entitlement_feature");
  }),
  route()("GET /v1/products/*/features/*", (_tx, _, _product, id) => {
    throw noSuch("product_feature", id);
  }),
  route()("DELETE /v1/products/*/features/*", (_tx, _, _product, id) => {
    throw noSuch("product_feature", id);
  }),
];

const prices: Route[] = [
  route<Stripe.PriceListParams>()("GET /v1/prices", listPrices),
  route<Stripe.PriceCreateParams>()("POST /v1/prices", createPrice),
  route<Stripe.PriceSearchParams>()("GET /v1/prices/search", searchPrices),
  route()("GET /v1/prices/*", (tx, _, id) => named(tx, "price", id, "price")),
  route<Stripe.PriceUpdateParams>()("POST /v1/prices/*", (tx, p, id) => updatePrice(tx, id, p)),
  route<Stripe.PlanListParams>()("GET /v1/plans", listPlans),
  route<Stripe.PlanCreateParams>()("POST /v1/plans", createPlan),
  route()("GET /v1/plans/*", (tx, _, id) => named(tx, "plan", id, "plan")),
  route<Stripe.PlanUpdateParams>()("POST /v1/plans/*", (tx, p, id) => updatePlan(tx, id, p)),
  route()("DELETE /v1/plans/*", (tx, _, id) => deletePlan(tx, id)),
];

const coupons: Route[] = [
  route<Stripe.CouponListParams>()("GET /v1/coupons", listCoupons),
  route<Stripe.CouponCreateParams>()("POST /v1/coupons", createCoupon),
  route()("GET /v1/coupons/*", (tx, _, id) => validNow(tx, named(tx, "coupon", id, "coupon"))),
  route<Stripe.CouponUpdateParams>()("POST /v1/coupons/*", (tx, p, id) => updateCoupon(tx, id, p)),
  route()("DELETE /v1/coupons/*", (tx, _, id) => deleteCoupon(tx, id)),
  route<Stripe.PromotionCodeListParams>()("GET /v1/promotion_codes", listPromotionCodes),
  route<Stripe.PromotionCodeCreateParams>()("POST /v1/promotion_codes", createPromotionCode),
  route()("GET /v1/promotion_codes/*", (tx, _, id) => retrievePromotionCode(tx, id)),
  route<Stripe.PromotionCodeUpdateParams>()("POST /v1/promotion_codes/*", (tx, p, id) =>
    updatePromotionCode(tx, id, p),
  ),
];

const rates: Route[] = [
  route<Stripe.TaxRateListParams>()("GET /v1/tax_rates", listTaxRates),
  route<Stripe.TaxRateCreateParams>()("POST /v1/tax_rates", createTaxRate),
  route()("GET /v1/tax_rates/*", (tx, _, id) => named(tx, "tax_rate", id, "tax_rate")),
  route<Stripe.TaxRateUpdateParams>()("POST /v1/tax_rates/*", (tx, p, id) => updateTaxRate(tx, id, p)),
  route<Stripe.ShippingRateListParams>()("GET /v1/shipping_rates", listShippingRates),
  route<Stripe.ShippingRateCreateParams>()("POST /v1/shipping_rates", createShippingRate),
  route()("GET /v1/shipping_rates/*", (tx, _, id) => named(tx, "shipping_rate", id, "shipping_rate_token")),
  route<Stripe.ShippingRateUpdateParams>()("POST /v1/shipping_rates/*", (tx, p, id) => updateShippingRate(tx, id, p)),
];

const links: Route[] = [
  route<Stripe.PaymentLinkListParams>()("GET /v1/payment_links", listPaymentLinks),
  route<Stripe.PaymentLinkCreateParams>()("POST /v1/payment_links", createPaymentLink),
  route()("GET /v1/payment_links/*", (tx, _, id) => named(tx, "payment_link", id, "payment_link")),
  route<Stripe.PaymentLinkUpdateParams>()("POST /v1/payment_links/*", (tx, p, id) => updatePaymentLink(tx, id, p)),
  route<Stripe.PaymentLinkListLineItemsParams>()("GET /v1/payment_links/*/line_items", (tx, p, id) =>
    listPaymentLinkItems(tx, id, p),
  ),
];

export const catalogueRoutes: readonly Route[] = [...products, ...prices, ...coupons, ...rates, ...links];
