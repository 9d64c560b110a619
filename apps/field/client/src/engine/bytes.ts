/** Spellings of bytes (hex, base64, base64url, UTF-8), and ids made where a record is born (UUIDv7). */

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const utf8 = (text: string): Bytes => encoder.encode(text) as Bytes;
export const text = (bytes: BufferSource): string => decoder.decode(bytes);

export function hex(bytes: ArrayBuffer | Bytes): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function base64(bytes: ArrayBuffer | Bytes): string {
  const all = new Uint8Array(bytes);
  let raw = "";
  for (let at = 0; at < all.length; at += 8192) raw += String.fromCharCode(...all.subarray(at, at + 8192));
  return btoa(raw);
}

/** Read base64. Throws on anything else. */
export function fromBase64(written: string): Bytes {
  return Uint8Array.from(atob(written), (char) => char.charCodeAt(0));
}

export function base64url(bytes: ArrayBuffer | Bytes): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function sha256(bytes: BufferSource): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}

export function concat(...parts: Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

let lastMoment = 0;

/** A UUIDv7: milliseconds of the phone's clock (never running back within a page), then chance. */
export function uuid7(): string {
  lastMoment = Math.max(Date.now(), lastMoment + 1);
  const bytes = random(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(lastMoment) << 16n);
  crypto.getRandomValues(bytes.subarray(6));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const digits = hex(bytes);
  return [0, 8, 12, 16, 20].map((from, i, all) => digits.slice(from, all[i + 1] ?? 32)).join("-");
}
