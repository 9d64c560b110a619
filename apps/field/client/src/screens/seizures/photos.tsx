/** The photos of a seizure: taken or brought from the gallery, each with its own state, hashed and signed like any other. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Seizure } from "../../engine/index.ts";
import { words } from "../../i18n/index.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { announce } from "../../ui/live.tsx";
import { Fault } from "../../ui/parts.tsx";
import { FileButton, Shot, Viewer } from "../form/photos.tsx";

interface Props {
  readonly seizure: Seizure;
  readonly id: string;
  readonly fault?: string | null;
}

export function SeizurePhotos({ seizure, id, fault = null }: Props) {
  const p = words().photos;
  const ids = Object.values(seizure.photos).flat();
  const open = useSignal<string | null>(null);
  const { busy, problem, run } = useCommand();
  useEffect(() => engine.warmPosition(), []);
  const add = (files: FileList | null, source: "camera" | "gallery"): void => {
    const pictures = [...(files ?? [])];
    void run(async () => {
      for (const picture of pictures) await engine.finds.addPhoto(seizure.id, picture, source);
      if (pictures.length > 0) announce(p.added);
    });
  };
  return (
    <div id={id} tabIndex={-1} role="group" aria-label={p.purposes[""]} class="stack tight">
      {ids.length > 0 && (
        <ul class="shots">
          {ids.map((one, index) => (
            <li key={one}>
              <Shot id={one} label={p.open(index + 1, ids.length)} open={() => (open.value = one)} />
            </li>
          ))}
        </ul>
      )}
      {seizure.is_editable && (
        <div class="row">
          <FileButton icon="camera" text={p.take} capture disabled={busy.value} files={(f) => add(f, "camera")} />
          <FileButton icon="gallery" text={p.gallery} disabled={busy.value} files={(f) => add(f, "gallery")} />
        </div>
      )}
      {problem.value !== null && <Fault>{wordsFor(problem.value, p.errors)}</Fault>}
      {fault && <Fault>{fault}</Fault>}
      {open.value && ids.includes(open.value) && (
        <Viewer
          report={seizure}
          step=""
          ids={ids}
          id={open.value}
          show={(one) => (open.value = one)}
          take={(one) => engine.finds.removePhoto(seizure.id, one)}
        />
      )}
    </div>
  );
}
