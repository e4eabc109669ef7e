// Names of hosts by their form. Pure.

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const LONGEST = 253;

/** As URLs have it, in lower case and ASCII. By RFC 1123; an underscore, which DNS has as well, may stand where a letter may. */
export function isHostName(name: string): boolean {
  return name.length <= LONGEST && name.split(".").every((label) => LABEL.test(label));
}
