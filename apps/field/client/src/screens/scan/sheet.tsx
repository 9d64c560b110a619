/**
 * Reads a code with the camera. Browsers that can do it themselves (BarcodeDetector) read every kind; elsewhere a reader for
 * QR codes is loaded when it is first needed. Without a camera, or without its permission, a picture of the code will do.
 */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../../i18n/index.ts";
import { Sheet } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Fault } from "../../ui/parts.tsx";
import { canRead, type Code, read } from "./reader.ts";

const EVERY = 180;

interface ScanSheetProps {
  readonly title: string;
  /** Symbologies as checklists name them; none: all that can be read. */
  readonly formats: readonly string[];
  readonly found: (code: Code) => void;
  readonly close: () => void;
}

/** Tell whether this phone can read any of the symbologies. */
export function canScan(formats: readonly string[]): boolean {
  return canRead(formats);
}

export function ScanSheet({ title, formats, found, close }: ScanSheetProps) {
  const w = words();
  const problem = useSignal("");
  const video = useCamera(
    async (frame) => {
      const code = await read(frame, formats);
      if (code) found(code);
    },
    () => (problem.value = w.enrol.camera_denied),
  );
  const fromPicture = async (files: FileList | null): Promise<void> => {
    const [file] = files ?? [];
    if (!file) return;
    const code = await createImageBitmap(file)
      .then((picture) => read(picture, formats))
      .catch(() => null);
    if (code) found(code);
    else problem.value = w.enrol.scan_none;
  };
  return (
    <Sheet full title={title} close={close}>
      <div class="stack">
        <div class="finder">
          <video ref={video} autoplay playsInline muted aria-label={w.enrol.scanning} />
        </div>
        <p role="status">{problem.value ? <Fault>{problem.value}</Fault> : w.enrol.scanning}</p>
        <label class="button wide quiet file">
          <Icon name="camera" />
          {w.enrol.scan_photo}
          <input
            type="file"
            accept="image/*"
            capture="environment"
            onChange={(event) => {
              void fromPicture(event.currentTarget.files);
              event.currentTarget.value = "";
            }}
          />
        </label>
      </div>
    </Sheet>
  );
}

/** The back camera on a video element, each of whose frames is looked at; ends with the component. */
function useCamera(look: (frame: HTMLVideoElement) => Promise<void>, denied: () => void) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer = 0;
    let ended = false;
    const next = async (): Promise<void> => {
      const frame = video.current;
      if (ended || !frame) return;
      if (frame.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) await look(frame).catch(() => undefined);
      if (!ended) timer = window.setTimeout(() => void next(), EVERY);
    };
    const start = async (): Promise<void> => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (ended || !video.current) return stop();
      video.current.srcObject = stream;
      await next();
    };
    const stop = (): void => {
      ended = true;
      clearTimeout(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    if (navigator.mediaDevices) start().catch(denied);
    else denied();
    return stop;
  }, []);
  return video;
}
