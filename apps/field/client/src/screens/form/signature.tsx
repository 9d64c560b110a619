/**
 * Signing with a finger: the strokes become a picture of the step, kept and sent as its photos are, signed for by the
 * device like them. Whoever cannot draw types the name alone.
 */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Answer, Report, Step } from "../../engine/types.ts";
import { words } from "../../i18n/index.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { Sheet } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Fault } from "../../ui/parts.tsx";
import { answer as keep, withValue } from "./editing.ts";
import { Shot, Viewer } from "./photos.tsx";

const [WIDTH, HEIGHT] = [900, 360];
const PEN = 5;

interface SignatureProps {
  readonly report: Report;
  readonly step: Step;
  readonly answer: Answer | undefined;
}

/** The drawn signature of a step: asked for once a name stands there, shown when it was given. */
export function Signature({ report, step, answer }: SignatureProps) {
  const w = words();
  const [drawing, open] = [useSignal(false), useSignal<string | null>(null)];
  const { busy, problem, run } = useCommand();
  const value = answer?.value as { name?: string; attachment?: string } | undefined;
  const ids = report.photos[step.key] ?? [];
  const drawn = value?.attachment && ids.includes(value.attachment) ? value.attachment : null;
  if (!value?.name) return null;
  const take = async (picture: Blob): Promise<void> => {
    drawing.value = false;
    await run(async () => {
      const id = await engine.addPhoto(report.id, step.key, picture, "camera");
      for (const before of ids) engine.removePhoto(report.id, step.key, before);
      keep(report, step.key, withValue(answer, { ...value, attachment: id }));
    });
  };
  return (
    <div class="stack tight">
      {drawn && (
        <ul class="shots signatures">
          <li>
            <Shot id={drawn} label={w.form.signature} open={() => (open.value = drawn)} />
          </li>
        </ul>
      )}
      <button type="button" class="quiet wide" aria-disabled={busy.value} onClick={() => (drawing.value = true)}>
        <Icon name="pen" />
        {drawn ? w.form.sign_again : w.form.sign_draw}
      </button>
      {problem.value !== null && <Fault>{wordsFor(problem.value, w.photos.errors)}</Fault>}
      {drawing.value && <Pad name={value.name} done={(picture) => void take(picture)} close={() => (drawing.value = false)} />}
      {open.value && (
        <Viewer
          report={{ ...report, is_editable: false }}
          step={step.key}
          ids={[open.value]}
          id={open.value}
          show={(id) => (open.value = id)}
        />
      )}
    </div>
  );
}

interface PadProps {
  readonly name: string;
  readonly done: (picture: Blob) => void;
  readonly close: () => void;
}

function Pad({ name, done, close }: PadProps) {
  const w = words().form;
  const canvas = useRef<HTMLCanvasElement>(null);
  const blank = useSignal(true);
  const clear = (): void => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.fillStyle = "#fff"; // paper, by day and by night: the picture goes into the file
    context.fillRect(0, 0, WIDTH, HEIGHT);
    blank.value = true;
  };
  useEffect(clear, []);
  const at = (event: PointerEvent): [number, number] => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  };
  const begin = (event: PointerEvent): void => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    canvas.current?.setPointerCapture(event.pointerId);
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#0b1d33" });
    context.beginPath();
    context.moveTo(...at(event));
    draw(event);
  };
  const draw = (event: PointerEvent): void => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current?.hasPointerCapture(event.pointerId)) return;
    context.lineTo(...at(event));
    context.stroke();
    blank.value = false;
  };
  const finish = (): void => canvas.current?.toBlob((picture) => picture && done(picture), "image/png");
  return (
    <Sheet title={w.sign_title(name)} close={close}>
      <p>{w.sign_draw_hint}</p>
      <canvas
        ref={canvas}
        class="pad"
        width={WIDTH}
        height={HEIGHT}
        role="img"
        aria-label={w.sign_title(name)}
        onPointerDown={begin}
        onPointerMove={draw}
      />
      <div class="row">
        <button type="button" class="quiet" onClick={clear}>
          {w.sign_clear}
        </button>
        <button type="button" aria-disabled={blank.value} onClick={() => blank.value || finish()}>
          <Icon name="check" />
          {w.sign_done}
        </button>
      </div>
    </Sheet>
  );
}
