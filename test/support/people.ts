// People and tenants for tests: registered through the door, their mails read from the database.
import type { Answer, Door, Wire } from "./api-door.ts";

export const PASSWORD = "Correct-Horse-9-Battery";

export interface Session {
  personId: string;
  access: string;
  refresh: string;
}

export interface TestTenant extends Session {
  id: string;
  email: string;
  keys: Record<"live_public" | "live_secret" | "test_public" | "test_secret", string>;
}

const WIDE = { tries: 10_000, seconds: 60 };
const UNLIMITED = { address: WIDE, source: WIDE };
export const UNLIMITED_TRIES = {
  sign_in: UNLIMITED,
  reset: UNLIMITED,
  invitation: UNLIMITED,
  registration: UNLIMITED,
  token: UNLIMITED,
};

let made = 0;
/** Another one at each call. */
export const newEmail = (): string => `person${String((made += 1))}@people.example`;

export async function send(
  door: Door,
  method: string,
  path: string,
  { body, token, headers = {} }: { body?: unknown; token?: string | undefined; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return door.call(method, path, {
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export function sessionOf({ json, text }: Answer): Session {
  const { user, tokens } = json as { user?: { id: string }; tokens?: { access: string; refresh: string } };
  if (user === undefined || tokens === undefined) throw new Error(`no session: ${text}`);
  return { personId: user.id, ...tokens };
}

export async function registerTenant(door: Door): Promise<TestTenant> {
  const email = newEmail();
  const body = { company_name: `Company of ${email}`, email, password: PASSWORD, domain: "company.example" };
  const answer = await send(door, "POST", "/api/v1/auth/tenants/register/", { body });
  const { tenant, api_keys: keys } = answer.json as { tenant?: { id: string }; api_keys: TestTenant["keys"] };
  return { ...sessionOf(answer), id: tenant?.id ?? "", email, keys };
}

export async function registerPerson(door: Door, email = newEmail()): Promise<Session> {
  return sessionOf(await send(door, "POST", "/api/v1/auth/register/", { body: { email, password: PASSWORD } }));
}

/** Invites and accepts; the member's session. */
export async function addMember(door: Door, tenant: TestTenant, role: string): Promise<Session> {
  const email = newEmail();
  await send(door, "POST", "/api/v1/auth/tenants/members/", { token: tenant.access, body: { email, role } });
  const body = { token: await mailedToken(door, email), password: PASSWORD };
  return sessionOf(await send(door, "POST", "/api/v1/auth/tenants/members/accept/", { body }));
}

/** The token of the newest mail to this address that brings one. */
export async function mailedToken(door: Door, email: string): Promise<string> {
  const { rows } = await door.pipe.database.query<{ link: string }>({
    text: "select fields ->> 'link' as link from mails where recipient = $1 and fields ->> 'link' like '%#token=%' order by created_at desc, id desc limit 1",
    values: [email],
  });
  const token = rows[0]?.link.split("#token=")[1];
  if (token === undefined) throw new Error(`no mail for ${email}`);
  return token;
}

export async function mailsTo(door: Door, email: string): Promise<string[]> {
  const { rows } = await door.pipe.database.query<{ template: string }>({
    text: "select template from mails where recipient = $1 order by created_at, id",
    values: [email],
  });
  return rows.map(({ template }) => template);
}

export async function auditOf(door: Door, tenant: TestTenant): Promise<Wire[]> {
  const answer = await send(door, "GET", "/api/v1/auth/tenants/audit-log/?limit=100", { token: tenant.access });
  return answer.json.data as Wire[];
}

/** What `act` answers when all of `meanwhile` happens just before its transaction begins: after its argon2, that is. */
export async function meanwhileOf<T>(door: Door, act: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> {
  const { people } = door.deps;
  const { database } = people;
  people.database = {
    ...database,
    transaction: async (work, options) => {
      people.database = database;
      await meanwhile();
      return database.transaction(work, options);
    },
  };
  try {
    const answer = await act();
    if (people.database !== database) throw new Error("no transaction was begun");
    return answer;
  } finally {
    people.database = database;
  }
}
