// Whatever was lost comes back: a tenth of all deliveries never sent, and a week without Billhook; on both databases.
import { describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { catchUpNow } from "../src/operations/catch-up.ts";
import { checkDrift, type Drift } from "../src/operations/drift.ts";
import { stripeAccess } from "../src/stripe/access.ts";
import { openDoor, SIGNING_SECRET } from "./support/api-door.ts";
import { BOTH } from "./support/pipe.ts";
import { openSandbox, SANDBOX_KEY } from "./support/sandbox.ts";

const DAY = 86_400;
const CUSTOMERS = 60;

describe.each(BOTH)("a week, %s database", (kind) => {
  it("of lost deliveries and a stopped server is caught up with: equal object by object, in the pages that the events fill", async () => {
    let behind = 7 * DAY + 3_600;
    const clock = (): number => Math.floor(Date.now() / 1000) - behind;
    const sandbox = await openSandbox({ clock, tickMs: 3_600_000, chaos: { drop: 0.1, forget: true } });
    const access = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: sandbox.url, clock: systemClock });
    const door = await openDoor(kind);
    try {
      const { database, platformTenant } = door.pipe;
      await database.query("update tenants set created_at = now() - interval '8 days' where platform");
      sandbox.register([{ url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: false }]);
      // An hour of business.
      const product = await sandbox.stripe.products.create({ name: "Daily" });
      const price = await sandbox.stripe.prices.create({
        ...{ product: product.id, currency: "usd", unit_amount: 500, recurring: { interval: "day" } },
      });
      for (let index = 0; index < CUSTOMERS; index++) {
        behind -= 3_600 / CUSTOMERS;
        const customer = await sandbox.stripe.customers.create({
          ...{ email: `c${index}@example.com`, payment_method: "pm_card_visa" },
          invoice_settings: { default_payment_method: "pm_card_visa" },
        });
        if (index % 6 === 0)
          await sandbox.stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
      }
      await sandbox.idle(20_000);
      await door.pipe.drain();
      const heard = await door.storedEvents();
      expect(heard).toBeGreaterThan(0.75 * sandbox.events().length);
      expect(heard).toBeLessThan(sandbox.events().length);

      // Billhook is stopped for a week: subscriptions renew, invoices are paid.
      sandbox.register([]);
      for (let day = 0; day < 7; day++) {
        behind -= DAY;
        sandbox.tick();
      }
      const events = sandbox.events().length;
      expect(events).toBeGreaterThan(2 * heard);

      const context = {
        ...{ database, stripe: access, log: silentLog, platformTenant, clock: systemClock, settleMs: 0 },
        ...{ wake: () => undefined, newLease: () => newId("node"), everySeconds: 600, pagesPerSecond: 10_000 },
      };
      const [caughtUp] = await catchUpNow(context, {});
      expect(caughtUp).toMatchObject({ events, newEvents: events - heard, missedSince: null, lastError: null });
      expect(caughtUp?.pages).toBeLessThanOrEqual(1.2 * Math.ceil(events / 100));
      await door.pipe.drain();
      const found: Drift[] = [];
      const counts = await checkDrift(context, { repair: false }, { onDifference: (one) => found.push(one) });
      expect(found.map(({ key, columns }) => [key.objectId, columns])).toEqual([]);
      expect(counts.reduce((sum, { checked }) => sum + checked, 0)).toBeGreaterThan(300);
    } finally {
      await sandbox.close();
      await door.close();
    }
  }, 120_000);
});
