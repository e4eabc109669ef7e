// Where the dashboard's search box leads: whatever the API finds has a page, which the person may open.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, it, vi } from "vitest";

import type { components } from "../kit/client/client.ts";

type FoundObject = components["schemas"]["SearchHit"];
type Me = components["schemas"]["Me"];
type Kind = FoundObject["kind"];

interface Place {
  to: string;
  tenant: string | undefined;
  mode: string | undefined;
}

/** By its address, so that the types of pages, which are a browser's, stay out of those of the tests. */
const frame = (file: string): Promise<unknown> =>
  import(new URL(`../dashboard/frame/${file}`, import.meta.url).href) as Promise<unknown>;

const OPENAPI = JSON.parse(readFileSync(join(import.meta.dirname, "../docs/openapi.json"), "utf8")) as {
  components: { schemas: { SearchHit: { properties: { kind: { enum: Kind[] } } } } };
};
const KINDS = OPENAPI.components.schemas.SearchHit.properties.kind.enum;

/** What an id of ours names in a tenant, or an address of one of its people. */
const TENANTS: readonly Kind[] = [
  ...(["account", "tenant", "user", "webhook_endpoint", "event", "delivery", "connected_invoice"] as const),
  ...(["credit_entry", "credit_pack", "plan", "credit_purchase"] as const),
];

/** What only its tenant changes: the operator's page, if there is one, only shows it. */
const CHANGED_THERE: readonly Kind[] = ["webhook_endpoint", "connected_invoice", "plan", "credit_pack", "api_key"];

const hit = (kind: Kind): FoundObject => ({
  ...{ kind, id: `${kind}_1`, title: kind, subtitle: null, livemode: true, stripe_account: null, object_type: null },
  ...{ tenant_id: kind === "user" ? null : "ten_1", account_id: "acc_1" },
});

const person = (role: "member" | "admin" | "owner", { platform = false } = {}): Me =>
  ({ tenants: [{ id: platform ? "ten_platform" : "ten_1", role, platform }] }) as unknown as Me;

describe("what the search box found", () => {
  let placeOf: (object: FoundObject, me: Me) => Place | undefined;
  let pageAt: (path: string) => { path: string } | undefined;
  let nothingFound: (me: Me, mode: "live" | "test") => string;
  beforeAll(async () => {
    // What the frame reads when it is loaded, as in a browser that was never here.
    vi.stubGlobal("document", { querySelector: () => null });
    vi.stubGlobal("localStorage", { getItem: () => null });
    ({ placeOf } = (await frame("place-of.ts")) as { placeOf: typeof placeOf });
    ({ nothingFound } = (await frame("search-found.ts")) as { nothingFound: typeof nothingFound });
    ({ pageAt } = (await frame("areas.ts")) as { pageAt: typeof pageAt });
  });

  it.each(KINDS)("of the kind %s leads an operator to a page of the operator's, in whichever tenant it is", (kind) => {
    const place = placeOf(hit(kind), person("admin", { platform: true }));
    expect(place).toEqual({ to: expect.stringMatching(/^\/operator\//), tenant: undefined, mode: undefined });
    expect(pageAt(place?.to ?? "")).toBeDefined();
  });

  it.each(TENANTS)("of the kind %s leads a tenant's member to a page of that tenant's", (kind) => {
    const place = placeOf(hit(kind), person("member"));
    expect(place?.to).toMatch(/^\/(tenant|dashboard)\//);
    expect(pageAt(place?.to ?? "")).toBeDefined();
    if (kind !== "user") expect(place).toMatchObject({ tenant: "ten_1", mode: "live" });
  });

  it.each(CHANGED_THERE)("of the kind %s leads an operator to the tenant's page in a tenant of their own", (kind) => {
    const place = placeOf({ ...hit(kind), tenant_id: "ten_platform" }, person("owner", { platform: true }));
    expect(place).toEqual({
      ...{ to: expect.stringMatching(/^\/(tenant|dashboard)\//), tenant: "ten_platform", mode: "live" },
    });
    expect(pageAt(place?.to ?? "")).toBeDefined();
  });

  it("by a Stripe account leads to that account's page in its mode, and who may not open it to the tenant's people", () => {
    const connected = { ...hit("tenant"), stripe_account: "acct_1", livemode: false };
    expect(placeOf(connected, person("admin"))).toEqual({ to: "/dashboard/connect", tenant: "ten_1", mode: "test" });
    expect(placeOf(connected, person("member"))?.to).toBe("/tenant/members");
    expect(placeOf(hit("tenant"), person("admin"))?.to).toBe("/tenant/members");
    expect(placeOf(connected, person("admin", { platform: true }))?.to).toBe("/operator/tenants/tenant_1");
  });

  it("nothing: an operator looked everywhere, a tenant's person in what is theirs and in the mode that they chose", () => {
    expect(nothingFound(person("admin", { platform: true }), "test")).toMatch(/^Nothing found: /);
    expect(nothingFound(person("member"), "test")).toMatch(/^Nothing found of yours in test mode: /);
  });

  it("leads nobody to what they may not open", () => {
    expect(placeOf(hit("api_key"), person("member"))).toBeUndefined();
    expect(placeOf(hit("api_key"), person("admin"))?.to).toBe("/tenant/api-keys");
    expect(placeOf({ ...hit("plan"), tenant_id: "ten_2" }, person("owner"))).toBeUndefined();
    expect(placeOf(hit("mail"), person("owner"))).toBeUndefined();
  });
});
