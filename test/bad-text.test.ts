// Events whose texts PostgreSQL does not take as they are: each is answered 200, stored and processed all the same.
import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Door, openDoor } from "./support/api-door.ts";
import { everyHandledEvent } from "./support/stripe-fixtures-events.ts";

/** One way to each text of a JSON value. */
function textsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value === "string") return [[...path]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsOf(inner, [...path, name]));
}

function replaced(value: unknown, [name, ...rest]: readonly string[], change: (text: string) => string): unknown {
  if (name === undefined) return change(String(value));
  const entries = Object.entries(value as object);
  const made = entries.map(([key, inner]) => [key, key === name ? replaced(inner, rest, change) : inner] as const);
  return Array.isArray(value) ? made.map(([, inner]) => inner) : Object.fromEntries(made);
}

const KINDS: readonly (readonly [string, (text: string) => string])[] = [
  ["NUL", (text) => `${text}\0${text}`],
  ["half of a surrogate pair", (text) => `${text}\ud800`],
  // No compression makes it fit into an index.
  ["more than an index takes", (text) => `${text}${randomBytes(9000).toString("base64")}`],
];

describe("a signed event", () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor("server");
  });
  afterAll(() => door.close());

  const countStored = async (): Promise<number> =>
    (await door.pipe.database.query<{ count: number }>("select count(*) as count from stripe_events")).rows[0]?.count ??
    0;

  it.each(KINDS.map((kind, number) => [...kind, number] as const))(
    "with %s in any one of its object's texts is answered 200 and processed",
    async (_name, change, number) => {
      const before = await countStored();
      const bodies = everyHandledEvent().flatMap(({ type, old, new: recent }, family) =>
        [old, recent].flatMap((event, shape) => {
          if (event === null) return [];
          const object = event.data.object as { object: string };
          // One event of each kind of object in each shape is enough: each of its texts makes another one.
          if (everyHandledEvent().findIndex((one) => one.new.data.object.object === object.object) !== family)
            return [];
          return textsOf(object).map((path, at) => {
            const own = `${number}_${family}_${shape}_${at}`;
            const made = replaced({ ...object, id: `${object.object}_${own}` }, path, change);
            return JSON.stringify({ ...event, id: `evt_${own}`, type, data: { object: made } });
          });
        }),
      );
      expect(bodies.length).toBeGreaterThan(400);
      const refused: string[] = [];
      for (let from = 0; from < bodies.length; from += 50) {
        const some = bodies.slice(from, from + 50);
        const answers = await Promise.all(some.map((body) => door.webhook(body)));
        answers.forEach(({ status }, at) => {
          if (status !== 200) refused.push(`${status} ${some[at]?.slice(0, 300)}`);
        });
      }
      expect(refused).toEqual([]);
      expect((await countStored()) - before).toBe(bodies.length);
      await door.pipe.drain();
      const { json } = await door.admin("GET", "stripe-events/?status=failed&limit=20");
      expect((json.data as { id: string; type: string }[]).map(({ id, type }) => `${id} ${type}`)).toEqual([]);
    },
  );
});
