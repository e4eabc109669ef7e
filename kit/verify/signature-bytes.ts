// Base64 as every runtime reads it.

/** Undefined for what is no base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    // `atob` says no more than that it is none.
    return undefined;
  }
}
