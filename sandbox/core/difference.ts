// previous_attributes: what an object was before a change, changed fields alone. Pure.

type Fields = Readonly<Record<string, unknown>>;

/** The old values of the fields that differ; a field that was not there was null. Hashes are compared field by field. */
export function previousAttributes(before: object, after: object): Record<string, unknown> {
  return hashDifference(before as Fields, after as Fields);
}

function hashDifference(before: Fields, after: Fields): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]];
    if (equal(old, now)) continue;
    changed[name] = isHash(old) && isHash(now) ? hashDifference(old, now) : (old ?? null);
  }
  return changed;
}

function isHash(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** By value. An absent field equals null, as on Stripe's wire. */
export function equal(one: unknown, other: unknown): boolean {
  if (one === other || (one ?? null) === (other ?? null)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => equal(value, other[at]));
  }
  if (!isHash(one) || !isHash(other)) return false;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => equal(one[name], other[name]));
}
