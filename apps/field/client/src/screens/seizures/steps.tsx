/**
 * Writing down a package, and the steps of one: seal, open, seal again, store, move, take back from the laboratory. Seals are
 * scanned or typed; what is half filled in survives the tab.
 */

import { type Signal, signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Exhibit, Seizure } from "../../engine/index.ts";
import type { Json } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { words } from "../../i18n/index.ts";
import { standing } from "../../rules/seizure.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { toPlaceOf } from "../../ui/focus.ts";
import { announce } from "../../ui/live.tsx";
import { Choices, Fault, Head } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { FieldInput } from "./inputs.tsx";
import { amountText, exhibitName } from "./row.tsx";
import { substance, vocabulary, w } from "./words.ts";

export type SaidOf = Record<string, Json>;
export type Taken = "seal" | "reseal" | "unseal" | "store" | "move" | "receive";
const TAKEN: readonly string[] = ["seal", "reseal", "unseal", "store", "move", "receive"];
/** Steps that put seals on. */
const SEALING: readonly Taken[] = ["seal", "reseal", "receive"];

export function isTaken(page: string): page is Taken {
  return TAKEN.includes(page);
}

/** What each step asks for. */
const NEEDS: Readonly<Record<Taken, readonly string[]>> = {
  seal: ["seal_numbers", "gross_mass_g", "is_subject_present", "witnesses"],
  reseal: ["seal_numbers", "gross_mass_g", "is_subject_present", "witnesses"],
  unseal: ["seals_read", "purpose", "is_subject_present", "witnesses"],
  store: ["place"],
  move: ["place", "purpose"],
  receive: ["seal_numbers", "gross_mass_g"],
};
const SPECS: Readonly<Record<string, string>> = {
  mark: "text 20",
  description: "text 1000",
  gross_mass_g: "decimal 4",
  net_mass_g: "decimal 4",
  volume_ml: "decimal 3",
  count: "int",
  count_unit: "code count_unit",
  seal_numbers: "texts 60",
  seals_read: "texts 60",
  seal_type: "code seal_type",
  place: "text 200",
  purpose: "text 500",
  is_subject_present: "among yes no",
  witnesses: "texts 200",
  issuer: "text 40",
  signers: "texts 200",
  stamp_of: "text 200",
  condition: "text 1000",
  taken_mass_g: "decimal 4",
  taken_volume_ml: "decimal 3",
  taken_count: "int",
  decision_number: "text 60",
  note: "text 1000",
  reason: "text 1000",
};

interface FormProps {
  readonly said: Signal<SaidOf>;
  readonly name: string;
  readonly label?: string;
  readonly hint?: string;
  readonly fault?: string | null;
  readonly needed?: boolean;
}

/** A field of a custody form; what is entered is kept in the form until it is sent. */
export function StepField({ said, name, ...rest }: FormProps) {
  const give = (value: Json): void => {
    const { [name]: _, ...others } = said.value;
    said.value = value === null ? others : { ...others, [name]: value };
  };
  return <FieldInput {...rest} name={name} spec={SPECS[name] ?? "text 200"} value={said.value[name]} give={give} id={`step-${name}`} />;
}

/**
 * What is filled in on a form, begun with what was there when the tab died. `form` names it: the id of its record, and which
 * form of that record it is.
 */
export function useHalfFilled<T extends { [key: string]: Json }>(form: string, begin: () => T): Signal<T> {
  const [said] = useState(() => signal((engine.finds.halfFilled(form) as T | null) ?? begin()));
  useEffect(() => {
    let isFirst = true;
    return said.subscribe((entered) => {
      if (!isFirst) engine.finds.keepHalfFilled(form, entered);
      isFirst = false;
    });
  }, [form]);
  return said;
}

/** The form is done with: nothing of it is kept. */
export function letGo(form: string): void {
  engine.finds.keepHalfFilled(form, null);
}

export const isThere = (value: Json | undefined): boolean => !(value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0));

/** What a step still lacks. */
function lacking(step: Taken, said: SaidOf): string[] {
  const wanted = said.is_subject_present === "yes" ? 1 : 2;
  return NEEDS[step].filter((name) =>
    name === "witnesses" ? (Array.isArray(said.witnesses) ? said.witnesses.length : 0) < wanted : !isThere(said[name]),
  );
}

interface FrameProps {
  readonly title: string;
  readonly up: string;
  readonly act: string;
  readonly command: () => Promise<void>;
  /** Given up: nothing is kept. */
  readonly drop: () => void;
  readonly children: ComponentChildren;
}

/** A custody form: its fields, and one button at the thumb. */
export function StepFrame({ title, up, act, command, drop, children }: FrameProps) {
  const { busy, problem, run } = useCommand();
  return (
    <main id="content" class="fill">
      <Head title={title} up={up} />
      {children}
      <div class="bar">
        {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
        <div class="two">
          <a class="button quiet" href={up} onClick={drop}>
            {words().common.cancel}
          </a>
          <button type="button" aria-disabled={busy.value} onClick={() => void run(command)}>
            {act}
          </button>
        </div>
      </div>
    </main>
  );
}

export function now(): { happened_on_device_at: string } {
  return { happened_on_device_at: format.isoWithOffset(new Date()) };
}

/** The seals of a form as the protocol has them. */
function sealsOf(said: SaidOf): Json {
  const numbers = Array.isArray(said.seal_numbers) ? said.seal_numbers : [];
  const issuer: SaidOf = said.issuer ? { issuer: said.issuer } : {};
  return numbers.map((number) => ({ number: String(number), type: String(said.seal_type ?? "evidence_bag"), ...issuer }));
}

export function StepForm({ exhibit, step }: { exhibit: Exhibit; step: Taken }) {
  const c = w().custody;
  const seizure = engine.finds.seizures.value.find((one) => one.id === exhibit.report);
  const form = `${exhibit.id}/${step}`;
  const said = useHalfFilled<SaidOf>(form, () => ({ seal_type: "evidence_bag", ...suggested(exhibit, seizure, step) }));
  const insisting = useSignal(false);
  const isSealing = SEALING.includes(step);
  const isWitnessed = step === "seal" || step === "reseal" || step === "unseal";
  const up = href({ screen: "exhibit", id: exhibit.id, page: "", step: "" });
  const open = insisting.value ? lacking(step, said.value) : [];
  const faultOf = (name: string): string | null =>
    open.includes(name) ? (name === "witnesses" ? w().faults.witnesses : w().faults.required) : null;
  const field = (name: string, label?: string, hint?: string) => (
    <StepField said={said} name={name} fault={faultOf(name)} needed={NEEDS[step].includes(name)} {...(label ? { label } : {})} {...(hint ? { hint } : {})} />
  );
  const take = async (): Promise<void> => {
    insisting.value = true;
    const [first] = lacking(step, said.value);
    if (first) {
      toPlaceOf(`step-${first}`);
      return;
    }
    const { seal_numbers: _, seal_type: __, issuer: ___, ...rest } = said.value;
    const told = { ...now(), ...rest, ...(isSealing ? { seals: sealsOf(said.value) } : {}) };
    await engine.finds.act(`exhibit.${step}`, exhibit.id, told, samplesOf(exhibit));
    letGo(form);
    announce(c.done[step]);
    go({ screen: "exhibit", id: exhibit.id, page: "", step: "" }, { replace: true });
  };
  return (
    <StepFrame title={`${c.step[step]}: ${exhibitName(exhibit)}`} up={up} act={c.step[step]} command={take} drop={() => letGo(form)}>
      <div class="card">
        {isSealing && field("seal_numbers", c.seal_here)}
        {isSealing && <SealType said={said} />}
        {step === "receive" && field("issuer", c.issuer, c.issuer_hint)}
        {isSealing && field("gross_mass_g", c.gross)}
        {(step === "unseal" || step === "store" || step === "move") && field("seals_read", c.seals_read, c.seals_read_hint)}
        {step === "store" && field("place", c.store_place, "")}
        {step === "move" && field("place", c.to_place, "")}
        {(step === "move" || step === "unseal") && field("purpose", c.purpose)}
      </div>
      {isWitnessed && (
        <div class="card">
          {field("is_subject_present", c.subject_present)}
          {field("witnesses", c.witnesses)}
          {step !== "unseal" && field("signers", c.signers, c.signers_hint)}
          {step !== "unseal" && field("stamp_of", c.stamp_of)}
          {field("condition", c.condition)}
        </div>
      )}
    </StepFrame>
  );
}

function SealType({ said }: { said: Signal<SaidOf> }) {
  return (
    <div class="field">
      <Choices
        class="chips"
        legend={w().custody.seal_type}
        options={vocabulary("seal_type")}
        chosen={[String(said.value.seal_type)]}
        choose={(type) => (said.value = { ...said.value, seal_type: type })}
      />
    </div>
  );
}

/** Samples of an exhibit that wait to be sent: what is done with it next goes after them. */
function samplesOf({ id }: Exhibit): string[] {
  return engine.finds.exhibits.value.filter((one) => one.parent === id && one.waiting.length > 0).map((one) => one.id);
}

/** What the report says already: the seals of its line that stand on no package yet, the mass, the witnesses. */
function suggested(exhibit: Exhibit, seizure: Seizure | undefined, step: Taken): SaidOf {
  if (step !== "seal") return {};
  const used = new Set(engine.finds.exhibits.value.flatMap(({ seals }) => seals.map((seal) => seal.number)));
  const line = seizure?.lines[exhibit.mark] ?? {};
  const free = (Array.isArray(line.seal_numbers) ? line.seal_numbers : []).filter((number) => !used.has(String(number)));
  const { witnesses, is_subject_present } = seizure?.fields ?? {};
  return {
    ...(free.length > 0 ? { seal_numbers: free } : {}),
    ...(exhibit.gross_mass_g ? { gross_mass_g: exhibit.gross_mass_g } : {}),
    ...(witnesses ? { witnesses } : {}),
    ...(is_subject_present ? { is_subject_present } : {}),
    ...(isThere(line.weighed_by) ? { signers: line.weighed_by as Json } : {}),
  };
}

/** Writing down a package of a line. */
export function PackageForm({ seizure }: { seizure: Seizure }) {
  const c = w().custody;
  const lines = standing(seizure.lines);
  const taken = new Set(engine.finds.exhibits.value.filter((one) => one.report === seizure.id).map((one) => one.mark));
  const first = lines.find(([mark]) => !taken.has(mark)) ?? lines[0];
  const form = `${seizure.id}/package`;
  const said = useHalfFilled<SaidOf>(form, () => ({ mark: first?.[0] ?? "", ...(first && !taken.has(first[0]) ? amounts(first[1]) : {}) }));
  const insisting = useSignal(false);
  const up = href({ screen: "seizure", id: seizure.id, page: "", step: "" });
  const hasAmount = ["gross_mass_g", "net_mass_g", "volume_ml", "count"].some((name) => Number(said.value[name]) > 0);
  const f = w().faults;
  const show = (name: string, isBad: boolean, text: string = f.required) => (
    <StepField said={said} name={name} fault={insisting.value && isBad ? text : null} />
  );
  const record = async (): Promise<void> => {
    insisting.value = true;
    if (!isThere(said.value.description)) return void toPlaceOf("step-description");
    if (!hasAmount) return void toPlaceOf("step-gross_mass_g");
    if (said.value.count && !said.value.count_unit) return void toPlaceOf("step-count_unit");
    const id = await engine.finds.act("exhibit.record", null, { ...now(), report: seizure.id, ...said.value }, [seizure.id]);
    letGo(form);
    announce(c.done.record);
    go({ screen: "exhibit", id, page: "", step: "" }, { replace: true });
  };
  return (
    <StepFrame title={c.record_title} up={up} act={c.record} command={record} drop={() => letGo(form)}>
      <div class="card">
        <Choices
          legend={c.line}
          options={lines.map(([mark, line]) => ({
            value: mark,
            label: [`${mark}:`, substance(String(line.substance ?? "")) || String(line.article ?? ""), amountText(line)].filter(Boolean).join(" "),
          }))}
          chosen={[String(said.value.mark)]}
          choose={(mark) => (said.value = { ...said.value, mark })}
        />
        <StepField
          said={said}
          name="description"
          label={c.description}
          hint={c.description_hint}
          needed
          fault={insisting.value && !isThere(said.value.description) ? f.required : null}
        />
      </div>
      <div class="card">
        <p class="hint">{c.amount_needed}</p>
        {show("gross_mass_g", !hasAmount, f["no-measure"])}
        {show("net_mass_g", false)}
        {show("volume_ml", false)}
        {show("count", false)}
        {isThere(said.value.count) && show("count_unit", !said.value.count_unit)}
      </div>
    </StepFrame>
  );
}

function amounts(line: Record<string, Json>): SaidOf {
  if (line.measure_basis === "estimated") return {};
  const names = ["gross_mass_g", "net_mass_g", "volume_ml", "count", "count_unit"];
  return Object.fromEntries(names.flatMap((name) => (line[name] ? [[name, line[name]]] : [])));
}
