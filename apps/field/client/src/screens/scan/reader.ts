/** Finds a code in a picture: by the browser where it can, otherwise QR codes by a reader that is loaded on demand. */

/** What was read, and from which symbology, in the words of the checklists. */
export interface Code {
  readonly text: string;
  readonly format: string;
}

type Picture = HTMLVideoElement | ImageBitmap;

interface Detector {
  detect(picture: Picture): Promise<{ rawValue: string; format: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** Symbologies that a camera can read, and what browsers call them; MRZ and OCR are typed. */
const NATIVE: Readonly<Record<string, string>> = {
  code_128: "code_128",
  code_39: "code_39",
  ean_13: "ean_13",
  itf: "itf",
  codabar: "codabar",
  qr: "qr_code",
  data_matrix: "data_matrix",
  pdf417: "pdf417",
  aztec: "aztec",
};
const LONGEST_SIDE = 1000;

const Native = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
let supported: Promise<ReadonlySet<string>> | null = null;

function wanted(formats: readonly string[]): string[] {
  const known = Object.keys(NATIVE);
  return formats.length > 0 ? known.filter((name) => formats.includes(name)) : known;
}

/** Tell whether any of the symbologies can be read here. */
export function canRead(formats: readonly string[]): boolean {
  const names = wanted(formats);
  return Native ? names.length > 0 : names.includes("qr");
}

/** Read the first code in a picture; null when there is none. */
export async function read(picture: Picture, formats: readonly string[]): Promise<Code | null> {
  const names = wanted(formats);
  if (Native) {
    supported ??= Native.getSupportedFormats().then((list) => new Set(list));
    const here = await supported;
    const native = names.map((name) => NATIVE[name] as string).filter((name) => here.has(name));
    if (native.length > 0) {
      const [found] = await new Native({ formats: native }).detect(picture);
      if (found) return { text: found.rawValue, format: nameOf(found.format) };
      if (here.has("qr_code")) return null;
    }
  }
  return names.includes("qr") ? readQr(picture) : null;
}

function nameOf(native: string): string {
  return Object.entries(NATIVE).find(([, name]) => name === native)?.[0] ?? native;
}

async function readQr(picture: Picture): Promise<Code | null> {
  const { default: decode } = await import("qr/decode.js");
  const [width, height] =
    picture instanceof ImageBitmap ? [picture.width, picture.height] : [picture.videoWidth, picture.videoHeight];
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) return null;
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  try {
    return { text: decode(pen.getImageData(0, 0, canvas.width, canvas.height)), format: "qr" };
  } catch {
    return null; // the reader throws when it sees no code
  }
}
