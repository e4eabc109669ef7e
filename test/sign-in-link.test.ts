// The link that a start prints: works once, for fifteen minutes, until the next start; and signs the platform's owner in.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { firstOperatorLink } from "../src/tenants/first-operator.ts";
import { endSignInLinks, signInLink } from "../src/tenants/sign-in-links.ts";
import { type Answer, type Door, openDoor, PUBLIC_URL } from "./support/api-door.ts";
import { builtDashboard } from "./support/dashboard-build.ts";
import { newEmail, PASSWORD, registerPerson, send, sessionOf } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
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
    expect(await firstOperatorLink(door.pipe.database, { ...door.pipe, frontendUrl: PUBLIC_URL })).toBeUndefined();
  });

  it("a link ends with the next one, with its time, and with a start", async () => {
    const [former, newer] = [tokenOf(await link()), tokenOf(await link())];
    expect(codeOf(await redeem(former))).toEqual(INVALID);
    await door.pipe.database.query("update sign_in_links set expires_at = now()");
    expect(codeOf(await redeem(newer))).toEqual(INVALID);
    const last = tokenOf(await link());
    await endSignInLinks(door.pipe.database);
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

const printedToken = ({ log }: Served): string | undefined => /\/sign-in\/link#token=([\w-]+)/.exec(log())?.[1];

const redeemAt = async ({ url }: Served, token: string | undefined): Promise<number> => {
  const answer = await fetch(`${url}/api/v1/auth/sign-in-link/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return answer.status;
};

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

  const startedForPeople = async (): Promise<string | undefined> => {
    const shown = await started({ LOG_FORMAT: "pretty" });
    await expect.poll(() => printedToken(shown)).toBeDefined();
    return printedToken(shown);
  };

  it("in development prints the link first, and it signs in at the served process", async () => {
    const token = await startedForPeople();
    expect(server === undefined ? 0 : await redeemAt(server, token)).toBe(200);
  });

  it.each([
    ["that logs JSON", { LOG_FORMAT: "json" }],
    ["in production without a terminal", PRODUCTION],
  ])("%s prints no link, and that of the start before it has ended when it is ready", async (_, env) => {
    // A start in production builds it where it is stale.
    await builtDashboard();
    const token = await startedForPeople();
    const silent = await started(env);
    expect(await redeemAt(silent, token)).toBe(401);
    expect(silent.log()).not.toContain("#token=");
  });
});
