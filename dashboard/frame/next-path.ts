// Where somebody goes after signing in: to the page they asked for, if it is one of ours.

/** Where to sign in, and come back from. */
export function signInPath(): string {
  const here = location.pathname + location.search;
  return here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`;
}

/** An address of another origin could show a false sign-in page: it counts as none. */
export function nextPath(search: string = location.search): string {
  const given = new URLSearchParams(search).get("next");
  if (given === null || !/^\/(?![/\\])/.test(given)) return "/";
  const url = new URL(given, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : "/";
}
