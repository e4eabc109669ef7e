// A tenant is told when what its connected account may do changes, once for each change, and what it was before.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { connectAccount } from "../src/connections/connection-table.ts";
import { newEndpoint, newTenant, openTarget, startWorker, until } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newAccount } from "./support/stripe-fixtures-connect.ts";

const RESTRICTED = { charges_enabled: false, requirements: { disabled_reason: "requirements.past_due" } };

describe.each(BOTH)("an account's standing, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it("is told as connected_account.status_changed, once for each change", async () => {
    const { database } = pipe;
    const account = `acct_standing_${kind}`;
    const tenantId = await newTenant(database);
    const target = await openTarget();
    await newEndpoint(database, tenantId, target.url, { enabledEvents: ["connected_account.status_changed"] });
    await connectAccount(database, tenantId, { livemode: false, account });
    const worker = startWorker(database);
    const arrives = async (number: number, overrides: Record<string, unknown>): Promise<void> => {
      const options = { id: `evt_${account}_${number}`, created: BEGIN + number, account, apiVersion: NEW_API };
      const arrival = { event: { ...event("account.updated", newAccount({ id: account, ...overrides }), options) } };
      for (const _ of ["first", "duplicate"]) await pipe.arrive([arrival]);
      await pipe.drain();
      worker.wake();
    };
    await arrives(1, {});
    await until(() => target.got.length === 1);
    await arrives(2, { business_profile: { name: "Another name", url: null } });
    await arrives(3, RESTRICTED);
    await until(() => target.got.length === 2);
    await worker.stop();
    await target.close();
    const told = target.got.map(({ body }) => JSON.parse(body) as { type: string; data: { object: object } });
    expect(told).toMatchObject([
      {
        type: "connected_account.status_changed",
        data: { object: { id: account, object: "connection", previous_status: "pending", status: "active" } },
      },
      {
        type: "connected_account.status_changed",
        data: { object: { id: account, previous_status: "active", status: "restricted" } },
      },
    ]);
  });
});
