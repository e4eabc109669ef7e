// The API's routes of customers and of what belongs to them. Their payment methods are in payments/.
import type Stripe from "stripe";
import { hooks } from "../core/hooks.ts";
import { route, type Route } from "../core/route.ts";
import { named } from "../catalogue/given.ts";
import {
  createBalanceTransaction,
  listBalanceTransactions,
  retrieveBalanceTransaction,
  updateBalanceTransaction,
} from "./balance.ts";
import {
  cashBalance,
  fundCashBalance,
  listCashTransactions,
  retrieveCashTransaction,
  updateCashBalance,
  type Funding,
} from "./cash-balance.ts";
import {
  createCustomer,
  deleteCustomer,
  deleteCustomerDiscount,
  listCustomers,
  retrieveCustomer,
  searchCustomers,
  updateCustomer,
} from "./customer.ts";
import { verifyBankAccount } from "./bank-source.ts";
import { discountsEnd } from "./customer-discount.ts";
import { createFundingInstructions } from "./funding-instructions.ts";
import { createSource, deleteSource, listSources, retrieveSource, updateSource } from "./source.ts";
import {
  createCustomerTaxId,
  createTaxId,
  customerTaxId,
  deleteTaxId,
  listCustomerTaxIds,
  listTaxIds,
} from "./tax-id.ts";

const customers: Route[] = [
  route<Stripe.CustomerListParams>()("GET /v1/customers", listCustomers),
  route<Stripe.CustomerCreateParams>()("POST /v1/customers", createCustomer),
  route<Stripe.CustomerSearchParams>()("GET /v1/customers/search", searchCustomers),
  route()("GET /v1/customers/*", (tx, _, id) => retrieveCustomer(tx, id)),
  route<Stripe.CustomerUpdateParams>()("POST /v1/customers/*", (tx, p, id) => updateCustomer(tx, id, p)),
  route()("DELETE /v1/customers/*", (tx, _, id) => deleteCustomer(tx, id)),
  route()("DELETE /v1/customers/*/discount", (tx, _, id) => deleteCustomerDiscount(tx, id)),
];

const sources: Route[] = [
  route<Stripe.CustomerListSourcesParams>()("GET /v1/customers/*/sources", (tx, p, id) => listSources(tx, id, p)),
  route<Stripe.CustomerCreateSourceParams>()("POST /v1/customers/*/sources", (tx, p, id) => createSource(tx, id, p)),
  route()("GET /v1/customers/*/sources/*", (tx, _, customer, id) => retrieveSource(tx, customer, id)),
  route<Stripe.CustomerUpdateSourceParams>()("POST /v1/customers/*/sources/*", (tx, p, customer, id) =>
    updateSource(tx, customer, id, p),
  ),
  route()("DELETE /v1/customers/*/sources/*", (tx, _, customer, id) => deleteSource(tx, customer, id)),
  route<Stripe.CustomerVerifySourceParams>()("POST /v1/customers/*/sources/*/verify", (tx, p, customer, id) =>
    verifyBankAccount(tx, customer, id, p.amounts),
  ),
];

const balances: Route[] = [
  route<Stripe.CustomerListBalanceTransactionsParams>()("GET /v1/customers/*/balance_transactions", (tx, p, id) =>
    listBalanceTransactions(tx, id, p),
  ),
  route<Stripe.CustomerCreateBalanceTransactionParams>()("POST /v1/customers/*/balance_transactions", (tx, p, id) =>
    createBalanceTransaction(tx, id, p),
  ),
  route()("GET /v1/customers/*/balance_transactions/*", (tx, _, customer, id) =>
    retrieveBalanceTransaction(tx, customer, id),
  ),
  route<Stripe.CustomerUpdateBalanceTransactionParams>()(
    "POST /v1/customers/*/balance_transactions/*",
    (tx, p, customer, id) => updateBalanceTransaction(tx, customer, id, p),
  ),
  route()("GET /v1/customers/*/cash_balance", (tx, _, id) => cashBalance(tx, id)),
  route<Stripe.CustomerUpdateCashBalanceParams>()("POST /v1/customers/*/cash_balance", (tx, p, id) =>
    updateCashBalance(tx, id, p),
  ),
  route<Stripe.CustomerListCashBalanceTransactionsParams>()(
    "GET /v1/customers/*/cash_balance_transactions",
    (tx, p, id) => listCashTransactions(tx, id, p),
  ),
  route()("GET /v1/customers/*/cash_balance_transactions/*", (tx, _, customer, id) =>
    retrieveCashTransaction(tx, customer, id),
  ),
  route<Stripe.CustomerCreateFundingInstructionsParams>()("POST /v1/customers/*/funding_instructions", (tx, p, id) =>
    createFundingInstructions(tx, id, p),
  ),
  route<Funding>()("POST /v1/test_helpers/customers/*/fund_cash_balance", (tx, p, id) => fundCashBalance(tx, id, p)),
];

const taxIds: Route[] = [
  route<Stripe.CustomerListTaxIdsParams>()("GET /v1/customers/*/tax_ids", (tx, p, id) => listCustomerTaxIds(tx, id, p)),
  route<Stripe.CustomerCreateTaxIdParams>()("POST /v1/customers/*/tax_ids", (tx, p, id) =>
    createCustomerTaxId(tx, id, p),
  ),
  route()("GET /v1/customers/*/tax_ids/*", (tx, _, customer, id) => customerTaxId(tx, customer, id)),
  route()("DELETE /v1/customers/*/tax_ids/*", (tx, _, customer, id) =>
    deleteTaxId(tx, customerTaxId(tx, customer, id)),
  ),
  route<Stripe.TaxIdListParams>()("GET /v1/tax_ids", listTaxIds),
  route<Stripe.TaxIdCreateParams>()("POST /v1/tax_ids", createTaxId),
  route()("GET /v1/tax_ids/*", (tx, _, id) => named(tx, "tax_id", id, "id")),
  route()("DELETE /v1/tax_ids/*", (tx, _, id) => deleteTaxId(tx, named(tx, "tax_id", id, "id"))),
];

/** Hears of the time that passes. Called once or more, it counts once. */
export function openCustomers(): void {
  if (!hooks.due.includes(discountsEnd)) hooks.due.push(discountsEnd);
}

export const customerRoutes: readonly Route[] = [...customers, ...sources, ...balances, ...taxIds];
