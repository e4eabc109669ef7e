// A value that must never be printed, and the only way to compare two of them.
import { hash, timingSafeEqual } from "node:crypto";

const MASK = "[secret]";

/** Prints, inspects and serialises as `[secret]`; only `reveal()` gives the value, so every use can be searched for. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    // An empty secret verifies against an empty key, which anyone can forge.
    if (value.trim() === "") throw new Error("a secret must not be empty");
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }
}

/**
 * Whether two secrets are equal, in a time that tells nothing about either, their lengths included: both are hashed
 * first, because `timingSafeEqual` wants equal lengths. An empty secret equals nothing, not even an empty one.
 */
export function sameSecret(a: string | Secret, b: string | Secret): boolean {
  const [left, right] = [valueOf(a), valueOf(b)];
  const equal = timingSafeEqual(digest(left), digest(right));
  return equal && left !== "";
}

function valueOf(secret: string | Secret): string {
  return typeof secret === "string" ? secret : secret.reveal();
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
