// The same events as if they had just happened to new objects: new ids, and times that end now. Pure.
import type { Json } from "../base/text.ts";
import type { EventToSend } from "./event-files.ts";

type JsonObject = Record<string, Json>;

/**
 * Every event gets a new id, every object that the events are about gets one too, wherever it is named, and `created` of
 * the events is moved so that the newest is now. Accounts keep their ids, because they decide whose event it is; the
 * objects' own times stay.
 */
export function freshEvents(events: readonly EventToSend[], suffix: string, nowSeconds: number): EventToSend[] {
  const parsed = events.map((event) => ({ event, json: JSON.parse(event.body) as JsonObject }));
  const known = new Set(parsed.flatMap(({ json }) => idsOf(json)));
  // No spread: 130,000 arguments are too many.
  const newest = parsed.reduce((latest, { json }) => Math.max(latest, secondsOf(json.created)), 0);
  const shift = nowSeconds - newest;
  return parsed.map(({ event, json }) => {
    const renamed = renameIds(json, known, suffix) as JsonObject;
    const fresh = { ...renamed, created: shifted(json.created, shift) };
    return { ...event, id: `${event.id}_${suffix}`, body: JSON.stringify(fresh) };
  });
}

/** The event's own id, and that of the object which it is about. */
function idsOf(event: JsonObject): string[] {
  const object = field(event.data, "object");
  return [event.id, field(object, "id"), field(event.related_object, "id")].filter(
    (id): id is string => typeof id === "string" && !/^(acct|ca)_/.test(id),
  );
}

function field(value: Json | undefined, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value[name] : undefined;
}

function renameIds(value: Json, known: ReadonlySet<string>, suffix: string): Json {
  if (typeof value === "string") return known.has(value) ? `${value}_${suffix}` : value;
  if (Array.isArray(value)) return value.map((item) => renameIds(item, known, suffix));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renameIds(item, known, suffix)]));
}

/** A thin event writes its time as ISO 8601. */
function secondsOf(created: Json | undefined): number {
  if (typeof created === "string") return Math.floor(Date.parse(created) / 1000);
  return typeof created === "number" ? created : 0;
}

function shifted(created: Json | undefined, seconds: number): Json {
  const moved = secondsOf(created) + seconds;
  return typeof created === "string" ? new Date(moved * 1000).toISOString() : moved;
}
