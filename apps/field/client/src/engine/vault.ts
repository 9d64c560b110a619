/**
 * Everything on the phone is written with one random AES-GCM key; that key is wrapped by the officer's PIN.
 *
 * PIN → PBKDF2-SHA-256 (slow) → HMAC with a key that is bound to this browser's store and cannot be exported → the key
 * that unwraps. What this protects, and what it does not, is said in docs/security.md. Nothing here stores anything.
 */

import { type Bytes, concat, random, text, utf8 } from "./bytes.ts";

export const ITERATIONS = 600_000;
const GCM = "AES-GCM";
const IV_BYTES = 12;

/** What lies in the store in plain view: without the PIN and the binding key it opens nothing. */
export interface Wrapped {
  v: 1;
  salt: Bytes;
  iterations: number;
  iv: Bytes;
  key: Bytes;
}

export class WrongPin extends Error {}

export class Vault {
  private constructor(private readonly key: CryptoKey) {}

  /** Make a fresh key for the PIN; `binding` comes from `newBinding`. */
  static async create(pin: string, binding: CryptoKey, iterations = ITERATIONS): Promise<[Vault, Wrapped]> {
    const fresh = await crypto.subtle.generateKey({ name: GCM, length: 256 }, true, ["encrypt", "decrypt"]);
    const wrapped = await wrap(fresh, pin, binding, iterations);
    return [await Vault.unlock(pin, binding, wrapped), wrapped];
  }

  /** Open with the PIN. Throws WrongPin. */
  static async unlock(pin: string, binding: CryptoKey, wrapped: Wrapped): Promise<Vault> {
    return new Vault(await unwrap(pin, binding, wrapped, false));
  }

  /** Wrap the same key for another PIN. Throws WrongPin when the old one is not right. */
  static async rewrap(old: string, fresh: string, binding: CryptoKey, wrapped: Wrapped): Promise<Wrapped> {
    return wrap(await unwrap(old, binding, wrapped, true), fresh, binding, wrapped.iterations);
  }

  /** Seal bytes; `about` names what they are, so that no sealed piece can stand in another's place. */
  async sealBytes(bytes: BufferSource, about: string): Promise<Bytes> {
    const iv = random(IV_BYTES);
    const sealed = await crypto.subtle.encrypt({ name: GCM, iv, additionalData: utf8(about) }, this.key, bytes);
    return concat(iv, new Uint8Array(sealed));
  }

  async openBytes(sealed: Bytes, about: string): Promise<Bytes> {
    const iv = sealed.subarray(0, IV_BYTES);
    const plain = await crypto.subtle.decrypt(
      { name: GCM, iv, additionalData: utf8(about) },
      this.key,
      sealed.subarray(IV_BYTES),
    );
    return new Uint8Array(plain);
  }

  async seal(value: unknown, about: string): Promise<Bytes> {
    return this.sealBytes(utf8(JSON.stringify(value)), about);
  }

  async open<T>(sealed: Bytes, about: string): Promise<T> {
    return JSON.parse(text(await this.openBytes(sealed, about))) as T;
  }
}

/** The key that binds a wrapped key to this browser's store: it can be used here, and not be read out. */
export async function newBinding(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
}

/** The device's own key pair: it signs enrolment, rotations and photos; its private half cannot be read out. */
export async function newDeviceKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

/** Sign with the device key: the 64 bytes r‖s. */
export async function sign(key: CryptoKey, message: BufferSource): Promise<ArrayBuffer> {
  return crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, message);
}

/** Six digits or more, and not one of those that everybody tries first. */
export function isWeakPin(pin: string): boolean {
  if (pin.length < 6 || new Set(pin).size < 3) return true;
  const steps = new Set(Array.from(pin, (c, i) => (i ? c.charCodeAt(0) - pin.charCodeAt(i - 1) : NaN)).slice(1));
  return steps.size === 1;
}

async function wrap(key: CryptoKey, pin: string, binding: CryptoKey, iterations: number): Promise<Wrapped> {
  const salt = random(16);
  const iv = random(IV_BYTES);
  const outer = await derive(pin, binding, salt, iterations);
  const wrapped = await crypto.subtle.wrapKey("raw", key, outer, { name: GCM, iv });
  return { v: 1, salt, iterations, iv, key: new Uint8Array(wrapped) };
}

async function unwrap(pin: string, binding: CryptoKey, from: Wrapped, extractable: boolean): Promise<CryptoKey> {
  const outer = await derive(pin, binding, from.salt, from.iterations);
  try {
    return await crypto.subtle.unwrapKey("raw", from.key, outer, { name: GCM, iv: from.iv }, GCM, extractable, [
      "encrypt",
      "decrypt",
    ]);
  } catch {
    throw new WrongPin();
  }
}

async function derive(pin: string, binding: CryptoKey, salt: Bytes, iterations: number): Promise<CryptoKey> {
  const typed = await crypto.subtle.importKey("raw", utf8(pin.normalize("NFKC")), "PBKDF2", false, ["deriveBits"]);
  const slow = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, typed, 256);
  const bound = await crypto.subtle.sign("HMAC", binding, slow);
  return crypto.subtle.importKey("raw", bound, GCM, false, ["wrapKey", "unwrapKey"]);
}
