// The control endpoints in a browser's hands: the dashboard's pages may call them, and no other page.
import { afterAll, beforeAll, expect, it } from "vitest";

import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

const OURS = "http://localhost:8000";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
  sandbox.letControl([OURS]);
});
afterAll(() => sandbox.close());

it("a page of an origin that was let in turns a knob and reads the answer", async () => {
  const answer = await sandbox.call("POST", "/_sandbox/chaos", "duplicate=1", { origin: OURS });
  expect(answer.status).toBe(200);
  expect(answer.headers["access-control-allow-origin"]).toBe(OURS);
  expect(answer.headers.vary).toBe("origin");
  expect(answer.json).toMatchObject({ duplicate: 1 });
});

it("it reads what was wrong, too", async () => {
  const answer = await sandbox.call("POST", "/_sandbox/trigger", "type=no.such", { origin: OURS });
  expect(answer.status).toBe(400);
  expect(answer.headers["access-control-allow-origin"]).toBe(OURS);
});

it.each(["http://localhost:8001", "https://localhost:8000", "http://evil.example", "null", "http://localhost"])(
  "a page of %s turns nothing, and reads nothing",
  async (origin) => {
    await sandbox.call("POST", "/_sandbox/chaos", "drop=0");
    const answer = await sandbox.call("POST", "/_sandbox/chaos", "drop=1", { origin });
    expect(answer.status).toBe(403);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect((await sandbox.call("GET", "/_sandbox/chaos")).json).toMatchObject({ drop: 0 });
  },
);

it("a page that was let in is still refused through a proxy, and by another name of this machine", async () => {
  for (const headers of [{ "x-forwarded-for": "10.0.0.7" }, { host: "sandbox.internal:12111" }]) {
    expect((await sandbox.call("GET", "/_sandbox/status", "", { origin: OURS, ...headers })).status).toBe(403);
  }
});

it("an open checkout is paid once, and a card that is declined leaves it open", async () => {
  const { stripe } = sandbox;
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    success_url: "https://shop.example/done",
    line_items: [{ price_data: { currency: "usd", unit_amount: 900, product_data: { name: "Thing" } }, quantity: 1 }],
  });
  const path = `/_sandbox/checkout/${session.id}/pay`;
  const declined = await sandbox.call("POST", path, "payment_method=pm_card_chargeDeclined", { origin: OURS });
  expect(declined.status).toBe(402);
  expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("open");
  expect((await sandbox.call("POST", path, "", { origin: OURS })).json).toMatchObject({ status: "complete" });
  expect((await stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe("paid");
  expect((await sandbox.call("POST", path, "", { origin: OURS })).status).toBe(400);
  expect((await sandbox.call("POST", "/_sandbox/checkout/cs_none/pay")).status).toBe(404);
});

it("what is posted to its receiver is shown, the newest first and each event once; what is no event is refused", async () => {
  const path = "/_sandbox/received";
  const json = { "content-type": "application/json" };
  const told = (id: string) => ({ id, type: "invoice.paid", created: 1_700_000_000, tenant: { id: "ten_1" } });
  for (const id of ["msg_1", "msg_2", "msg_1"])
    expect((await sandbox.call("POST", path, JSON.stringify(told(id)), json)).status).toBe(200);
  const { data } = (await sandbox.call("GET", path, "", { origin: OURS })).json;
  expect(data).toEqual(["msg_1", "msg_2"].map((id) => ({ ...told(id), tenant: "ten_1" })));
  expect((await sandbox.call("POST", path, "{}", json)).status).toBe(400);
  expect((await sandbox.call("POST", path, "", { origin: "http://evil.example" })).status).toBe(403);
});
