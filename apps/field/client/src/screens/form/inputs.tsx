/** The input of each kind of step. They give values as the protocol has them; numbers as decimal strings, as typed. */

import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Answer, Json, Step } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { named, say, words } from "../../i18n/index.ts";
import { cleanText, MAX_NAME, MAX_RAW, MAX_TEXT } from "../../rules/values.ts";
import { Icon } from "../../ui/icons.tsx";
import { Choices, Notice } from "../../ui/parts.tsx";
import { canScan, ScanSheet } from "../scan/sheet.tsx";
import { TextInput } from "./text.tsx";

export interface InputProps {
  readonly step: Step;
  readonly answer: Answer | undefined;
  /** Keep a value; undefined takes it back. */
  readonly give: (value: Json | undefined) => void;
  /** Id of the element that names the step. */
  readonly named: string;
  readonly describedBy: string | undefined;
  readonly faulty: boolean;
}

const LONG_TEXT = 120;

export function StepInput(props: InputProps): JSX.Element | null {
  const Input = INPUTS[props.step.kind];
  if (props.step.kind === "photo") return null;
  if (!Input) {
    return (
      <Notice tone="warn" icon="download">
        {words().form.unknown_kind}
      </Notice>
    );
  }
  return <Input {...props} />;
}

function YesNo({ step, answer, give, describedBy, faulty }: InputProps) {
  const { yes, no } = words().common;
  const chosen = answer?.value === true ? ["yes"] : answer?.value === false ? ["no"] : [];
  return (
    <Choices
      class="pair"
      legend={say(step.text)}
      hidden
      options={[
        { value: "yes", label: yes },
        { value: "no", label: no },
      ]}
      chosen={chosen}
      choose={(value) => give(value === "yes")}
      describedBy={describedBy}
      faulty={faulty}
    />
  );
}

function optionsOf(step: Step): { value: string; label: string }[] {
  return (step.options ?? []).map(({ value, label }) => ({ value, label: say(label) }));
}

function One({ step, answer, give, describedBy, faulty }: InputProps) {
  const chosen = typeof answer?.value === "string" ? [answer.value] : [];
  return (
    <Choices
      legend={say(step.text)}
      hidden
      options={optionsOf(step)}
      chosen={chosen}
      choose={give}
      describedBy={describedBy}
      faulty={faulty}
    />
  );
}

function Several({ step, answer, give, describedBy, faulty }: InputProps) {
  const chosen = Array.isArray(answer?.value) ? answer.value.map(String) : [];
  const toggle = (value: string): void => {
    const after = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
    const inOrder = (step.options ?? []).map((option) => option.value).filter((one) => after.includes(one));
    give(inOrder.length > 0 ? inOrder : undefined);
  };
  return (
    <>
      <p class="hint">{words().form.choose_many}</p>
      <Choices
        legend={say(step.text)}
        hidden
        many
        options={optionsOf(step)}
        chosen={chosen}
        choose={toggle}
        describedBy={describedBy}
        faulty={faulty}
      />
    </>
  );
}

function shown(value: Json | undefined): string {
  return value === undefined || value === null ? "" : format.decimalText(String(value));
}

/** What was typed as the protocol wants it; a text that is no number yet is kept as it is, and found faulty. */
function read(text: string): string | undefined {
  return text.trim() === "" ? undefined : (format.typedNumber(text) ?? text.trim());
}

function limits(step: Step): string {
  const [min, max] = [step.min, step.max].map((end) =>
    end === undefined || end === null ? null : format.decimalText(String(end)),
  );
  return words().form.number_hint(min ?? null, max ?? null, step.decimals ?? 0);
}

function Amount({ step, answer, give, named: name, describedBy, faulty }: InputProps) {
  const whole = (step.decimals ?? 0) === 0;
  const input = (
    <TextInput
      text={shown(answer?.value)}
      typed={(text) => give(read(text))}
      inputMode={whole ? "numeric" : "decimal"}
      aria-labelledby={name}
      aria-describedby={describedBy}
      aria-invalid={faulty ? "true" : undefined}
      maxLength={40}
    />
  );
  const unit = step.unit ? named(words().units, step.unit) : "";
  return (
    <>
      <p class="hint">{limits(step)}</p>
      {whole && !step.unit ? (
        <Counter step={step} answer={answer} give={give}>
          {input}
        </Counter>
      ) : (
        <div class="measure">
          {input}
          <span class="unit">{unit}</span>
        </div>
      )}
    </>
  );
}

type CounterProps = Pick<InputProps, "step" | "answer" | "give"> & { readonly children: JSX.Element };

/** Minus and plus beside a whole number: quicker than a keyboard, and a glove can do it. */
function Counter({ step, answer, give, children }: CounterProps) {
  const now = Number(answer?.value ?? 0) || 0;
  const low = step.min === undefined || step.min === null ? 0 : Number(step.min);
  const high = step.max === undefined || step.max === null ? Number.MAX_SAFE_INTEGER : Number(step.max);
  const by = (amount: number): void => {
    const blank = answer?.value === undefined || answer.value === null;
    give(String(blank ? Math.max(low, Math.min(high, amount > 0 ? Math.max(1, low) : low)) : Math.max(low, Math.min(high, now + amount))));
  };
  return (
    <div class="counter">
      <button type="button" class="quiet" onClick={() => by(-1)} aria-label={`${say(step.text)} −1`}>
        <Icon name="minus" />
      </button>
      {children}
      <button type="button" class="quiet" onClick={() => by(1)} aria-label={`${say(step.text)} +1`}>
        <Icon name="plus" />
      </button>
    </div>
  );
}

function Words({ step, answer, give, named: name, describedBy, faulty }: InputProps) {
  const most = step.max_length ?? MAX_TEXT;
  const text = typeof answer?.value === "string" ? answer.value : "";
  return (
    <>
      {step.pattern && <p class="hint">{words().form.pattern_hint}</p>}
      <TextInput
        long={most > LONG_TEXT}
        text={text}
        typed={(typed) => give(cleanText(typed) || undefined)}
        aria-labelledby={name}
        aria-describedby={describedBy}
        aria-invalid={faulty ? "true" : undefined}
      />
      {text.length > most * 0.8 && (
        <p class="hint tabular">{words().form.characters(Array.from(text).length, most)}</p>
      )}
    </>
  );
}

function Scan({ step, answer, give, named: name, describedBy, faulty }: InputProps) {
  const w = words().form;
  const scanning = useSignal(false);
  const held = answer?.value as { raw?: string; symbology?: string } | undefined;
  const formats = step.symbology ?? [];
  return (
    <>
      <p class="hint">{w.scan_hint}</p>
      {canScan(formats) && (
        <button type="button" class="wide quiet" onClick={() => (scanning.value = true)}>
          <Icon name="scan" />
          {held?.raw ? w.scan_again : w.scan}
        </button>
      )}
      <TextInput
        text={held?.raw ?? ""}
        typed={(text) => give(text.trim() ? { raw: cleanText(text).trim(), symbology: "manual" } : undefined)}
        long={formats.includes("mrz")}
        aria-labelledby={name}
        aria-describedby={describedBy}
        aria-invalid={faulty ? "true" : undefined}
        autoCapitalize="characters"
        spellcheck={false}
        class="mono"
        maxLength={MAX_RAW}
      />
      {held?.raw && <p class="hint">{named(w.symbologies, held.symbology ?? "manual")}</p>}
      {scanning.value && (
        <ScanSheet
          title={say(step.text)}
          formats={formats}
          found={({ text, format: symbology }) => {
            scanning.value = false;
            give({ raw: cleanText(text).trim().slice(0, MAX_RAW), symbology });
          }}
          close={() => (scanning.value = false)}
        />
      )}
    </>
  );
}

function Sign({ answer, give, named: name, describedBy, faulty }: InputProps) {
  const w = words().form;
  const me = engine.device.value?.officer.name ?? "";
  const held = answer?.value as { name?: string; attachment?: string } | undefined;
  const signer = held?.name ?? "";
  return (
    <>
      <p class="hint">{w.sign_hint}</p>
      {me && signer !== me && (
        <button type="button" class="wide quiet" onClick={() => give({ ...held, name: me })}>
          <Icon name="pen" />
          {w.sign_me(me)}
        </button>
      )}
      <TextInput
        text={signer}
        typed={(text) => give(text.trim() ? { ...held, name: cleanText(text) } : undefined)}
        placeholder={w.sign}
        aria-labelledby={name}
        aria-describedby={describedBy}
        aria-invalid={faulty ? "true" : undefined}
        maxLength={MAX_NAME}
      />
    </>
  );
}

const INPUTS: Readonly<Record<string, (props: InputProps) => JSX.Element>> = {
  bool: YesNo,
  choice: One,
  multi: Several,
  number: Amount,
  measure: Amount,
  text: Words,
  scan: Scan,
  sign: Sign,
};
