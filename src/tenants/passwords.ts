// Passwords: how they are stored (argon2id), compared, and which are refused.
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

import { publicError } from "../base/errors.ts";
import { gate } from "../base/gate.ts";

/** OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane. A stored hash names its own, so that these may grow. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const TAG_BYTES = 32;
const SALT_BYTES = 16;

export const MIN_PASSWORD = 10;
/** Longer ones would only cost time. */
export const MAX_PASSWORD = 200;

interface Cost {
  memory: number;
  passes: number;
}

/** `$argon2id$v=19$m=…,t=…,p=1$<salt>$<hash>` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(password, salt, { memory: MEMORY_KIB, passes: PASSES }, TAG_BYTES);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${base64(salt)}$${base64(tag)}`;
}

const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([\w+/]+)\$([\w+/]+)$/;

/** Takes as long whether the password is right, wrong, or (`stored` undefined) nobody's. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const parts = FORM.exec(stored ?? NOBODYS);
  if (parts === null) throw new Error("a stored password has an unknown form");
  const [, memory = "", passes = "", salt = "", tag = ""] = parts;
  const expected = Buffer.from(tag, "base64");
  const cost = { memory: Number(memory), passes: Number(passes) };
  const given = await derive(password, Buffer.from(salt, "base64"), cost, expected.length);
  return timingSafeEqual(given, expected) && stored !== undefined;
}

/** Compared with where an address is unknown: as costly as a real one, and fitted by no password. */
const NOBODYS = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${"A".repeat(22)}$${"A".repeat(43)}`;

/** Of Node's four threads for such work two stay free, and memory is bounded. */
const derivations = gate({ atOnce: 2, waiting: 100, full: () => publicError("overloaded") });

/** NFC: the same letters typed on another keyboard are the same password. */
function derive(password: string, nonce: Buffer, { memory, passes }: Cost, tagLength: number): Promise<Buffer> {
  const message = password.normalize("NFC");
  return derivations.pass(
    () =>
      new Promise((resolve, reject) => {
        argon2("argon2id", { message, nonce, parallelism: 1, tagLength, memory, passes }, (error, tag) => {
          if (error === null) resolve(tag);
          else reject(error);
        });
      }),
  );
}

const base64 = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");

/** Undefined: it may be used. Else a sentence that says what to do. `known` are words that others can guess: the address, the company. */
export async function passwordProblem(password: string, known: readonly string[]): Promise<string | undefined> {
  if (Array.from(password).length < MIN_PASSWORD) return `Choose a password of at least ${MIN_PASSWORD} characters.`;
  if (password.length > MAX_PASSWORD) return `Choose a password of at most ${MAX_PASSWORD} characters.`;
  const folded = password.toLowerCase();
  if (new Set(folded).size < 4) return "Choose a password with more than three different characters.";
  const guesses = known.flatMap((word) => [word, word.split("@", 1)[0] ?? ""]).map((word) => word.toLowerCase());
  if (guesses.includes(folded)) return "Choose a password that is neither your address nor a name.";
  if ((await commonPasswords()).has(folded)) {
    return "This is one of the most common passwords: choose another one.";
  }
  return undefined;
}

let loading: Promise<ReadonlySet<string>> | undefined;

/** 2 MB of source that only those need who choose a password. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  loading ??= import("@zxcvbn-ts/language-common").then(
    ({ dictionary }) => new Set(dictionary["passwords-common"].filter((password) => password.length >= MIN_PASSWORD)),
  );
  return loading;
}
