// Every page of the operator's area as people see it: axe finds nothing serious in either scheme, and a phone shows it without
// scrolling sideways; each is photographed for a person's eyes.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { withoutBrowser } from "./support/browser.ts";
import { lookAt, settled } from "./support/dashboard-browser.ts";
import { openOperatorScene, type OperatorScene } from "./support/dashboard-operator-scene.ts";
import { send } from "./support/people.ts";

describe.skipIf(withoutBrowser())("the operator's page", () => {
  let scene: OperatorScene;
  let page: Page;
  beforeAll(async () => {
    scene = await openOperatorScene();
    page = await scene.signedIn(scene.operator, "/", { expected: /status of 404.*(ten|pln)_nobody/ });
  }, 240_000);
  afterEach(() => scene.expectNoFaults());
  afterAll(() => scene.close());

  const first = async (list: string): Promise<string> => {
    const { json } = await scene.door.admin("GET", `${list}limit=1`);
    const [row] = json.data as { id: string }[];
    if (row === undefined) throw new Error(`nothing in ${list}`);
    return row.id;
  };

  /** `…` stands for the first id of the list that the API names. */
  const PAGES: [name: string, path: string, list?: string][] = [
    ["overview", "overview"],
    ["stripe-events", "stripe-events"],
    ["stripe-event", "stripe-events/evt_first_05"],
    ["stripe-event-failed", "stripe-events/evt_fails"],
    ["queue", "queue"],
    ["queue-unrouted", "queue?tab=unrouted"],
    ["billing-log", "billing-log"],
    ["customers", "customers"],
    ["customer", "customers/cus_first"],
    ["account", "accounts/…", "credit-purchases/?"],
    ["subscriptions", "subscriptions"],
    ["subscription", "subscriptions/…", "subscriptions/?"],
    ["invoices", "invoices"],
    ["invoice", "invoices/in_first"],
    ["invoice-story", "invoices/in_first?tab=story"],
    ["payments", "payments"],
    ["payment", "payments/…", "payments/?"],
    ["refunds", "refunds"],
    ["refund", "refunds/re_taken"],
    ["disputes", "disputes"],
    ["dispute", "disputes/dp_taken"],
    ["object", "objects/…", "stripe-events/?type=charge.succeeded&"],
    ["plans", "plans"],
    ["plan", "plans/…", "plans/?"],
    ["credit-packs", "credit-packs"],
    ["credit-pack", "credit-packs/…", "credit-packs/?"],
    ["credit-purchases", "credit-purchases"],
    ["credit-purchase", "credit-purchases/…", "credit-purchases/?"],
    ["unmatched-purchases", "unmatched-purchases"],
    ["unmatched-purchase", "unmatched-purchases/…", "unmatched-purchases/?"],
    ["event", "events/…"],
    ["delivery", "deliveries/…"],
    ["webhook-endpoint", "webhook-endpoints/…"],
    ["connected-invoice", "connected-invoices/theirs"],
    ["tenants", "tenants"],
    ["tenant", "tenants/…", "tenants/?"],
    ["people", "people"],
    ["person", "people/…", "users/?"],
    ["mails", "mails"],
    ["mail", "mails/…", "mails/?template=welcome&"],
    ["background", "background"],
    ["doctor", "doctor"],
    ["not-there", "tenants/ten_nobody"],
    ["offer-not-there", "plans/pln_nobody"],
  ];

  /** The newest of the platform's own, as its owner finds it. */
  const told = async (path: string): Promise<string> => {
    const [name = ""] = path.split("/");
    const { json } = await send(scene.door, "GET", `/api/v1/${name}/?limit=1`, { token: scene.operator.access });
    return path.replace("…", (json.data as { id: string }[])[0]?.id ?? "");
  };

  const pathOf = async (path: string, list: string | undefined): Promise<string> => {
    if (list === undefined) return path.endsWith("…") ? told(path) : path.replace("theirs", scene.theirs.invoice);
    if (path.startsWith("accounts/")) {
      const [account] = (await scene.door.admin("GET", `accounts/?email=${scene.stranger}`)).json.data as {
        id: string;
      }[];
      return path.replace("…", account?.id ?? "");
    }
    if (path.startsWith("objects/")) {
      const { json } = await scene.door.admin("GET", `${list}limit=1`);
      const [found] = json.data as { object_id: string }[];
      return path.replace("…", found?.object_id ?? "");
    }
    return path.replace("…", await first(list));
  };

  it.each(PAGES)(
    "%s",
    async (name, path, list) => {
      await page.goto(`${scene.door.url}/operator/${await pathOf(path, list)}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await settled(page);
      await lookAt(page, `op-${name}`);
    },
    60_000,
  );

  it("there is one for every entry of the navigation", async () => {
    await page.goto(`${scene.door.url}/operator/overview`);
    const navigation = page.getByRole("navigation", { name: "Main" });
    const paths = await navigation
      .getByRole("link")
      .evaluateAll((links: { pathname: string }[]) => links.map(({ pathname }) => pathname));
    const looked = new Set(PAGES.map(([, path]) => `/operator/${path}`));
    expect(paths.filter((path) => path.startsWith("/operator/") && !looked.has(path))).toEqual([]);
  });
});
