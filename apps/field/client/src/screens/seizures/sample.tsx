/** Taking a sample from an opened package, before witnesses: how much, what for, and what is left then. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Exhibit } from "../../engine/index.ts";
import { named } from "../../i18n/index.ts";
import { type Amounts, remaining } from "../../rules/custody.ts";
import { toPlaceOf } from "../../ui/focus.ts";
import { announce } from "../../ui/live.tsx";
import { Choices, Notice } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { amountText, exhibitName } from "./row.tsx";
import { isThere, letGo, now, type SaidOf, StepField, StepFrame, useHalfFilled } from "./steps.tsx";
import { w } from "./words.ts";

const PURPOSES = ["lab", "reference", "training"] as const;
const TAKEN = ["taken_mass_g", "taken_volume_ml", "taken_count"] as const;
type Faults = ReadonlyMap<string, string>;

const texts = (said: SaidOf): Amounts =>
  Object.fromEntries(TAKEN.map((name) => [name, isThere(said[name]) ? String(said[name]) : null]));

const held = ({ net_mass_g, gross_mass_g, volume_ml, count }: Exhibit): Amounts => ({
  net_mass_g,
  gross_mass_g,
  volume_ml,
  count: count === null ? null : String(count),
});

/** What is not in order yet, by field: the server's rule again. */
function faultsOf(exhibit: Exhibit, said: SaidOf): Faults {
  const { faults } = remaining(held(exhibit), texts(said));
  const needed = ["description", "is_subject_present", ...(said.sample_purpose === "lab" ? [] : ["decision_number"])];
  const wanted = said.is_subject_present === "yes" ? 1 : 2;
  const seen = Array.isArray(said.witnesses) ? said.witnesses.length : 0;
  return new Map([
    ...faults,
    ...needed.filter((name) => !isThere(said[name])).map((name) => [name, "required"] as [string, string]),
    ...(seen < wanted ? [["witnesses", "witnesses"] as [string, string]] : []),
  ]);
}

export function SampleForm({ exhibit }: { exhibit: Exhibit }) {
  const c = w().custody;
  const form = `${exhibit.id}/sample`;
  const said = useHalfFilled<SaidOf>(form, () => ({ sample_purpose: "lab", ...present(exhibit) }));
  const insisting = useSignal(false);
  const up = href({ screen: "exhibit", id: exhibit.id, page: "", step: "" });
  const faults = faultsOf(exhibit, said.value);
  const faultOf = (name: string): string | null => {
    const code = faults.get(name);
    const isAlways = code === "more-than-left" || code === "not-measured";
    return code && (insisting.value || isAlways) ? named(w().faults, code) : null;
  };
  const field = (name: string, label?: string, needed = false) => (
    <StepField said={said} name={name} fault={faultOf(name)} needed={needed} {...(label ? { label } : {})} />
  );
  const take = async (): Promise<void> => {
    insisting.value = true;
    const [first] = faults.keys();
    if (first) {
      toPlaceOf(`step-${first}`);
      return;
    }
    const of = { exhibit: exhibit.id, exhibit_rev: exhibit.rev };
    const id = await engine.finds.act("exhibit.sample", null, { ...now(), ...of, ...said.value }, [exhibit.id]);
    letGo(form);
    announce(c.done.sample);
    go({ screen: "exhibit", id, page: "", step: "" }, { replace: true });
  };
  const left = remaining(held(exhibit), texts(said.value));
  const rest = { ...held(exhibit), ...left.left, count_unit: exhibit.count_unit };
  return (
    <StepFrame title={`${c.step.sample}: ${exhibitName(exhibit)}`} up={up} act={c.step.sample} command={take} drop={() => letGo(form)}>
      <div class="card">
        <Choices
          class="chips"
          legend={c.sample_purpose}
          options={PURPOSES.map((value) => ({ value, label: c.sample_purposes[value] }))}
          chosen={[String(said.value.sample_purpose)]}
          choose={(purpose) => (said.value = { ...said.value, sample_purpose: purpose })}
        />
        {said.value.sample_purpose !== "lab" && field("decision_number", c.decision_number, true)}
        {field("description", c.sample_description, true)}
      </div>
      <div class="card">
        {field("taken_mass_g", c.taken_mass)}
        {exhibit.volume_ml !== null && field("taken_volume_ml", c.taken_volume)}
        {exhibit.count !== null && field("taken_count", c.taken_count)}
        {left.faults.length === 0 && (
          <Notice tone="good" icon="check">
            {c.left(amountText(rest))}
          </Notice>
        )}
      </div>
      <div class="card">
        {field("is_subject_present", c.subject_present, true)}
        {field("witnesses", c.witnesses, true)}
      </div>
    </StepFrame>
  );
}

/** Whether the subject is there, and who watches, as the report says. */
function present(exhibit: Exhibit): SaidOf {
  const { witnesses, is_subject_present } = engine.finds.seizures.value.find((one) => one.id === exhibit.report)?.fields ?? {};
  return { ...(witnesses ? { witnesses } : {}), ...(is_subject_present ? { is_subject_present } : {}) };
}
