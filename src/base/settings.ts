// A setting, and readers of its text: each gives the value, or throws a BadValue whose sentence says what to do. Pure.
import { isIP } from "node:net";

import { isHostName } from "./host-name.ts";

/** One row of the configuration's table. */
export interface Variable<Value = unknown, Default = unknown> {
  name: string;
  parse: (text: string) => Value;
  default: Default;
  doc: string;
  /** How the docs tell a default that is not simply `default`. */
  defaultDoc?: string;
  secret?: true;
}

export function variable<Value, Default extends Value | undefined>(
  name: string,
  parse: (text: string) => Value,
  fallback: Default,
  doc: string,
  more: { defaultDoc?: string; secret?: true } = {},
): Variable<Value, Default> {
  return { name, parse, default: fallback, doc, ...more };
}

/** What is wrong with a setting's value. Its message never quotes a secret. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

export function oneOf<const Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new BadValue(`"${text}" is not one of ${words.join(", ")}: use one of them.`);
    return word;
  };
}

/** A comma list of words, each kept once, in the order of `words`. */
export function listOf<const Word extends string>(words: readonly Word[]): (text: string) => readonly Word[] {
  const one = oneOf(words);
  return (text) => {
    const named = text.split(",").map((part) => one(part.trim()));
    return words.filter((word) => named.includes(word));
  };
}

export function flag(text: string): boolean {
  return oneOf(["true", "false"])(text) === "true";
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new BadValue(`"${text}" is not a whole number from ${String(least)} to ${String(most)}: use one.`);
    return value;
  };
}

/** Percent from 0 to 100, with two decimals at most. */
export function percentage(text: string): number {
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(text) || Number(text) > 100)
    throw new BadValue(`"${text}" is not a percentage from 0 to 100 with two decimals at most: use one, such as 12.5.`);
  return Number(text);
}

export function path(text: string): string {
  if (text.includes("\0")) throw new BadValue("a path cannot contain NUL: correct it.");
  return text;
}

export function hostName(text: string): string {
  if (!/^[\w.:%-]+$/.test(text))
    throw new BadValue(
      `"${text}" is not an address to listen on: use a name or an IP address without scheme and port, such as 127.0.0.1.`,
    );
  return text;
}

/** An http or https URL, without a slash at its end. */
export function webUrl(text: string): string {
  const url = parsedUrl(text);
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new BadValue(`it is not a URL: give it as https://billing.example.com.`);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new BadValue("a user, a query or a fragment has no place in it: remove that part.");
  }
  return url.href.replace(/\/+$/, "");
}

/** A mail server, with user and password where it asks for them. */
export function smtpUrl(text: string): string {
  const url = parsedUrl(text);
  if ((url?.protocol !== "smtp:" && url?.protocol !== "smtps:") || url.hostname === "") {
    throw new BadValue("it is no mail server: give it as smtp://user:password@host:port, or smtps://.");
  }
  if (url.search !== "" || url.hash !== "")
    throw new BadValue("a query or a fragment has no place in it: remove that part.");
  return text;
}

/** `Name <address>`, or an address alone. */
export function mailAddress(text: string): string {
  if (!/^[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>$|^[^<>@\s]+@[^<>@\s]+$/.test(text)) {
    throw new BadValue("it is no mail address: give it as Name <address>.");
  }
  return text;
}

/** `mg.example.com`, without a scheme. */
export function domainName(text: string): string {
  if (!/^(?=.{1,253}$)([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z\d-]{2,63}$/i.test(text))
    throw new BadValue(`"${text}" is no domain: give it as mg.example.com, without a scheme.`);
  return text.toLowerCase();
}

/** A name for people, on one line. */
export function brandText(text: string): string {
  if (!/^[^\p{Cc}<>]{1,60}$/u.test(text)) throw new BadValue("use 1 to 60 characters on one line, without < and >.");
  return text;
}

/** Scheme, host and port. */
export const origin = originElse(() => "only scheme, host and port belong in it: remove the path.");

/** Scheme, host and port; `sentence` says what to do about a path. */
export function originElse(sentence: (path: string) => string): (text: string) => string {
  return (text) => {
    const url = webUrl(text);
    if (new URL(url).origin !== url) throw new BadValue(sentence(new URL(url).pathname));
    return url;
  };
}

export function postgresUrl(text: string): string {
  const url = parsedUrl(text);
  if (url?.protocol !== "postgres:" && url?.protocol !== "postgresql:") {
    throw new BadValue(
      "it is not a PostgreSQL URL: give it as postgres://user:password@host:5432/database, with special characters of the password percent-encoded.",
    );
  }
  return text;
}

/** A secret of at least `least` characters. */
export function secretText(least: number): (text: string) => string {
  return (text) => {
    mustBePrintable(text);
    if (text.length < least)
      throw new BadValue(
        `it is shorter than ${String(least)} characters: use a longer one, such as the output of \`openssl rand -hex 32\`.`,
      );
    return text;
  };
}

/** One of Stripe's API keys: `<kind>_test_…` or `<kind>_live_…`. */
export function apiKey(
  name: string,
  kinds: readonly string[],
  modes: readonly string[] = ["test", "live"],
): (text: string) => string {
  return (text) => {
    mustBePrintable(text);
    if (!new RegExp(`^(?:${kinds.join("|")})_(?:${modes.join("|")})_[A-Za-z0-9_]+$`).test(text)) {
      const forms = kinds.flatMap((kind) => modes.map((mode) => `${kind}_${mode}_…`)).join(", ");
      throw new BadValue(`it does not have the form of a ${name} (${forms}): copy it again from Stripe's dashboard.`);
    }
    return text;
  };
}

/** A comma list of signing secrets. An empty one would verify whatever is signed with an empty key, which anyone can do. */
export function webhookSecretList(text: string): string[] {
  return text.split(",").map((part) => {
    const secret = part.trim();
    if (secret === "")
      throw new BadValue(
        "the list has an empty entry: remove the extra comma, because an empty secret would accept forged events.",
      );
    mustBePrintable(secret);
    if (/["'`]/.test(secret)) throw new BadValue("it has a quotation mark inside: paste it again, without.");
    if (/^(?:sk|rk|pk)_/.test(secret))
      throw new BadValue("it holds an API key: use the endpoint's signing secret, which starts with whsec_.");
    if (secret === "whsec_")
      throw new BadValue("it is only the beginning of a secret, which anyone can guess: paste the whole of it.");
    return secret;
  });
}

function mustBePrintable(secret: string): void {
  if (/\s/.test(secret))
    throw new BadValue(
      "it has a space or a line break inside: paste it again without, and separate several by commas.",
    );
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new BadValue("it has an invisible or non-ASCII character: paste it again.");
  if (/^["'`]|["'`]$/.test(secret)) throw new BadValue("it has quotation marks around it: remove them.");
}

function parsedUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** A comma list of secrets, each of at least `least` characters, the current one first. */
export function secretList(least: number): (text: string) => string[] {
  const one = secretText(least);
  return (text) => {
    const parts = text.split(",").map((part) => part.trim());
    if (parts.includes("")) throw new BadValue("the list has an empty entry: remove the extra comma.");
    const secrets = parts.map(one);
    if (new Set(secrets).size < secrets.length) throw new BadValue("it names one secret twice: remove it once.");
    return secrets;
  };
}

/** A comma list of origins, each once. */
export function originList(text: string): string[] {
  return [...new Set(text.split(",").map((part) => origin(part.trim())))];
}

/** A host and port that the operator vouches for. */
export interface HostAndPort {
  /** As in a URL: lower case, an IPv6 address in brackets. */
  host: string;
  port: number;
  /** http instead of https. */
  plain: boolean;
}

/** A comma list of `host:port`; `http://host:port` for one without TLS. */
export function hostAndPortList(text: string): HostAndPort[] {
  return text.split(",").map((part) => {
    const one = part.trim();
    const plain = one.startsWith("http://");
    const form = /^(?:https?:\/\/)?([^/\s@?#\\]+):(\d{1,5})$/.exec(one);
    const url = parsedUrl(`http://${form?.[1] ?? ""}`);
    const port = Number(form?.[2]);
    const isHost = url !== undefined && (url.hostname.startsWith("[") || isHostName(url.hostname));
    if (!isHost || url.port !== "" || !(port >= 1 && port <= 65_535)) {
      throw new BadValue(
        `"${one}" is no host with a port: give it as receiver.internal:8443, or http://receiver:8080.`,
      );
    }
    return { host: url.hostname, port, plain };
  });
}

/** From `from` to `to`, both included. */
export interface PortRange {
  from: number;
  to: number;
}

/** A comma list of ports and ranges: `443,8443,10000-20000`. */
export function portRanges(text: string): PortRange[] {
  return text.split(",").map((part) => {
    const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    const range = { from: Number(from), to: Number(to) };
    if (!(range.from >= 1 && range.to >= range.from && range.to <= 65_535)) {
      throw new BadValue(`"${part.trim()}" is neither a port nor a range: use a list such as 443,8443,10000-20000.`);
    }
    return range;
  });
}

const NAMED_NETWORKS: readonly string[] = ["loopback", "linklocal", "uniquelocal"];

/** Which proxies are believed about where a request comes from: how many stand before us, or their addresses and networks. */
export function trustedProxies(text: string): number | string {
  if (/^\d+$/.test(text)) return wholeNumber(1, 10)(text);
  const networks = text.split(",").map((part) => part.trim());
  const wrong = networks.find((network) => !NAMED_NETWORKS.includes(network) && !isNetwork(network));
  if (wrong !== undefined) {
    throw new BadValue(
      `"${wrong}" is neither a number of proxies nor an address or network: use 1, or a list such as 10.0.0.0/8,loopback.`,
    );
  }
  return networks.join(",");
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  return (
    family !== 0 &&
    more.length === 0 &&
    (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
  );
}

/** Of a platform's Connect application. */
export function clientId(text: string): string {
  if (!/^ca_[A-Za-z0-9]+$/.test(text)) {
    throw new BadValue(
      "it does not have the form ca_…: copy it again from the Connect settings of Stripe's dashboard.",
    );
  }
  return text;
}

/** What stands before `sk_live_…` in our keys. */
export function keyBrand(text: string): string {
  if (!/^[a-z][a-z0-9]{0,19}$/.test(text) || ["sk", "pk", "rk"].includes(text)) {
    throw new BadValue(
      "use 1 to 20 lower-case letters and digits, the first a letter, such as acme (not sk, pk or rk).",
    );
  }
  return text;
}
