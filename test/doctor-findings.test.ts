// The doctor's judgements, which are pure: settings, thresholds, and the page that lists every finding.
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { doctorReference } from "../scripts/doctor-reference.ts";
import { type Environment, readConfig } from "../src/config.ts";
import { judgeDatabase, judgeDisk } from "../src/operations/doctor-database.ts";
import { FINDINGS } from "../src/operations/doctor-findings.ts";
import { indexesOf } from "../src/operations/doctor-indexes.ts";
import { atMost, type Found, findingOf, MOST_OF_A_KIND } from "../src/operations/doctor-report.ts";
import { judgeSettings } from "../src/operations/doctor-settings.ts";

const LONG = "a_secret_of_the_tests_of_more_than_32_characters";
const PRODUCTION: Environment = {
  NODE_ENV: "production",
  STRIPE_SECRET_KEY: "sk_live_of_the_tests",
  STRIPE_WEBHOOK_SECRET: "whsec_of_the_tests",
  PUBLIC_URL: "https://billing.example.com",
  SECRET_KEY: LONG,
  OPERATOR_TOKEN: LONG,
  SMTP_URL: "smtp://127.0.0.1:25",
  MAIL_FROM: "billing@example.com",
};
const judged = (env: Environment) => judgeSettings(readConfig(env)).map(findingOf);

describe("settings", () => {
  it("of production, and of a first start without any, are no finding", () => {
    expect(judged(PRODUCTION)).toEqual([]);
    expect(judged({})).toEqual([]);
  });

  it.each<[string, Environment, string, string]>([
    ["live_outside_production", { NODE_ENV: "development" }, "NODE_ENV", "NODE_ENV=production"],
    [
      "public_url_local",
      { NODE_ENV: "development", PUBLIC_URL: "http://localhost:8000" },
      "PUBLIC_URL",
      "http://localhost:8000/stripe/webhook/",
    ],
    [
      "public_url_insecure",
      { NODE_ENV: "development", PUBLIC_URL: "http://billing.example.com" },
      "PUBLIC_URL",
      "https://",
    ],
    ["log_level_debug", { LOG_LEVEL: "debug" }, "LOG_LEVEL", "LOG_LEVEL=info"],
    ["mails_kept", { SMTP_URL: undefined, MAIL_FROM: undefined }, "SMTP_URL", "SMTP_URL and MAIL_FROM"],
    ["secret_short", { OPERATOR_TOKEN: "sixteen_or_more_" }, "OPERATOR_TOKEN", "OPERATOR_TOKEN"],
    ["secret_generated", { OPERATOR_TOKEN: undefined, DATA_DIR: "/data" }, "OPERATOR_TOKEN", "/data/operator-token"],
    ["cors_insecure", { CORS_ORIGINS: "http://app.example.com" }, "CORS_ORIGINS", "http://app.example.com"],
    [
      "webhook_hosts_allowed",
      { WEBHOOK_ALLOWED_HOSTS: "receiver.internal:8443" },
      "WEBHOOK_ALLOWED_HOSTS",
      "WEBHOOK_ALLOWED_HOSTS",
    ],
    [
      "webhook_hosts_plain",
      { WEBHOOK_ALLOWED_HOSTS: "http://receiver.internal:8080" },
      "WEBHOOK_ALLOWED_HOSTS",
      "http://",
    ],
    ["catch_up_off", { CATCH_UP_EVERY_SECONDS: "0" }, "CATCH_UP_EVERY_SECONDS", "billhook catch-up"],
    ["setting_ignored", { STRIPE_WEBHOOK_SECERT: "whsec_of_the_tests" }, "STRIPE_WEBHOOK_SECERT", "Remove it"],
  ])("%s", (code, env, subject, named) => {
    const found = judged({ ...PRODUCTION, ...env }).find((one) => one.code === code);
    expect([found?.subject, found?.mend.includes(named)]).toEqual([subject, true]);
  });

  it("unsigned_webhooks_allowed", () => {
    const env = { STRIPE_SECRET_KEY: "sk_test_of_the_tests", STRIPE_WEBHOOK_ALLOW_UNSIGNED: "true" };
    const found = judged(env).find(({ code }) => code === "unsigned_webhooks_allowed");
    expect(found?.mend).toContain("STRIPE_WEBHOOK_SECRET");
  });
});

describe("a database server", () => {
  const SOUND = {
    ...{ kind: "server" as const, version: 170_000, versionName: "17.0", fsync: "on", fullPageWrites: "on" },
    ...{ synchronousCommit: "on", autovacuum: "on", role: "billing", used: 10, most: 100, pool: 10, ahead: 0 },
  };
  it.each([
    ["server_too_old", { version: 140_009, versionName: "14.9" }, "15"],
    ["fsync_off", { fsync: "off" }, "fsync = on"],
    ["fsync_off", { fullPageWrites: "off" }, "full_page_writes = on"],
    ["synchronous_commit_off", { synchronousCommit: "off" }, "alter role billing set synchronous_commit = on"],
    ["autovacuum_off", { autovacuum: "off" }, "autovacuum = on"],
    ["connections_full", { used: 95 }, "DATABASE_POOL_SIZE"],
    ["database_clock_skewed", { ahead: -11 }, "NTP"],
  ])("%s: %j", (code, broken, named) => {
    expect(judgeDatabase(SOUND)).toEqual([]);
    const found = judgeDatabase({ ...SOUND, ...broken }).map(findingOf);
    expect(found.map((one) => [one.code, one.mend.includes(named)])).toEqual([[code, true]]);
  });

  it("whose disk runs full, and is full", async () => {
    const { blocks, bsize } = await statfs(tmpdir());
    const total = Math.max(blocks * bsize, 100e9);
    const codes = (free: number): string[] =>
      judgeDisk({ what: "the database", path: "/var/lib/postgresql", free, total }).map((found) => {
        expect(findingOf(found).cause).toContain("/var/lib/postgresql");
        return found.code;
      });
    expect([codes(total / 2), codes(4e9), codes(400e6)]).toEqual([[], ["disk_low"], ["disk_full"]]);
  });

  it("whose indexes come and go with the migrations", () => {
    const first =
      "create table a (n int);\ncreate index a_n on a (n) where t <> 'x;y';\ncreate unique index a_m on a (m);";
    const second =
      "-- create index not_this on a (n);\ndrop index a_m;\nalter index a_n rename to a_n2;\ncreate index b_n on b (n);";
    expect(indexesOf([first, second, "drop table b;"])).toEqual([
      { index: "a_n2", table: "a", statement: "create index a_n2 on a (n) where t <> 'x;y';", migration: 1 },
    ]);
  });
});

describe("a report", () => {
  it("lists so many of a kind, and says how many more there are", () => {
    const found = Array.from({ length: MOST_OF_A_KIND + 5 }, (_, n): Found => ({
      code: "index_invalid",
      subject: `i${n}`,
    }));
    const listed = atMost(found);
    expect(listed).toHaveLength(MOST_OF_A_KIND + 1);
    expect(listed.at(-1)).toMatchObject({ code: "more_found", values: { count: 5 } });
    expect(atMost(found.slice(0, 3))).toHaveLength(3);
  });

  it("speaks of one thing and of many as one does", () => {
    const values = { id: "evt_1", type: "invoice.paid", reason: "it broke", mode: "live", at: "now", since: "now" };
    const said = (code: "events_failed" | "events_not_delivered", count: number): string =>
      findingOf({ code, values: { ...values, count } }).cause;
    expect(said("events_failed", 1)).toContain("1 event was given up, the last evt_1");
    expect(said("events_failed", 2)).toContain("2 events were given up, the last evt_1");
    expect(said("events_not_delivered", 1)).toContain(
      "1 event of the last three days in live mode was not delivered and is",
    );
    for (const { title, cause, causeOfOne, mend } of Object.values(FINDINGS))
      expect(`${title} ${cause} ${causeOfOne} ${mend}`).not.toMatch(/[[\]]|\w\|\w/);
  });

  it("refuses a finding that lacks what its sentence names", () => {
    expect(() => findingOf({ code: "index_invalid" })).toThrow("lacks {index}");
  });

  it("has every finding that it may hold in docs/doctor.md", () => {
    expect(readFileSync(join(import.meta.dirname, "../docs/doctor.md"), "utf8")).toBe(doctorReference());
  });
});
