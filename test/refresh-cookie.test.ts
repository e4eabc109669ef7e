// The refresh token in a browser's cookie: it goes when it is worth nothing any more, and by nothing else.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Answer, Door } from "./support/api-door.ts";
import { openDoor } from "./support/api-door.ts";
import { newEmail, PASSWORD, send } from "./support/people.ts";

const AUTH = "/api/v1/auth";

let door: Door;
beforeAll(async () => {
  door = await openDoor("server");
});
afterAll(async () => door.close());

const refresh = (cookie: string, more: Record<string, string> = {}): Promise<Answer> =>
  send(door, "POST", `${AUTH}/refresh/`, { headers: { cookie, ...more } });

async function signedIn(): Promise<string> {
  const body = { email: newEmail(), password: PASSWORD, cookie: true };
  return cookieOf(await send(door, "POST", `${AUTH}/register/`, { body }));
}

const cookieOf = ({ headers }: Answer): string => headers.getSetCookie()[0]?.split(";")[0] ?? "";
const emptied = expect.stringMatching(/^billhook_refresh=; .*Max-Age=0/) as string;
const filled = expect.stringMatching(/^billhook_refresh=[^;]+; .*Max-Age=2592000/) as string;

/** The database fails this once, as pools and servers that are restarted do. */
async function whileBroken<T>(code: string, work: () => Promise<T>): Promise<T> {
  const { people } = door.deps;
  const real = people.database;
  people.database = {
    ...real,
    transaction: async () => {
      throw Object.assign(new Error("the connection broke"), { code });
    },
  };
  try {
    return await work();
  } finally {
    people.database = real;
  }
}

describe("a browser's cookie", () => {
  it("is replaced by each refresh, in one Set-Cookie", async () => {
    const first = await refresh(await signedIn());
    expect([first.status, first.headers.getSetCookie()]).toEqual([200, [filled]]);
    const second = await refresh(cookieOf(first));
    expect([second.status, second.headers.getSetCookie()]).toEqual([200, [filled]]);
  });

  it.each(["ECONNRESET", "57P01", "53300"])(
    "stays when the database fails with %s, and works afterwards",
    async (code) => {
      const cookie = await signedIn();
      const failed = await whileBroken(code, () => refresh(cookie));
      expect([failed.status, failed.headers.getSetCookie()]).toEqual([503, []]);
      expect((await refresh(cookie)).status).toBe(200);
    },
  );

  it("stays when another site's page sends it", async () => {
    const cookie = await signedIn();
    const refused = await refresh(cookie, { origin: "https://evil.example" });
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []]);
    expect((await refresh(cookie)).status).toBe(200);
  });

  it("goes, in one Set-Cookie, when its token was used before or never was one", async () => {
    const cookie = await signedIn();
    await refresh(cookie);
    for (const dead of [cookie, "billhook_refresh=nonsense"]) {
      const refused = await refresh(dead);
      expect([refused.status, refused.json.code]).toEqual([401, "refresh_token_invalid"]);
      expect(refused.headers.getSetCookie()).toEqual([emptied]);
    }
  });

  it("stays when the token that is worth nothing came in the body", async () => {
    const cookie = await signedIn();
    const refused = await send(door, "POST", `${AUTH}/refresh/`, {
      body: { refresh: "nonsense" },
      headers: { cookie },
    });
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([401, []]);
    expect((await refresh(cookie)).status).toBe(200);
  });

  it("goes with a sign-out, in one Set-Cookie", async () => {
    const out = await send(door, "POST", `${AUTH}/logout/`, { headers: { cookie: await signedIn() } });
    expect([out.status, out.headers.getSetCookie()]).toEqual([200, [emptied]]);
  });
});
