// Access tokens: JWTs signed by EdDSA with a key that is derived from SECRET_KEY, so every node has the same and none is stored.
import { createPrivateKey, createPublicKey, hash } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { jwtVerify, SignJWT } from "jose";

import type { Clock } from "../base/clock.ts";
import type { KeyRing } from "../base/key-ring.ts";

export const ACCESS_SECONDS = 15 * 60;

const ALGORITHM = "EdDSA";
const AUDIENCE = "billhook";
const PURPOSE = "access tokens: Ed25519 seed";
/** RFC 8410: what stands before the 32 bytes of the seed in PKCS #8. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

export interface AccessToken {
  personId: string;
  sessionId: string;
}

export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  kid: string;
  alg: string;
  use: string;
}

export interface AccessTokens {
  sign(token: AccessToken): Promise<string>;
  /** Undefined: not ours, changed, or too old. */
  verify(text: string): Promise<AccessToken | undefined>;
  /** RFC 7517: the keys that our tokens may be signed with. */
  jwks(): { keys: PublicJwk[] };
}

interface SigningKey {
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: PublicJwk;
}

export function accessTokens(ring: KeyRing, clock: Clock, issuer: string): AccessTokens {
  const keys = ring.keysFor(PURPOSE).map(signingKey);
  const [current] = keys;
  if (current === undefined) throw new Error("there is no key to sign with");
  const seconds = (): number => Math.floor(clock.now() / 1000);
  return {
    sign: ({ personId, sessionId }) =>
      new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: ALGORITHM, kid: current.id, typ: "at+jwt" })
        .setSubject(personId)
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setIssuedAt(seconds())
        .setExpirationTime(seconds() + ACCESS_SECONDS)
        .sign(current.privateKey),
    verify: async (text) => {
      const options = {
        algorithms: [ALGORITHM],
        typ: "at+jwt",
        issuer,
        audience: AUDIENCE,
        requiredClaims: ["sub", "sid", "exp"],
        currentDate: new Date(clock.now()),
      };
      try {
        const { payload } = await jwtVerify(
          text,
          ({ kid: id }: { kid?: string }) => keys.find((key) => key.id === id)?.publicKey ?? current.publicKey,
          options,
        );
        return typeof payload.sub === "string" && typeof payload.sid === "string"
          ? { personId: payload.sub, sessionId: payload.sid }
          : undefined;
      } catch {
        // jose throws for each way in which a token can be wrong; all of them are 401.
        return undefined;
      }
    },
    jwks: () => ({ keys: keys.map(({ jwk }) => jwk) }),
  };
}

function signingKey(seed: Buffer): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const { x = "" } = publicKey.export({ format: "jwk" });
  // RFC 7638 and RFC 8037: the thumbprint of the public key.
  const id = hash("sha256", `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, "base64url");
  return { id, privateKey, publicKey, jwk: { kty: "OKP", crv: "Ed25519", x, kid: id, alg: ALGORITHM, use: "sig" } };
}
