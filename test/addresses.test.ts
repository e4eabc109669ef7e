// E-mail addresses over HTTP: whoever may have an account signs in with its address; what no mail can go to is refused.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { isOneAddress } from "../src/mail/queue-mail.ts";
import { nobodysPassword, registerBuyer } from "../src/tenants/buyer-registration.ts";
import { type Door, openDoor, PUBLIC_URL } from "./support/api-door.ts";
import { mailedToken, newEmail, PASSWORD, registerTenant, send, type TestTenant } from "./support/people.ts";

const AUTH = "/api/v1/auth";
const WIDE = { tries: 10_000, seconds: 60 };
const UNLIMITED = { address: WIDE, source: WIDE };

/** As RFC 5321, 6531 and 1035 have them. */
const ASCII = ["r&d@example.com", "user=tag@example.com", "o!x@example.com", "a/b@example.com", "x@example.xn--p1ai"];
const BOUGHT = [...ASCII, "jörg@example.com", "Bob.O'Brien+1@Example.com", "a@exämple.de"];

let door: Door;
let tenant: TestTenant;
beforeAll(async () => {
  const tryLimits = {
    sign_in: UNLIMITED,
    reset: UNLIMITED,
    invitation: UNLIMITED,
    registration: UNLIMITED,
    token: UNLIMITED,
  };
  door = await openDoor("server", { deps: { tryLimits } });
  tenant = await registerTenant(door);
});
afterAll(async () => door.close());

const post = (path: string, body: unknown, token?: string) => send(door, "POST", `${AUTH}${path}`, { body, token });

describe("somebody who bought as", () => {
  it.each(BOUGHT)("%s chooses a password by the mailed link, signs in, and may forget it again", async (email) => {
    const passwordHash = await nobodysPassword();
    const buyer = { email, name: null, passwordHash, cause: `cs_${email}` };
    await door.pipe.database.transaction((tx) => registerBuyer(tx, { frontendUrl: PUBLIC_URL }, buyer));
    const reset = await post("/password/reset/", { token: await mailedToken(door, email), password: PASSWORD });
    expect(reset.status).toBe(200);
    const typed = ` ${email.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())} `;
    const signedIn = await post("/login/", { email: typed, password: PASSWORD });
    expect([signedIn.status, signedIn.json.user]).toEqual([200, expect.objectContaining({ email })]);
    const before = await mailedToken(door, email);
    expect((await post("/password/forgot/", { email })).status).toBe(200);
    expect(await mailedToken(door, email)).not.toBe(before);
  });
});

it("whatever a mail can go to, signing in, a forgotten password and the filters of lists take", async () => {
  const letter = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(..."a b X Y 0 9 . ! # $ % & ' * + / = ? ^ _ ` { | } ~ -".split(" ")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
  );
  const part = (longest: number) =>
    fc
      .array(
        letter.filter((one) => isOneAddress(`${one}@a`)),
        { minLength: 1, maxLength: longest, size: "max" },
      )
      .map((letters) => letters.join(""));
  const address = fc.tuple(part(64), part(253)).map((parts) => parts.join("@"));
  await fc.assert(
    fc.asyncProperty(address.filter(isOneAddress), async (email) => {
      const found = encodeURIComponent(email);
      const answers = await Promise.all([
        post("/login/", { email, password: "Nobodys-Password-1" }),
        post("/password/forgot/", { email }),
        send(door, "GET", `/accounts/invoices/?customer_email=${found}`, { token: tenant.access }),
        door.admin("GET", `accounts/?email=${found}`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([401, 200, 200, 200]);
    }),
    { numRuns: 20, examples: BOUGHT.map((email) => [email]) },
  );
});

const REGISTRATIONS: [string, (email: string) => ReturnType<typeof send>][] = [
  ["a person", (email) => post("/register/", { email, password: PASSWORD })],
  [
    "a tenant",
    (email) => post("/tenants/register/", { email, password: PASSWORD, company_name: "Co", domain: "co.example" }),
  ],
  ["an invited person", (email) => post("/tenants/members/", { email }, tenant.access)],
];

describe.each(REGISTRATIONS)("the address of %s", (name, register) => {
  const own = (local: string): string => `${local}.${name.replaceAll(" ", "-")}`;
  const label = "d".repeat(63);

  it.each([
    ["65 characters before the @", `${"a".repeat(65)}@example.com`],
    ["more than 254 characters", `${"a".repeat(64)}@${label}.${label}.${"d".repeat(61)}.com`],
    ["a label of 64 characters", `a@d${label}.com`],
    ["a dot at an end of its first half", ".a@example.com"],
    ["a dot at the other end", "a.@example.com"],
    ["two dots", "a..b@example.com"],
    ["no dot in its domain", "a@localhost"],
    ["numbers for a domain", "a@203.0.113.7"],
    ["a label that ends with a hyphen", "a@example-.com"],
    ["a space", "a b@example.com"],
    ["a lone surrogate", "a\ud800@example.com"],
    ["two @", "a@b@example.com"],
  ])("is 400 and named as the wrong field with %s", async (_, email) => {
    const answer = await register(email);
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([400, "invalid_request", "email"]);
  });

  it("may be 64 characters before the @, 254 in all, and have every character that HTML's form fields take", async () => {
    const long = `${own("a").padEnd(64, "b")}@${label}.${label}.${"d".repeat(57)}.com`;
    expect(long).toHaveLength(254);
    const all = `${own("!#$%&'*+/=?^_`{|}~-")}@example.com`;
    for (const email of [long, all, ...ASCII.map(own)])
      expect([email, (await register(email)).status]).toEqual([email, 201]);
  });
});

it("a tenant's customer may have such an address too", async () => {
  for (const email of [...ASCII, newEmail()]) {
    const { status, json } = await send(door, "POST", "/api/v1/accounts/", { token: tenant.access, body: { email } });
    expect([email, status, json.email]).toEqual([email, 201, email]);
  }
});
