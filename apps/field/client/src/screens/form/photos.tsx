/** The photos of a step: taken with the camera or brought from the gallery (and marked so), each with its own state. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { PhotoRule, Report, Step } from "../../engine/types.ts";
import { named, words } from "../../i18n/index.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { Confirm, Sheet } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { announce } from "../../ui/live.tsx";
import { Badge, Fault, Meter } from "../../ui/parts.tsx";

interface StripProps {
  readonly report: Report;
  readonly step: Step;
  readonly rule: PhotoRule;
  readonly due: boolean;
}

export function PhotoStrip({ report, step, rule, due }: StripProps) {
  const w = words().photos;
  const ids = report.photos[step.key] ?? [];
  const open = useSignal<string | null>(null);
  const { busy, problem, run } = useCommand();
  const full = ids.length >= rule.max;
  const add = (files: FileList | null, source: "camera" | "gallery"): void => {
    const pictures = [...(files ?? [])];
    void run(async () => {
      for (const picture of pictures) await engine.addPhoto(report.id, step.key, picture, source);
      if (pictures.length > 0) announce(w.added);
    });
  };
  useEffect(() => engine.warmPosition(), []);
  const purpose = named(w.purposes, rule.purpose);
  return (
    <div role="group" class="stack tight" aria-label={purpose}>
      <p class="hint">
        {[
          due || rule.min > 0 ? w.rule(rule.min, rule.max, purpose) : w.rule_optional(rule.max, purpose),
          rule.original ? w.original : "",
        ]
          .filter(Boolean)
          .join(" · ")}
        {due && <strong class="unmet"> · {w.due(Math.max(rule.min - ids.length, 1))}</strong>}
      </p>
      {ids.length > 0 && (
        <ul class="shots">
          {ids.map((id, index) => (
            <li key={id}>
              <Shot id={id} label={w.open(index + 1, ids.length)} open={() => (open.value = id)} />
            </li>
          ))}
        </ul>
      )}
      {full ? (
        <p class="hint">{w.full}</p>
      ) : (
        <div class="row">
          <FileButton icon="camera" text={w.take} capture disabled={busy.value} files={(f) => add(f, "camera")} />
          <FileButton icon="gallery" text={w.gallery} disabled={busy.value} files={(f) => add(f, "gallery")} />
        </div>
      )}
      {problem.value !== null && <Fault>{wordsFor(problem.value, w.errors)}</Fault>}
      {open.value && ids.includes(open.value) && (
        <Viewer report={report} step={step.key} ids={ids} id={open.value} show={(id) => (open.value = id)} />
      )}
    </div>
  );
}

interface FileButtonProps {
  readonly icon: "camera" | "gallery";
  readonly text: string;
  readonly capture?: boolean;
  readonly disabled: boolean;
  readonly files: (files: FileList | null) => void;
}

export function FileButton({ icon, text, capture = false, disabled, files }: FileButtonProps) {
  return (
    <label class="button quiet file">
      <Icon name={icon} />
      {text}
      <input
        type="file"
        accept="image/*"
        capture={capture ? "environment" : undefined}
        multiple={!capture}
        aria-disabled={disabled}
        onClick={(event) => {
          if (disabled) event.preventDefault(); // really disabled, it would lose the focus
        }}
        onChange={(event) => {
          files(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

/** The address of a picture kept on the phone, given back when it is no longer shown. */
function usePicture(id: string, read: (id: string) => Promise<Blob | null>, ready: boolean): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    let made = "";
    let gone = false;
    if (ready) {
      void read(id)
        .catch(() => null)
        .then((blob) => {
          if (!blob || gone) return;
          made = URL.createObjectURL(blob);
          setUrl(made);
        });
    }
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
      setUrl("");
    };
  }, [id, ready]);
  return url;
}

const thumbnail = (id: string): Promise<Blob | null> => engine.thumbnail(id);
const picture = (id: string): Promise<Blob | null> => engine.picture(id);

interface ShotProps {
  readonly id: string;
  readonly label: string;
  /** What the photo shows, where photos of several kinds stand together. */
  readonly shows?: string;
  readonly open: () => void;
}

export function Shot({ id, label, shows = "", open }: ShotProps) {
  const w = words().photos;
  const photo = engine.photos.value.get(id);
  const url = usePicture(id, thumbnail, photo !== undefined && photo.state !== "processing");
  const state = photo ? w.states[photo.state] : w.unknown;
  const tone = photo?.state === "stored" ? "good" : photo?.state === "attention" ? "bad" : "";
  return (
    <button type="button" class="shot" onClick={open} aria-label={`${label}: ${[shows, state].filter(Boolean).join(" ")}`}>
      {url ? <img src={url} alt="" /> : <Icon name="camera" />}
      {photo?.capture_mode === "import" && (
        <span class="from" title={w.from_gallery}>
          <Icon name="gallery" size={16} />
        </span>
      )}
      {shows && <span class="shows">{shows} </span>}
      <span class={`mark ${tone}`}>{state}</span>
    </button>
  );
}

interface ViewerProps {
  readonly report: Pick<Report, "id" | "is_editable">;
  readonly step: string;
  readonly ids: readonly string[];
  readonly id: string;
  readonly show: (id: string | null) => void;
  /** How a photo is taken out; of an inspection unless said. */
  readonly take?: (id: string) => void;
}

export function Viewer({ report, step, ids, id, show, take }: ViewerProps) {
  const w = words();
  const asking = useSignal(false);
  const photo = engine.photos.value.get(id);
  const url = usePicture(id, picture, photo?.is_here === true);
  const body = useRef<HTMLDivElement>(null);
  const at = ids.indexOf(id);
  const turn = (by: number): void => show(ids[(at + by + ids.length) % ids.length] ?? id);
  const remove = (): void => {
    if (take) take(id);
    else engine.removePhoto(report.id, step, id);
    announce(w.photos.removed);
    show(null);
  };
  return (
    <Sheet full title={w.photos.open(at + 1, ids.length)} close={() => show(null)}>
      <div
        class="stack"
        ref={body}
        onKeyDown={(event) => {
          if (event.key === "ArrowRight") turn(1);
          if (event.key === "ArrowLeft") turn(-1);
        }}
      >
        <div class="viewer">
          {url ? <img src={url} alt={w.photos.open(at + 1, ids.length)} /> : <p class="empty">{w.photos.not_here}</p>}
        </div>
        <p class="row">
          {photo && <Badge state={photo.state} text={w.photos.states[photo.state]} />}
          {photo?.purpose && <strong>{named(w.photos.purposes, photo.purpose)}</strong>}
          {photo?.capture_mode === "import" && <span class="soft">{w.photos.from_gallery}</span>}
        </p>
        {photo?.state === "sending" && (
          <Meter value={photo.sent} most={photo.size} label={w.photos.states.sending} />
        )}
        <div class="row">
          {ids.length > 1 && (
            <>
              <button type="button" class="quiet square" onClick={() => turn(-1)} aria-label={w.form.previous}>
                <Icon name="back" />
              </button>
              <button type="button" class="quiet square" onClick={() => turn(1)} aria-label={w.form.next}>
                <Icon name="next" />
              </button>
            </>
          )}
          {report.is_editable && (
            <button type="button" class="danger" onClick={() => (asking.value = true)}>
              <Icon name="trash" />
              {w.photos.remove}
            </button>
          )}
        </div>
      </div>
      {asking.value && (
        <Confirm
          title={w.photos.remove_title}
          lead={w.photos.remove_lead}
          act={w.photos.remove}
          onAct={remove}
          close={() => (asking.value = false)}
        />
      )}
    </Sheet>
  );
}
