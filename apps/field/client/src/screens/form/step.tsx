/** One step as a card: what is asked, what to beware of, the answer, its photos, its note, what stands against it. */

import { useSignal } from "@preact/signals";
import type { Answer, Note, Report, Step } from "../../engine/types.ts";
import { named, say, words } from "../../i18n/index.ts";
import { isGiven } from "../../rules/answers.ts";
import { cleanText } from "../../rules/values.ts";
import { Icon } from "../../ui/icons.tsx";
import { Choices, Fault, Notice } from "../../ui/parts.tsx";
import { answer as keep, withNote, withValue } from "./editing.ts";
import { StepInput } from "./inputs.tsx";
import { PhotoStrip } from "./photos.tsx";
import { Signature } from "./signature.tsx";
import { TextInput } from "./text.tsx";

export interface StepProps {
  readonly report: Report;
  readonly step: Step;
  readonly number: number;
  readonly answer: Answer | undefined;
  readonly required: boolean;
  /** Codes of what stands against it now, missing things included. */
  readonly codes: readonly string[];
  /** Whether missing things are shown as faults already. */
  readonly insist: boolean;
  readonly notes: readonly Note[];
}

const MISSING = new Set(["required", "photos-missing", "reason-missing"]);

export function StepCard({ report, step, number, answer, required, codes, insist, notes }: StepProps) {
  const w = words();
  const [id, title, faults] = [`step-${step.key}`, `step-${step.key}-title`, `step-${step.key}-faults`];
  const done = step.kind === "photo" ? (report.photos[step.key]?.length ?? 0) > 0 : isGiven(answer);
  const excused = answer?.na === true || answer?.unavailable === true;
  const shown = codes.filter((code) => insist || !MISSING.has(code));
  const tone = shown.length > 0 ? "faulty" : notes.length > 0 ? "flagged" : "";
  const give = (next: Answer | null): void => keep(report, step.key, next);
  return (
    <article id={id} class={`step card ${tone}`} tabIndex={-1} aria-labelledby={title}>
      <div class="step-head">
        <p class="number">
          {w.form.step(number)}
          {required && <span class={done || excused ? "unseen" : "mark"}>{w.common.required}</span>}
          {(done || excused) && (
            <span class="mark done">
              <Icon name="check" size={16} />
            </span>
          )}
        </p>
        <h3 id={title}>{say(step.text)}</h3>
      </div>
      {step.safety_note && (
        <Notice tone="warn" icon="warn">
          <p>
            <strong>{w.form.safety}.</strong> {say(step.safety_note)}
          </p>
        </Notice>
      )}
      {notes.map((note) => (
        <Notice key={`${note.at}${note.text}`} tone="warn" icon="note">
          <strong>{w.form.reviewer_note}</strong>
          <p>{note.text}</p>
        </Notice>
      ))}
      {excused ? (
        <Excuse step={step} answer={answer} give={give} />
      ) : (
        <>
          <StepInput
            step={step}
            answer={answer}
            give={(value) => give(withValue(answer, value))}
            named={title}
            describedBy={shown.length > 0 ? faults : undefined}
            faulty={shown.length > 0}
          />
          {step.kind === "sign" && <Signature report={report} step={step} answer={answer} />}
          {step.photos && (
            <PhotoStrip report={report} step={step} rule={step.photos} due={codes.includes("photos-missing")} />
          )}
        </>
      )}
      {shown.length > 0 && (
        <div id={faults}>
          {shown.map((code) => (
            <Fault key={code}>{named(w.faults, code)}</Fault>
          ))}
        </div>
      )}
      <Extras step={step} answer={answer} excused={excused} give={give} />
    </article>
  );
}

type Give = (next: Answer | null) => void;

/** "Not applicable" or "equipment unavailable", with the reason that is due. */
function Excuse({ step, answer, give }: { step: Step; answer: Answer; give: Give }) {
  const w = words().form;
  const way = answer.na ? "na" : "unavailable";
  const reason = answer.reason ?? "";
  const excuse = (text: string): void =>
    give(withNote({ ...(way === "na" ? { na: true } : { unavailable: true }), ...(text ? { reason: text } : {}) }, answer.note ?? ""));
  const label = `step-${step.key}-reason`;
  return (
    <div class="stack tight">
      <p class="row between">
        <strong>{way === "na" ? w.na : w.unavailable}</strong>
        <button type="button" class="bare" onClick={() => give(withNote({}, answer.note ?? ""))}>
          {w.answer_instead}
        </button>
      </p>
      <label for={label}>{w.reason}</label>
      {!reason && <p class="hint">{w.reason_hint}</p>}
      <Choices
        class="chips"
        legend={w.reason}
        hidden
        options={w.reasons[way].map((text) => ({ value: text, label: text }))}
        chosen={[reason]}
        choose={excuse}
      />
      <TextInput id={label} text={reason} typed={(text) => excuse(cleanText(text))} maxLength={500} />
    </div>
  );
}

interface ExtrasProps {
  readonly step: Step;
  readonly answer: Answer | undefined;
  readonly excused: boolean;
  readonly give: Give;
}

function Extras({ step, answer, excused, give }: ExtrasProps) {
  const w = words().form;
  const noting = useSignal(false);
  const note = answer?.note ?? "";
  const legal = typeof step.legal_ref === "object" && step.legal_ref ? say(step.legal_ref) : step.legal_ref;
  const mayExcuse = !excused && (step.allow_na || step.kind !== "sign");
  const noted = `step-${step.key}-note`;
  const excuse = (way: "na" | "unavailable"): void =>
    give(withNote(way === "na" ? { na: true } : { unavailable: true }, note));
  return (
    <>
      {(noting.value || note) && (
        <div class="field">
          <label for={noted}>{w.note}</label>
          <TextInput
            id={noted}
            long
            text={note}
            typed={(text) => give(withNote(answer, cleanText(text)))}
            maxLength={4000}
          />
        </div>
      )}
      <div class="extras">
        {(step.help || legal) && (
          <details class="fold">
            <summary>
              <Icon name="help" size={20} />
              {w.help}
            </summary>
            {step.help && <p>{say(step.help)}</p>}
            {legal && (
              <p class="soft small">
                {w.legal}: {legal}
              </p>
            )}
          </details>
        )}
        {!noting.value && !note && (
          <button type="button" class="bare" onClick={() => (noting.value = true)}>
            <Icon name="note" size={20} />
            {w.add_note}
          </button>
        )}
        {mayExcuse && (
          <details class="fold">
            <summary>{w.cannot}</summary>
            <div class="row">
              {step.allow_na && (
                <button type="button" class="quiet" onClick={() => excuse("na")}>
                  {w.na}
                </button>
              )}
              {step.kind !== "sign" && (
                <button type="button" class="quiet" onClick={() => excuse("unavailable")}>
                  {w.unavailable}
                </button>
              )}
            </div>
          </details>
        )}
        {!excused && answer?.value !== undefined && step.kind !== "text" && (
          <button type="button" class="bare" onClick={() => give(withValue(answer, undefined))}>
            {w.clear}
          </button>
        )}
      </div>
    </>
  );
}
