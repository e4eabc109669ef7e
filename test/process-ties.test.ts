// Ties that no snapshot decides: settled whatever the objects call themselves, and flagged where only the types differ.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { connectAccount } from "../src/connections/connection-table.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { BEGIN, event } from "./support/stripe-fixtures.ts";

describe.each(BOTH)("ties, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  async function one(text: string, ...values: unknown[]): Promise<unknown> {
    return (await pipe.database.query({ text, values })).rows[0];
  }

  it.each([
    ["a NUL", "\u0000"],
    ["a name that no index takes", "x".repeat(6000)],
  ])("a tie with an object whose own name is %s is settled as any other, whichever came first", async (_, name) => {
    const ids = [0, 1].map((at) => {
      const twins = [0, 1].map((turn) => ({ object: turn === at ? "plan" : name, amount: turn + 1 }));
      const id = `plan_${newId("node")}`;
      return { id, twins };
    });
    for (const { id, twins } of ids)
      for (const [turn, twin] of twins.entries()) {
        const said = { ...event("plan.updated", { id, ...twin }, { id: `evt_${id}_${turn}`, created: BEGIN }) };
        await pipe.arrive([{ event: said }]);
        await pipe.drain();
      }
    for (const { id } of ids)
      expect(await one("select order_ambiguous, amount from stripe_plans where id = $1", id)).toEqual({
        ...{ order_ambiguous: true, amount: 2 },
      });
    expect(await one("select count(*) as count from stripe_event_queue")).toEqual({ count: 0 });
  });

  it("an account that lets the application in and out in one second is flagged", async () => {
    const application = { id: `ca_${kind}`, object: "application", name: "Ours" };
    const account = `acct_app_${kind}`;
    const said = (type: string, at: number) => {
      const options = { id: `evt_app_${at}`, created: BEGIN, account };
      return { event: { ...event(`account.application.${type}`, application, options) } };
    };
    await pipe.database.query("insert into tenants (id) values ('ten_app')");
    await connectAccount(pipe.database, "ten_app", { livemode: false, account });
    await pipe.arrive([said("authorized", 1), said("deauthorized", 2)]);
    await pipe.drain();
    const row = "select authorized, order_ambiguous from account_authorizations where account_id = $1";
    expect(await one(row, account)).toEqual({ authorized: false, order_ambiguous: true });
  });
});
