// Where an id is shown: each kind of object has its page, told by how the id begins. Pure.

/** Beginnings of ids, ours and Stripe's, to the page below `/operator/`. */
const PAGES: Readonly<Record<string, string>> = {
  cus: "customers",
  sub: "subscriptions",
  in: "invoices",
  pi: "payments",
  re: "refunds",
  pyr: "refunds",
  dp: "disputes",
  du: "disputes",
  evt: "stripe-events",
  acc: "accounts",
  ten: "tenants",
  usr: "people",
  pur: "credit-purchases",
  unm: "unmatched-purchases",
  msg: "events",
  dlv: "deliveries",
  whe: "webhook-endpoints",
  cinv: "connected-invoices",
  pln: "plans",
  pack: "credit-packs",
  mail: "mails",
};

/** Of Stripe's objects without a list of their own, those whose events Stripe sends: others would lead to an empty page. */
const OTHERS = new Set("acct ch py cs seti pm card src price prod po inpay sub_sched".split(" "));

export interface ObjectScope {
  /** A connected account; null: the platform's own. */
  account?: string | null;
}

/** The page of what an id names; undefined: no page shows it. */
export function pathOf(id: string, { account = null }: ObjectScope = {}): string | undefined {
  const kind = /^(sub_sched|[a-z]{2,6})_/.exec(id)?.[1] ?? "";
  const page = PAGES[kind] ?? (OTHERS.has(kind) ? "objects" : undefined);
  if (page === undefined) return undefined;
  return `/operator/${page}/${encodeURIComponent(id)}${scopeQuery({ account })}`;
}

/** The page of a Stripe object, whatever its id looks like. */
export function objectPath(id: string, { account = null }: ObjectScope = {}): string {
  return pathOf(id, { account }) ?? `/operator/objects/${encodeURIComponent(id)}${scopeQuery({ account })}`;
}

function scopeQuery({ account }: ObjectScope): string {
  return account === null || account === undefined ? "" : `?account=${encodeURIComponent(account)}`;
}
