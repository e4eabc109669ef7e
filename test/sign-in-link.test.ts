// The link that a start prints: works once, for fifteen minutes, until the next start. In development it signs the platform's owner
// in; in production it is there only while nobody operates the platform, and whoever opens it chooses a password.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startText } from "../src/cli/start-text.ts";
import { readConfig } from "../src/config.ts";
import { endStartLinks, firstOperatorLink } from "../src/tenants/first-operator.ts";
import { signInLink } from "../src/tenants/sign-in-links.ts";
import { type Answer, type Door, openDoor, PUBLIC_URL } from "./support/api-door.ts";
import { builtDashboard } from "./support/dashboard-build.ts";
import { mailedToken, newEmail, PASSWORD, registerPerson, send, sessionOf } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { freshDatabase } from "./support/postgres.ts";
import { type Served, serve } from "./support/serve.ts";

const INVALID = [401, "sign_in_link_invalid"];

const PRODUCTION = {
  ...{ NODE_ENV: "production", LOG_FORMAT: "pretty", PUBLIC_URL: "https://billing.example.com" },
  ...{ STRIPE_SECRET_KEY: "sk_live_1", STRIPE_API_BASE: "https://127.0.0.1:1" },
};

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(async () => door.close());

  const link = () => signInLink(door.pipe.database, PUBLIC_URL);
  const tokenOf = (url: string): string => url.split(`${PUBLIC_URL}/sign-in/link#token=`)[1] ?? "";
  const redeem = (token: string, more: object = {}): Promise<Answer> =>
    send(door, "POST", "/api/v1/auth/sign-in-link/", { body: { token, ...more } });
  const codeOf = ({ status, json }: Answer): unknown[] => [status, json.code];

  it("a link that is opened many times at once signs one in, as the only owner, who may operate and buy", async () => {
    // Who has this address by registering it is somebody else.
    const taken = await registerPerson(door, "operator@example.com");
    const token = tokenOf(await link());
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(token)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 7 }, () => 401)]);
    const [answer] = answers.filter(({ status }) => status === 200);
    if (answer === undefined) throw new Error("nobody was signed in");
    const operator = sessionOf(answer);
    expect(operator.personId).not.toBe(taken.personId);
    expect(answer.json.user).toMatchObject({ name: "Operator", email_verified: true });
    const overview = (token_: string) => send(door, "GET", "/api/v1/admin/overview/", { token: token_ });
    expect([(await overview(operator.access)).status, (await overview(taken.access)).status]).toEqual([200, 403]);
    const me = await send(door, "GET", "/api/v1/auth/me/", { token: operator.access });
    expect(me.json).toMatchObject({
      account: { credit_balance: 0 },
      tenants: [{ id: door.pipe.platformTenant, role: "owner", platform: true }],
    });
  });

  it("the next link signs the same person in, into a cookie where that is asked for", async () => {
    const [first, second] = [
      await redeem(tokenOf(await link())),
      await redeem(tokenOf(await link()), { cookie: true }),
    ];
    const idOf = ({ json }: Answer) => (json.user as { id: string }).id;
    expect(idOf(first)).toBe(idOf(second));
    expect((second.json.tokens as { refresh: unknown }).refresh).toBeNull();
    expect(second.headers.get("set-cookie")).toMatch(
      /^billhook_refresh=[^;]+; Path=\/api\/v1\/auth\/; .*HttpOnly; SameSite=Strict/,
    );
  });

  it("an owner whom a link made operates from the password on that they choose: production invites until then", async () => {
    const invitation = () => firstOperatorLink(door.pipe.database, { ...door.pipe, frontendUrl: PUBLIC_URL });
    const { email } = (await redeem(tokenOf(await link()))).json.user as { email: string };
    expect(await invitation()).toContain("/invitation#token=");
    await send(door, "POST", "/api/v1/auth/password/forgot/", { body: { email } });
    const body = { token: await mailedToken(door, email), password: PASSWORD };
    expect((await send(door, "POST", "/api/v1/auth/password/reset/", { body })).status).toBe(200);
    expect(await invitation()).toBeUndefined();
  });

  it("a link ends with the next one, with its time, and with a start", async () => {
    const [former, newer] = [tokenOf(await link()), tokenOf(await link())];
    expect(codeOf(await redeem(former))).toEqual(INVALID);
    await door.pipe.database.query("update sign_in_links set expires_at = now()");
    expect(codeOf(await redeem(newer))).toEqual(INVALID);
    const last = tokenOf(await link());
    await endStartLinks(door.pipe.database, door.pipe.platformTenant);
    expect(codeOf(await redeem(last))).toEqual(INVALID);
    expect(codeOf(await redeem("guessed"))).toEqual(INVALID);
    expect(codeOf(await redeem("x".repeat(101)))).toEqual([400, "invalid_request"]);
  });

  it("the token is nowhere to be read: the database has its hash, and its use is in the audit log", async () => {
    const url = await link();
    const { rows } = await door.pipe.database.query<{ stored: string }>(
      "select to_jsonb(one)::text as stored from sign_in_links as one",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.stored).not.toContain(tokenOf(url));
    const { access, personId } = sessionOf(await redeem(tokenOf(url)));
    const { json } = await send(door, "GET", "/api/v1/auth/tenants/audit-log/?limit=1", { token: access });
    expect(json.data).toMatchObject([{ action: "sign_in.succeeded", target: personId, after: { by: "sign_in_link" } }]);
  });
});

it("guesses are limited", async () => {
  const limit = { tries: 3, seconds: 60 };
  const door = await openDoor("server", { deps: { tryLimits: { token: { address: limit, source: limit } } } });
  try {
    const statuses: number[] = [];
    for (const token of ["a", "b", "c", "d"])
      statuses.push((await send(door, "POST", "/api/v1/auth/sign-in-link/", { body: { token } })).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  } finally {
    await door.close();
  }
});

it("the invitation ends after fifteen minutes, with the next one and with a start; one of a person's stays for its days", async () => {
  const door = await openDoor("server");
  try {
    const { database, platformTenant } = door.pipe;
    const invite = async (): Promise<string | undefined> =>
      (await firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL }))?.split("#token=")[1];
    const accept = (token: string | undefined): Promise<Answer> =>
      send(door, "POST", "/api/v1/auth/tenants/members/accept/", {
        body: { token, email: newEmail(), password: PASSWORD },
      });
    const ended = async (token: string | undefined): Promise<void> => {
      const { status, json } = await accept(token);
      expect([status, json.code]).toEqual([400, "one_time_token_invalid"]);
    };
    const waiting = async (of: string): Promise<unknown[]> => {
      const text = `select extract(epoch from expires_at - created_at)::int / 60 as minutes from invitations
        where revoked_at is null and accepted_at is null and ${of}`;
      return (await database.query<{ minutes: number }>(text)).rows.map(({ minutes }) => minutes);
    };
    const former = await invite();
    const last = await invite();
    await ended(former);
    expect(await waiting("email is null")).toEqual([15]);
    await endStartLinks(database, platformTenant);
    await ended(last);
    const late = await invite();
    await database.query("update invitations set expires_at = now() where revoked_at is null");
    await ended(late);
    const owner = sessionOf(await accept(await invite()));
    const body = { email: newEmail(), role: "admin" };
    const headers = { "billhook-tenant": platformTenant };
    await send(door, "POST", "/api/v1/auth/tenants/members/", { body, token: owner.access, headers });
    await endStartLinks(database, platformTenant);
    expect(await waiting("email is not null")).toEqual([7 * 24 * 60]);
    expect(await invite()).toBeUndefined();
  } finally {
    await door.close();
  }
});

it("an owner with a password operates the platform, whatever address they chose", async () => {
  const door = await openDoor("server");
  try {
    const { database, platformTenant } = door.pipe;
    const invite = () => firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
    const token = (await invite())?.split("#token=")[1];
    // The address that a link's own owner would have.
    const body = { token, email: "operator@example.com", password: PASSWORD };
    expect((await send(door, "POST", "/api/v1/auth/tenants/members/accept/", { body })).status).toBe(200);
    expect(await invite()).toBeUndefined();
  } finally {
    await door.close();
  }
});

it("a terminal in production shows the invitation, and how long it works", () => {
  const url = "https://billing.example.com/invitation#token=first";
  const more = { OPERATOR_TOKEN: "o".repeat(32), SECRET_KEY: "k".repeat(32), STRIPE_WEBHOOK_SECRET: "whsec_terminal" };
  const text = startText({
    config: readConfig({ ...PRODUCTION, ...more }),
    ...{ version: "1", databaseVersion: "15", address: "http://127.0.0.1:8000", migrations: [], sandbox: undefined },
    operatorLink: { kind: "invitation", url },
  });
  expect(text).toMatch(/once, within 15 minutes .*\n\n {2}https:\/\/billing\.example\.com\/invitation#token=first\n/);
});

it("an owner who came by another way is who the link signs in", async () => {
  const door = await openDoor("server");
  try {
    const invitation = await firstOperatorLink(door.pipe.database, { ...door.pipe, frontendUrl: PUBLIC_URL });
    const body = { token: invitation?.split("#token=")[1], email: newEmail(), password: PASSWORD };
    const owner = sessionOf(await send(door, "POST", "/api/v1/auth/tenants/members/accept/", { body }));
    const token = (await signInLink(door.pipe.database, PUBLIC_URL)).split("#token=")[1];
    const answer = await send(door, "POST", "/api/v1/auth/sign-in-link/", { body: { token } });
    expect(sessionOf(answer).personId).toBe(owner.personId);
  } finally {
    await door.close();
  }
});

/** The link comes a moment after the server is ready. */
const POLLED = { timeout: 20_000 };

const printedToken = ({ log }: Served): string | undefined => /\/sign-in\/link#token=([\w-]+)/.exec(log())?.[1];

const invitationIn = ({ log }: Served): string[] =>
  [...log().matchAll(/\/invitation#token=([\w-]+)/g)].map(([, token = ""]) => token);

const postAt = async ({ url }: Served, path: string, body: object): Promise<number> => {
  const answer = await fetch(`${url}/api/v1/auth/${path}/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.status;
};

const redeemAt = (server: Served, token: string | undefined): Promise<number> =>
  postAt(server, "sign-in-link", { token });

describe("a start", () => {
  let folder: string;
  let server: Served | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "billhook-link-"));
  });
  afterEach(async () => {
    await server?.end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const started = async (env: Record<string, string>): Promise<Served> => {
    await server?.end("SIGKILL");
    server = await serve({ DATA_DIR: folder, ...env });
    await server.ready();
    return server;
  };

  const startedForPeople = async (env = {}): Promise<string | undefined> => {
    const shown = await started({ LOG_FORMAT: "pretty", ...env });
    await expect.poll(() => printedToken(shown), POLLED).toBeDefined();
    return printedToken(shown);
  };

  it("in development prints the link first, and it signs in at the served process", async () => {
    const token = await startedForPeople();
    expect(server === undefined ? 0 : await redeemAt(server, token)).toBe(200);
  });

  it("that logs JSON prints no link, and that of the start before it has ended when it is ready", async () => {
    const token = await startedForPeople();
    const silent = await started({ LOG_FORMAT: "json" });
    expect(await redeemAt(silent, token)).toBe(401);
    // It has told what it has to tell.
    expect(await silent.end("SIGTERM")).toBe(0);
    expect(silent.log()).not.toContain("#token=");
  });

  it("in production logs one link, as text and as JSON, until its owner has a password and comes back by it", async () => {
    // A start in production builds it where it is stale.
    await builtDashboard();
    const at = { DATABASE_URL: await freshDatabase() };
    const ofDevelopment = await startedForPeople(at);
    const [email, password] = [newEmail(), PASSWORD];
    const accept = (server: Served, token = "none") =>
      postAt(server, "tenants/members/accept", { token, email, password, cookie: true });

    const text = await started({ ...PRODUCTION, ...at });
    await expect.poll(() => invitationIn(text), POLLED).toHaveLength(1);
    expect(await redeemAt(text, ofDevelopment)).toBe(401);
    const [former] = invitationIn(text);

    const json = await started({ ...PRODUCTION, ...at, LOG_FORMAT: "json" });
    await expect.poll(() => invitationIn(json), POLLED).toHaveLength(1);
    const line = /^\{.*#token=.*\}$/m.exec(json.log())?.[0] ?? "";
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      msg: expect.stringContaining("https://billing.example.com/invitation#token="),
    });
    expect(await accept(json, former)).toBe(400);
    const [token] = invitationIn(json);
    expect([await accept(json, token), await accept(json, token)]).toEqual([200, 400]);

    const operated = await started({ ...PRODUCTION, ...at });
    expect(await postAt(operated, "login", { email, password })).toBe(200);
    // It has told what it has to tell.
    expect(await operated.end("SIGTERM")).toBe(0);
    expect(operated.log()).not.toContain("#token=");
  }, 120_000);
});
