/**
 * What the device signs about a photo: `manifest.json`, raw bytes, at the moment of capture (docs/sync.md, "Photos").
 *
 * It says what this phone claims: which bytes, for which report and step, when and where by its own instruments. The
 * signature proves that this enrolled device said so before the server had the bytes; not that the scene is true.
 */

import { base64url, type Bytes, hex, random, utf8 } from "./bytes.ts";
import { sign } from "./vault.ts";

export interface Place {
  latitude: number;
  longitude: number;
  accuracy_m: number;
  /** How old the position was at capture, in milliseconds. */
  age_ms: number;
}
export interface Captured {
  report: string;
  device: string;
  device_seq: number;
  photos: {
    id: string;
    step: string;
    purpose: string;
    sha256: string;
    bytes: number;
    mime: string;
    width: number;
    height: number;
    original: { sha256: string; bytes: number } | null;
    not_captured_in_app: boolean;
  }[];
  device_time: string;
  monotonic_ms: number;
  position: Place | null;
  checklist_version: string;
  content_hash: string;
}

/** Compose the manifest and sign its raw bytes: both in base64url, as the mutation carries them. */
export async function manifestOf(key: CryptoKey, captured: Captured): Promise<{ manifest: string; signature: string }> {
  const bytes: Bytes = utf8(JSON.stringify({ v: 1, kind: "photo-manifest", ...captured, nonce: hex(random(16)) }));
  return { manifest: base64url(bytes), signature: base64url(await sign(key, bytes)) };
}

let place: (Place & { at: number }) | null = null;
let asked = -Infinity;

/** Ask for the position now and then; a photo takes the last one and never waits. */
export function warmPosition(): void {
  if (!globalThis.navigator?.geolocation || performance.now() - asked < 30_000) return;
  asked = performance.now();
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const { latitude, longitude, accuracy } = coords;
      place = { latitude, longitude, accuracy_m: accuracy, age_ms: 0, at: performance.now() };
    },
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 60_000, timeout: 20_000 },
  );
}

/** The last position, if it is of the last five minutes. */
export function position(): Place | null {
  if (!place || performance.now() - place.at > 300_000) return null;
  const { at, ...known } = place;
  return { ...known, age_ms: Math.round(performance.now() - at) };
}
