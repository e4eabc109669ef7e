// What a log line may carry.
import { describe, expect, it } from "vitest";

import { describeError, scrub, writtenFields } from "./log.ts";
import type { LogFields } from "./log.ts";

describe("fields of a log line", () => {
  it("what is not listed is not written, whatever it is", () => {
    const fields = {
      stripe_event: "evt_1",
      email: "a@example.com",
      body: "{}",
      data: { object: {} },
      toString: "x",
      __proto__: { ip: "x" },
    };
    expect(writtenFields(fields as LogFields)).toEqual({ stripe_event: "evt_1" });
  });

  it("an object cannot be put in the place of an id, nor a text in that of a number", () => {
    const fields = { object_id: { email: "a@example.com" }, attempt: "a@example.com", livemode: "no", lag_ms: 3 };
    expect(JSON.stringify(writtenFields(fields as unknown as LogFields))).toBe(
      '{"object_id":"[wrong type]","attempt":"[wrong type]","livemode":"[wrong type]","lag_ms":3}',
    );
  });

  it("ids are cut, texts are scrubbed, undefined is left out and null kept", () => {
    const written = writtenFields({
      object_id: "x".repeat(999),
      reason: "mail to a@example.com",
      tenant: null,
      source: undefined,
    });
    expect(written).toEqual({ object_id: "x".repeat(255), reason: "mail to [email]", tenant: null });
  });
});

describe("scrub", () => {
  it.each([
    ["no customer jane.doe+x@mail.example.co.uk here", "no customer [email] here"],
    ["postgres://billhook:pa55@db:5432/billhook refused", "postgres://[secret]@db:5432/billhook refused"],
    ["Authorization: Bearer abc.def", "Authorization: Bearer [secret]"],
    ["key sk_live_abc123, acme_sk_test_abc, whsec_a+b/c=", "key [secret], acme_[secret], [secret]"],
    ["pi_3Nabc_secret_XYZ", "pi_3Nabc_secret_[secret]"],
    ["card 4242 4242 4242 4242 declined", "card [number] declined"],
    ["evt_1NG8Du2eZvKYlo2CUI79vXWy at 1700000000", "evt_1NG8Du2eZvKYlo2CUI79vXWy at 1700000000"],
  ])("%j becomes %j", (text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it("is quick on hostile text, and cuts it", () => {
    for (const unit of ["a@", "sk_", "1 ", "://", "Bearer ", "a.@"]) {
      const started = performance.now();
      expect(scrub(unit.repeat(200_000)).length).toBeLessThanOrEqual(501);
      expect(performance.now() - started).toBeLessThan(200);
    }
  });
});

describe("describeError", () => {
  it("tells name, code, place and causes, but not a database error's values", () => {
    const error = Object.assign(
      new Error('invalid input syntax for type integer: "Jane "Doe""', { cause: new Error("inner") }),
      {
        name: "DatabaseError",
        code: "22P02",
        detail: "Key (email)=(a@example.com) already exists.",
        query: "select secret",
        parameters: ["SENTINEL"],
      },
    );
    const told = describeError(error);
    expect(told).toMatchObject({
      type: "DatabaseError",
      code: "22P02",
      message: 'invalid input syntax for type integer: "…"',
      cause: { message: "inner" },
    });
    expect(told.stack).toContain("log.test.ts");
    expect(JSON.stringify(told)).not.toMatch(/SENTINEL|Jane|example\.com|select/);
  });

  it("a JSON error does not quote the body", () => {
    const quoted = (() => {
      try {
        return JSON.parse('{"name":"Jane Doe", oops}') as unknown;
      } catch (error) {
        return error;
      }
    })();
    expect(JSON.stringify(describeError(quoted))).not.toContain("Jane");
  });

  it("takes anything that was thrown, a failed connect, and causes that go round in a circle", () => {
    expect(describeError("plain a@example.com")).toEqual({ type: "string", message: "plain [email]" });
    expect(describeError(undefined).type).toBe("undefined");
    expect(describeError({ password: "x" }).message).not.toContain("x:");
    const connect = new AggregateError([
      new Error("connect ECONNREFUSED ::1"),
      new Error("connect ECONNREFUSED 127.0.0.1"),
    ]);
    expect(describeError(connect).message).toBe("connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1");
    const circle = new Error("circle");
    circle.cause = circle;
    expect(JSON.stringify(describeError(circle)).length).toBeLessThan(20_000);
  });
});
