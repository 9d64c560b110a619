/** Putting right what was written down wrongly about a package that was never sealed, with the reason: a step of its own. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Exhibit } from "../../engine/index.ts";
import type { Json } from "../../engine/types.ts";
import { standing } from "../../rules/seizure.ts";
import { announce } from "../../ui/live.tsx";
import { Choices, Fault } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { exhibitName } from "./row.tsx";
import { isThere, letGo, type SaidOf, StepField, StepFrame, useHalfFilled } from "./steps.tsx";
import { w } from "./words.ts";

const AMOUNTS = ["gross_mass_g", "net_mass_g", "volume_ml", "count"] as const;
const CORRECTED = ["mark", "description", ...AMOUNTS, "count_unit"] as const;

export function CorrectForm({ exhibit }: { exhibit: Exhibit }) {
  const c = w().custody;
  const f = w().faults;
  const form = `${exhibit.id}/correct`;
  const said = useHalfFilled<SaidOf>(form, () => present(exhibit));
  const insisting = useSignal(false);
  const up = href({ screen: "exhibit", id: exhibit.id, page: "", step: "" });
  const seizure = engine.finds.seizures.value.find((one) => one.id === exhibit.report);
  const marks = [...new Set([exhibit.mark, ...(seizure ? standing(seizure.lines).map(([mark]) => mark) : [])])];
  const hasAmount = AMOUNTS.some((name) => Number(said.value[name]) > 0);
  const changed = changes(exhibit, said.value);
  const isUnchanged = Object.keys(changed).length === 0;
  const lacks = (name: string): string | null => (insisting.value && !isThere(said.value[name]) ? f.required : null);
  const correct = async (): Promise<void> => {
    insisting.value = true;
    const wrong = wrongOf(said.value, hasAmount, isUnchanged);
    if (wrong) return document.getElementById(`step-${wrong}`)?.focus();
    await engine.finds.act("exhibit.correct", exhibit.id, { ...changed, reason: said.value.reason ?? "" });
    letGo(form);
    announce(c.done.correct);
    go({ screen: "exhibit", id: exhibit.id, page: "", step: "" }, { replace: true });
  };
  return (
    <StepFrame title={`${c.step.correct}: ${exhibitName(exhibit)}`} up={up} act={c.step.correct} command={correct} drop={() => letGo(form)}>
      <p class="soft">{c.correct_lead}</p>
      <div class="card">
        {marks.length > 1 && (
          <Choices
            class="chips"
            legend={c.line}
            options={marks.map((mark) => ({ value: mark, label: mark }))}
            chosen={[String(said.value.mark)]}
            choose={(mark) => (said.value = { ...said.value, mark })}
          />
        )}
        <StepField said={said} name="description" label={c.description} needed fault={lacks("description")} />
        <StepField said={said} name="gross_mass_g" fault={insisting.value && !hasAmount ? f["no-measure"] : null} />
        <StepField said={said} name="net_mass_g" />
        <StepField said={said} name="volume_ml" />
        <StepField said={said} name="count" />
        {isThere(said.value.count) && <StepField said={said} name="count_unit" fault={lacks("count_unit")} />}
      </div>
      <div class="card">
        <StepField said={said} name="reason" label={c.correct_reason} needed fault={lacks("reason")} />
        {insisting.value && isUnchanged && <Fault>{f.unchanged}</Fault>}
      </div>
    </StepFrame>
  );
}

/** The first field that keeps the correction from being taken. */
function wrongOf(said: SaidOf, hasAmount: boolean, isUnchanged: boolean): string | undefined {
  if (!isThere(said.description) || isUnchanged) return "description";
  if (!hasAmount) return "gross_mass_g";
  if (said.count && !said.count_unit) return "count_unit";
  return isThere(said.reason) ? undefined : "reason";
}

/** What is known of the package, as the form has it. */
function present(exhibit: Exhibit): SaidOf {
  return Object.fromEntries(CORRECTED.flatMap((name) => (isThere(exhibit[name]) ? [[name, exhibit[name]]] : [])));
}

/** What differs from what is known; null takes a field back. */
function changes(exhibit: Exhibit, said: SaidOf): Record<string, Json> {
  const same = (name: (typeof CORRECTED)[number]): boolean => String(exhibit[name] ?? "") === String(said[name] ?? "");
  return Object.fromEntries(CORRECTED.filter((name) => !same(name)).map((name) => [name, said[name] ?? null]));
}
