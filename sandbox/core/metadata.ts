// Metadata: up to 50 texts by key, merged key by key on update.
import { invalidRequest } from "./errors.ts";

type Metadata = Record<string, string>;

/** `given`: as the parameter has it. '' for a key takes the key away, '' for all clears, undefined changes nothing. */
export function mergeMetadata(
  old: Metadata | null | undefined,
  given: Readonly<Record<string, string | number | null>> | "" | null | undefined,
): Metadata {
  if (given === "" || given === null) return {};
  const merged: Metadata = { ...old };
  for (const [key, value] of Object.entries(given ?? {})) {
    if (value === "" || value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = checked(key, String(value));
  }
  if (Object.keys(merged).length > 50) {
    throw invalidRequest("You can only specify 50 metadata keys on an object.", { param: "metadata" });
  }
  return merged;
}

function checked(key: string, value: string): string {
  if (key.length > 40) {
    throw invalidRequest(`Metadata keys must be at most 40 characters long: '${key}'.`, { param: `metadata[${key}]` });
  }
  if (value.length > 500) {
    throw invalidRequest(`Metadata values must be at most 500 characters long. Key '${key}' has ${value.length}.`, {
      param: `metadata[${key}]`,
    });
  }
  return value;
}
