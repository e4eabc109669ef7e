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

/** Shorter names are near many others: NODE_EXE, which npm sets on Windows, is but for two letters NODE_ENV. */
const LONG = 10;

/**
 * Whether a name of several words is another one with a slip of the pen in it: the first letter is right, the first word
 * has one slip at most (PROJECT_NAME is not PRODUCT_NAME), and a long name has two.
 */
export function isSlip(name: string, meant: string): boolean {
  const given = name.toUpperCase();
  if (!given.includes("_") || !meant.includes("_") || !given.startsWith(meant.charAt(0))) return false;
  if (given.replaceAll("_", "") === meant.replaceAll("_", "")) return true;
  if (!isOneSlip(firstWord(given), firstWord(meant))) return false;
  return meant.length >= LONG ? editDistance(given, meant) <= NEAR : isOneSlip(given, meant);
}

const firstWord = (name: string): string => name.slice(0, name.indexOf("_"));

/** One letter too many, too few or wrong, or two neighbours swapped. */
function isOneSlip(a: string, b: string): boolean {
  if (editDistance(a, b) <= 1) return true;
  const swapped = (at: number): string => a.slice(0, at) + a.charAt(at + 1) + a.charAt(at) + a.slice(at + 2);
  return a.length === b.length && Array.from({ length: a.length - 1 }, (_, at) => swapped(at)).includes(b);
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
