/**
 * The photos of a seizure: taken or brought from the gallery, each with what it shows and its own state, hashed and signed
 * like any other. What it shows is said before it is taken and stays: it is part of what the phone signs.
 */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Seizure } from "../../engine/index.ts";
import { named, words } from "../../i18n/index.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { announce } from "../../ui/live.tsx";
import { Fault } from "../../ui/parts.tsx";
import { FileButton, Shot, Viewer } from "../form/photos.tsx";
import { placeId, put, SCALE_REASON, specOf } from "./edit.ts";
import { FieldInput } from "./inputs.tsx";
import { w } from "./words.ts";

const PURPOSES = ["overview", "close_up", "scale", "xray", "seal", "document", "person"] as const;
/** Who somebody is: others see such photos for a stated purpose alone (docs/seizures.md). */
const NOMINAL: readonly string[] = ["document", "person"];

interface Props {
  readonly seizure: Seizure;
  readonly id: string;
  readonly fault?: string | null;
}

export function SeizurePhotos({ seizure, id, fault = null }: Props) {
  const purpose = useSignal<string>(PURPOSES[0]);
  const photos = Object.values(seizure.photos).flat();
  return (
    <div id={id} tabIndex={-1} role="group" aria-label={w().fields.photos} class="stack tight">
      <Strip seizure={seizure} ids={photos} />
      {seizure.is_editable && (
        <>
          <label for={`${id}-shows`}>{w().photos.shows}</label>
          <select
            id={`${id}-shows`}
            value={purpose.value}
            aria-describedby={`${id}-nominal`}
            onChange={(event) => (purpose.value = event.currentTarget.value)}
          >
            {PURPOSES.map((one) => (
              <option key={one} value={one}>
                {words().photos.purposes[one]}
              </option>
            ))}
          </select>
          <p class="hint" id={`${id}-nominal`}>
            {NOMINAL.includes(purpose.value) ? w().photos.nominal : ""}
          </p>
          <Take seizure={seizure} purpose={purpose.value} text={words().photos.take} />
        </>
      )}
      {fault && <Fault>{fault}</Fault>}
    </div>
  );
}

/** The photos of the scale beside what was weighed, or the reason for none: without either no leader can verify the report. */
export function ScalePhotos({ seizure, fault }: Pick<Props, "seizure" | "fault">) {
  const scale = Object.values(seizure.photos)
    .flat()
    .filter((id) => engine.photos.value.get(id)?.purpose === "scale");
  const reason = seizure.fields[SCALE_REASON];
  return (
    <section class="card" id={placeId("scale")} aria-label={w().photos.scale}>
      <h3>{w().photos.scale}</h3>
      <Strip seizure={seizure} ids={scale} />
      {seizure.is_editable && <Take seizure={seizure} purpose="scale" text={w().photos.take_scale} />}
      {(scale.length === 0 || Boolean(reason)) && (
        <FieldInput
          name={SCALE_REASON}
          spec={specOf(SCALE_REASON)}
          value={reason}
          give={(value) => put(seizure, SCALE_REASON, value)}
          id={placeId(SCALE_REASON)}
          hint={w().flash.no_photo_hint}
          fault={fault ?? null}
        />
      )}
    </section>
  );
}

interface TakeProps {
  readonly seizure: Seizure;
  readonly purpose: string;
  readonly text: string;
  readonly gallery?: boolean;
}

export function Take({ seizure, purpose, text, gallery = true }: TakeProps) {
  const p = words().photos;
  const { busy, problem, run } = useCommand();
  useEffect(() => engine.warmPosition(), []);
  const add = (files: FileList | null, source: "camera" | "gallery"): void => {
    const pictures = [...(files ?? [])];
    void run(async () => {
      for (const picture of pictures) await engine.finds.addPhoto(seizure.id, picture, source, purpose);
      if (pictures.length > 0) announce(p.added);
    });
  };
  return (
    <>
      <div class="row">
        <FileButton icon="camera" text={text} capture disabled={busy.value} files={(f) => add(f, "camera")} />
        {gallery && <FileButton icon="gallery" text={p.gallery} disabled={busy.value} files={(f) => add(f, "gallery")} />}
      </div>
      {problem.value !== null && <Fault>{wordsFor(problem.value, p.errors)}</Fault>}
    </>
  );
}

function Strip({ seizure, ids }: { seizure: Seizure; ids: readonly string[] }) {
  const p = words().photos;
  const open = useSignal<string | null>(null);
  return (
    <>
      {ids.length > 0 && (
        <ul class="shots">
          {ids.map((one, index) => (
            <li key={one}>
              <Shot
                id={one}
                label={p.open(index + 1, ids.length)}
                shows={named(p.purposes, engine.photos.value.get(one)?.purpose ?? "")}
                open={() => (open.value = one)}
              />
            </li>
          ))}
        </ul>
      )}
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
    </>
  );
}
