// Which page shows an object of the tenant's, by its id.
const PAGES: readonly [prefix: string, path: string][] = [
  ["acc_", "/tenant/customers/"],
  ["cinv_", "/tenant/invoices/"],
  ["whe_", "/dashboard/webhooks/"],
  ["msg_", "/tenant/events/"],
  ["dlv_", "/tenant/deliveries/"],
  ["pack_", "/tenant/credit-packs/"],
  ["pln_", "/tenant/plans/"],
];

export function objectPath(id: string): string | undefined {
  const path = PAGES.find(([prefix]) => id.startsWith(prefix))?.[1];
  return path === undefined ? undefined : path + id;
}
