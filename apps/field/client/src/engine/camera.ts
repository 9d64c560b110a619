/**
 * Makes of what the camera gave what is kept: scaled by policy, hashed, with a thumbnail. Pure pixels and hashes.
 *
 * Runs in a worker (`camera.worker.ts`) where the browser can, so that typing never waits; on the page otherwise. The
 * original is kept when the step says so, unless its format is one the server does not take (HEIC becomes JPEG).
 */

import { hex, sha256 } from "./bytes.ts";

/** The longer side of a photo that is not kept as it was taken, in pixels. */
export const LONG_SIDE = 2560;
export const THUMBNAIL_SIDE = 320;
const QUALITY = 0.85;
const TAKEN = new Set(["image/jpeg", "image/png", "image/webp"]);

export interface Order {
  picture: Blob;
  keepOriginal: boolean;
}
export interface Developed {
  picture: Blob;
  mime: string;
  sha256: string;
  width: number;
  height: number;
  thumbnail: Blob;
  /** The bytes as the camera gave them, when they are not what is kept. */
  original: { sha256: string; bytes: number } | null;
}

export class NotAPicture extends Error {}

/** Develop a photo. Throws NotAPicture. */
export async function develop({ picture, keepOriginal }: Order): Promise<Developed> {
  const bitmap = await createImageBitmap(picture, { imageOrientation: "from-image" }).catch(() => {
    throw new NotAPicture();
  });
  try {
    const { width, height } = bitmap;
    const isKept = TAKEN.has(picture.type) && (keepOriginal || Math.max(width, height) <= LONG_SIDE / 2);
    const side = keepOriginal ? Math.max(width, height) : LONG_SIDE;
    const scaled = fit(width, height, side);
    const [kept, thumbnail, original] = await Promise.all([
      isKept ? picture : draw(bitmap, scaled, QUALITY),
      draw(bitmap, fit(width, height, THUMBNAIL_SIDE), 0.7),
      isKept ? null : digest(picture),
    ]);
    return {
      picture: kept,
      mime: isKept ? picture.type : "image/jpeg",
      sha256: (await digest(kept)).sha256,
      ...(isKept ? { width, height } : scaled),
      thumbnail,
      original,
    };
  } finally {
    bitmap.close();
  }
}

async function digest(blob: Blob): Promise<{ sha256: string; bytes: number }> {
  return { sha256: hex(await sha256(await blob.arrayBuffer())), bytes: blob.size };
}

function fit(width: number, height: number, side: number): { width: number; height: number } {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

async function draw(bitmap: ImageBitmap, size: { width: number; height: number }, quality: number): Promise<Blob> {
  const options = { type: "image/jpeg", quality };
  if ("OffscreenCanvas" in globalThis) {
    const canvas = new OffscreenCanvas(size.width, size.height);
    paint(canvas.getContext("2d"), bitmap, size);
    return canvas.convertToBlob(options);
  }
  const canvas = Object.assign(document.createElement("canvas"), size);
  paint(canvas.getContext("2d"), bitmap, size);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new NotAPicture())), options.type, options.quality);
  });
}

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null;

function paint(context: Context, bitmap: ImageBitmap, { width, height }: { width: number; height: number }): void {
  if (!context) throw new NotAPicture();
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
}
