// Live and test mode at once: each is fetched with its own key, and one that fails is no trouble for the other.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, it } from "vitest";

import { readyDatabase } from "./support/ready-database.ts";
import { failure, reply, scriptedStripe } from "./support/scripted-stripe.ts";
import { OPERATOR_TOKEN, post, serve } from "./support/serve.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const thin = (mode: string): string =>
  JSON.stringify({
    id: `evt_${mode}`,
    object: "v2.core.event",
    type: "v1.customer.created",
    created: new Date().toISOString(),
    livemode: mode === "live",
    context: null,
    related_object: { id: `cus_${mode}`, type: "customer", url: `/v1/customers/cus_${mode}` },
  });

it(
  "objects of both modes are fetched, each with its own key, also while the live ones fail",
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-modes-"));
    const stripe = await scriptedStripe();
    closing.push(
      () => stripe.close(),
      async () => rmSync(folder, { recursive: true }),
    );
    stripe.script((response, request) => {
      const id = request.path.split("/").at(-1) ?? "";
      const live = request.key === "sk_live_1";
      (live ? reply(503, failure("api_error"), {}, { retry: false }) : reply(200, { id, object: "customer" }))(
        response,
        request,
      );
    });
    const served = await serve({
      DATA_DIR: folder,
      DATABASE_URL: await readyDatabase(),
      STRIPE_SECRET_KEY: "sk_live_1",
      STRIPE_TEST_SECRET_KEY: "sk_test_2",
      STRIPE_API_BASE: stripe.url,
      // Counted below are the calls of the two events alone.
      CATCH_UP_EVERY_SECONDS: "0",
    });
    closing.push(() => served.end("SIGKILL"));
    await served.ready();
    for (const mode of ["live", "test"]) expect(await post(served.url, thin(mode))).toBe(200);
    const asked = (): string[] => [...new Set(stripe.requests.map(({ key, path }) => `${key} ${path}`))].sort();
    await expect
      .poll(asked, { timeout: 30_000 })
      .toEqual(["sk_live_1 /v1/customers/cus_live", "sk_test_2 /v1/customers/cus_test"]);
    const fetched = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
      const answer = await fetch(`${served.url}/api/v1/admin/stripe-events/?type=customer.retrieved`, { headers });
      return ((await answer.json()) as { data: { object_id: string; livemode: boolean }[] }).data.map(
        ({ object_id: object, livemode }) => [object, livemode],
      );
    };
    await expect.poll(fetched, { timeout: 15_000 }).toEqual([["cus_test", false]]);
    const metrics = await (await fetch(`${served.url}/metrics`)).text();
    expect(metrics).toMatch(/billhook_stripe_calls_total\{outcome="ok"\} 1/);
    expect(metrics).toMatch(/billhook_stripe_calls_total\{outcome="stripe_unreachable"\} [1-9]/);
    expect(metrics).toMatch(/billhook_stripe_circuits_open 0/);
    expect(metrics).toContain("billhook_stripe_call_seconds_bucket");
  },
);
