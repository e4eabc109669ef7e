// How deep JSON text nests, told before anything that recurses walks what it says. Pure.

/** Whether JSON text nests deeper than `limit`. Texts with fewer opening brackets than that, nearly all, are not walked. */
export function nestsDeeperThan(text: string, limit: number): boolean {
  if (text.length < 2 * limit || openings(text, limit) < limit) return false;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") {
      if (++depth > limit) return true;
    } else if (char === "}" || char === "]") depth--;
  }
  return false;
}

/** How many `{` and `[` the text has, strings included; stops counting above `limit`. */
function openings(text: string, limit: number): number {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1 && count <= limit; at = text.indexOf(bracket, at + 1)) count++;
  }
  return count;
}
