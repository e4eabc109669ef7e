// Fields given in a call, merged into those of an object: hash by hash, '' takes a value away. Pure.

type Fields = Readonly<Record<string, unknown>>;

export function isHash(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `old` with what `given` says; what it does not name stays. Arrays are replaced whole. */
export function mergeFields<T extends object>(old: T, given: object | undefined): T {
  const merged: Record<string, unknown> = { ...(old as Fields) };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    const before = merged[name];
    if (value === "") merged[name] = null;
    else if (isHash(value)) merged[name] = mergeFields(isHash(before) ? before : {}, value);
    else merged[name] = value;
  }
  return merged as T;
}

/** The value at a dotted path, undefined where a step is missing. */
export function valueAt(object: object, path: string): unknown {
  let at: unknown = object;
  for (const step of path.split(".")) at = isHash(at) ? at[step] : undefined;
  return at;
}
