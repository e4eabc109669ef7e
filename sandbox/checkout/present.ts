// Parameters without those that nobody knows: optional ones are left out, never null.

type Present<T> = { [Name in keyof T]?: NonNullable<T[Name]> };

export function present<T extends object>(fields: T): Present<T> {
  const known = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(known) as Present<T>;
}
