// `billhook/client`: types, tokens, errors, and calls that are sent again.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { billhook, type BillhookClient, BillhookError, type ClientOptions, signedIn } from "../kit/client/client.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { newEmail, PASSWORD, registerPerson, registerTenant, type TestTenant } from "./support/people.ts";

let door: Door;
let tenant: TestTenant;
/** "POST /api/v1/…": what went over the wire, and the header that makes it safe to repeat. */
let sent: { call: string; key: string | null; authorization: string | null }[];
/** What befalls the next calls, in turn. */
let fates: ("lost before" | "lost after" | Response)[];

beforeAll(async () => {
  door = await openDoor("embedded");
  tenant = await registerTenant(door);
});
afterAll(() => door.close());
beforeEach(() => {
  [sent, fates] = [[], []];
});

const client = (options: Partial<ClientOptions> = {}): BillhookClient =>
  billhook({
    baseUrl: `${door.url}/`,
    token: tenant.keys.test_secret,
    fetch: async (request) => {
      const { method, url, headers } = request;
      sent.push({
        call: `${method} ${new URL(url).pathname}`,
        key: headers.get("idempotency-key"),
        authorization: headers.get("authorization"),
      });
      const fate = fates.shift();
      if (fate instanceof Response) return fate;
      if (fate === "lost before") throw new TypeError("fetch failed");
      const response = await fetch(request);
      if (fate === "lost after") throw new TypeError("fetch failed");
      return response;
    },
    ...options,
  });

const refusal = (call: Promise<unknown>): Promise<BillhookError> =>
  call.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: unknown) => (error instanceof BillhookError ? error : Promise.reject(error as Error)),
  );

/** An account with credits; its id. */
async function account(credits: number): Promise<string> {
  const { id } = await client().post("/api/v1/accounts/", { body: { name: "Ada" } });
  if (credits > 0) await grant(id, credits);
  sent = [];
  return id;
}
const grant = (id: string, amount: number) =>
  client().post("/api/v1/accounts/{id}/credits/grant/", { params: { path: { id } }, body: { amount, reason: "test" } });
const spend = (id: string, amount: number, using = client()) =>
  using.post("/api/v1/accounts/{id}/credits/spend/", { params: { path: { id } }, body: { amount, reason: "test" } });
const balance = async (id: string): Promise<number> =>
  (await client().get("/api/v1/accounts/{id}/", { params: { path: { id } } })).credit_balance;

describe("a call", () => {
  it("goes to the route's path with its parameters, and its answer is what the route answers", async () => {
    const id = await account(5);
    const { data } = await client().get("/api/v1/accounts/", { params: { query: { limit: 1 } } });
    expect(data.map((row) => row.id)).toEqual([id]);
    expect(await balance(id)).toBe(5);
  });

  it("that is refused throws code, status, sentence, field and request id", async () => {
    const id = await account(5);
    const error = await refusal(spend(id, 6));
    expect(error).toMatchObject({ code: "insufficient_credits", status: 402, title: expect.any(String) });
    expect(error.requestId).toMatch(/^req_/);
    const wrong = await refusal(spend(id, -1));
    expect(wrong).toMatchObject({ code: "invalid_request", status: 400, param: "amount" });
    expect(sent).toHaveLength(2);
  });

  it("that nobody answers, or something else than Billhook, says so", async () => {
    const nobody = client({ baseUrl: "http://127.0.0.1:9", retries: 0 });
    expect(await refusal(nobody.get("/healthz"))).toMatchObject({ code: "unreachable", status: 0 });
    fates = [new Response("<h1>Bad gateway</h1>", { status: 500 })];
    expect(await refusal(client().get("/healthz"))).toMatchObject({ code: "not_billhook", status: 500 });
  });
});

describe("a call that moves credits", () => {
  it("whose answer was lost is sent again under the same key, and is done once", async () => {
    const id = await account(10);
    fates = ["lost after", "lost before"];
    expect(await spend(id, 4)).toMatchObject({ amount: -4 });
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
    expect(sent[0]?.key).toMatch(/^[\w-]{36}$/);
    expect(await balance(id)).toBe(6);
  });

  it("has another key each time, unless the caller names one", async () => {
    const id = await account(10);
    await spend(id, 1);
    await spend(id, 1);
    const header = { "idempotency-key": "order-17" };
    const again = () =>
      client().post("/api/v1/accounts/{id}/credits/spend/", {
        params: { path: { id }, header },
        body: { amount: 1, reason: "order" },
      });
    expect(await again()).toEqual(await again());
    const keys = sent.map(({ key }) => key);
    expect(new Set(keys.slice(0, 2)).size).toBe(2);
    expect(keys.slice(2)).toEqual(["order-17", "order-17"]);
    expect(await balance(id)).toBe(7);
  });

  it("waits as the server asks before it is sent again, and not for minutes", async () => {
    const id = await account(1);
    const busy = (seconds: string) =>
      Response.json({ code: "overloaded", message: "Wait." }, { status: 503, headers: { "retry-after": seconds } });
    fates = [busy("1")];
    const started = performance.now();
    await spend(id, 1);
    expect(performance.now() - started).toBeGreaterThan(990);
    fates = [busy("600")];
    expect(await refusal(spend(id, 1))).toMatchObject({ code: "overloaded", retryAfter: 600 });
  });
});

it("a call without a key of its own is never sent twice", async () => {
  fates = ["lost after"];
  const body = { email: "ada@people.example", password: "Correct-Horse-9-Battery" };
  expect(await refusal(client({ token: undefined }).post("/api/v1/auth/login/", { body }))).toMatchObject({
    status: 0,
  });
  expect(sent).toEqual([{ call: "POST /api/v1/auth/login/", key: null, authorization: null }]);
});

describe("a token", () => {
  it("is asked for once by all calls that wait for it", async () => {
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return tenant.keys.test_secret;
    };
    const using = client({ token });
    await Promise.all(Array.from({ length: 5 }, () => using.get("/api/v1/accounts/")));
    expect(asked).toBe(1);
  });

  it("that is refused is renewed once, and the calls are repeated with the new one", async () => {
    const tokens = ["sk_test_gone", tenant.keys.test_secret];
    let asked = 0;
    const using = client({ token: () => tokens[asked++] });
    await Promise.all(Array.from({ length: 4 }, () => using.get("/api/v1/accounts/")));
    expect(asked).toBe(2);
    expect(sent.length).toBeLessThanOrEqual(8);
  });

  it("that stays refused is not asked for for ever", async () => {
    let asked = 0;
    const token = (): string => `sk_test_wrong${String((asked += 1))}`;
    expect(await refusal(client({ token }).get("/api/v1/accounts/"))).toMatchObject({ code: "unauthorized" });
    expect(asked).toBe(2);
  });

  it("is renewed shortly before its end", async () => {
    const ends = [10_000, 900_000].map((ms) => new Date(Date.now() + ms).toISOString());
    let asked = 0;
    const token = () => ({ token: tenant.keys.test_secret, expires_at: ends[asked++] });
    const using = client({ token });
    for (let calls = 0; calls < 3; calls++) await using.get("/api/v1/accounts/");
    expect(asked).toBe(2);
  });

  it("of a person who has signed in goes on by the refresh token, each of which is used once", async () => {
    const { access, refresh, personId } = await registerPerson(door);
    const kept: (string | null | undefined)[] = [];
    const forged = `${access.slice(0, -8)}AAAAAAAA`;
    const changed = (tokens?: { refresh?: string | null | undefined }) => kept.push(tokens?.refresh);
    const using = client({ token: signedIn({ baseUrl: door.url, tokens: { access: forged, refresh }, changed }) });
    const people = await Promise.all(Array.from({ length: 4 }, () => using.get("/api/v1/auth/me/")));
    expect(people.map((me) => me.id)).toEqual(Array.from({ length: 4 }, () => personId));
    expect(kept).toEqual([expect.any(String)]);
    expect(kept[0]).not.toBe(refresh);
    const ended = client({ token: signedIn({ baseUrl: door.url, tokens: { access: forged, refresh }, changed }) });
    expect(await refusal(ended.get("/api/v1/auth/me/"))).toMatchObject({ status: 401 });
    expect(kept[1]).toBe(undefined);
  });

  it("of a person whose refresh token is in the cookie goes on by it, again and again", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const browser = cookieBrowser();
    const body = JSON.stringify({ email, password: PASSWORD, cookie: true });
    const login = await browser.fetch(`${door.url}/api/v1/auth/login/`, { method: "POST", body, headers: JSON_BODY });
    const { tokens } = (await login.json()) as { tokens: { access: string; refresh: null } };
    expect(tokens.refresh).toBe(null);
    const kept: unknown[] = [];
    const source = signedIn({
      ...{ baseUrl: door.url, fetch: browser.fetch, tokens },
      changed: (fresh) => kept.push(fresh),
    });
    if (typeof source === "string") throw new Error("a person's token is asked for");
    await source();
    for (let times = 0; times < 2; times++) expect(await source()).toMatchObject({ token: expect.any(String) });
    expect(browser.bodies.slice(1)).toEqual(["{}", "{}"]);
    expect(kept).toEqual([1, 2].map(() => ({ access: expect.any(String), refresh: null })));
  });
});

const JSON_BODY = { "content-type": "application/json" };

/** As a browser does it: each answer's cookie goes with the next call. */
function cookieBrowser(): { fetch: typeof globalThis.fetch; bodies: unknown[] } {
  const bodies: unknown[] = [];
  let cookie = "";
  const send: typeof globalThis.fetch = async (url, init) => {
    bodies.push(init?.body);
    const response = await fetch(url, { ...init, headers: { ...JSON_BODY, cookie } });
    cookie = response.headers.getSetCookie().at(-1)?.split(";")[0] ?? cookie;
    return response;
  };
  return { fetch: send, bodies };
}
