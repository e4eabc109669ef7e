import fc from "fast-check";
import { expect, it } from "vitest";

import { Secret } from "../base/secret.ts";
import { redacted, REDACTED } from "./redact.ts";

it("a secret is known by its name, in any writing and at any depth", () => {
  const names = ["password", "newPassword", "password_hash", "client-secret", "ACCESS_TOKEN", "refresh", "api_keys"];
  for (const name of names)
    expect(redacted({ list: [{ [name]: { inside: "x" } }], kept: 1 })).toEqual({
      list: [{ [name]: REDACTED }],
      kept: 1,
    });
});

it("a secret is known by its shape, under any name", () => {
  const shapes = [
    "sk_live_abcdefgh1234",
    "acme_sk_test_abcdefgh1234",
    "whsec_abcdefgh1234",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2ln",
    "pi_1_secret_abcdefgh12",
    "Bearer abcdefgh1234",
    "postgres://u:p@host/db",
    "$argon2id$v=19$m=1",
  ];
  for (const shape of shapes) expect(redacted({ note: shape })).toEqual({ note: REDACTED });
});

it("what is no secret stays: masks, ids, roles, whether something is set", () => {
  const value = {
    role: "admin",
    key_type: "live",
    masked: "sk_live_****...3456",
    id: "key_01jd",
    company_name: "Acme",
    has_password: true,
    password: null,
    last4: "3456",
    tokens: false,
  };
  expect(redacted(value)).toEqual(value);
  expect(redacted({ at: new Date(0), gone: undefined, own: new Secret("x") })).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    own: REDACTED,
  });
});

it("no text under a secret's name survives, whatever stands around it", () => {
  const secret = "this is the secret itself";
  fc.assert(
    fc.property(
      fc.object({ maxDepth: 4, values: [fc.string(), fc.integer(), fc.constant(null)] }),
      fc.constantFrom("password", "webhook_secret", "token", "privateKey"),
      (around, name) => {
        expect(JSON.stringify(redacted({ around, list: [{ ...around, [name]: secret }] }))).not.toContain(secret);
      },
    ),
  );
});
