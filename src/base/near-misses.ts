// Which unknown name was probably meant as which known one. Pure.

export interface NearMiss {
  name: string;
  meant: string;
}

const NEAR = 2;

/** The names that are not known, but are but for two letters or for their case. */
export function nearMisses(names: readonly string[], known: readonly string[]): NearMiss[] {
  return names
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const meant = known.find((candidate) => editDistance(name.toUpperCase(), candidate) <= NEAR);
      return meant === undefined ? [] : [{ name, meant }];
    });
}

/** Levenshtein's distance: insertions, deletions and replacements that make one text of the other. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
