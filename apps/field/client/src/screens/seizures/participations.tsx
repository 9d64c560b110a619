/** Who took part: a unit by its code, found by its name, or another agency by its name, each as what. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Json } from "../../engine/types.ts";
import { passOn } from "../../ui/focus.ts";
import { Icon } from "../../ui/icons.tsx";
import { Choices } from "../../ui/parts.tsx";
import { say } from "../../i18n/index.ts";
import { called, list, vocabulary, w } from "./words.ts";

interface Taking {
  readonly unit: string;
  readonly agency: string;
  readonly role: string;
}
interface Props {
  readonly id: string;
  readonly label: string;
  readonly value: Json | undefined;
  readonly give: (value: Json) => void;
}

export function Participations({ id, label, value, give }: Props) {
  const several = (Array.isArray(value) ? value : []) as unknown as Taking[];
  const [kind, text, role] = [useSignal("agency"), useSignal(""), useSignal("support")];
  const own = engine.postings.value[0]?.unit.code ?? "";
  const keep = (next: readonly Taking[]): void => give(next.length > 0 ? (next as unknown as Json) : null);
  const add = (): void => {
    const typed = text.value.trim();
    if (!typed) return;
    const named = kind.value === "unit" ? { unit: typed.toUpperCase(), agency: "" } : { unit: "", agency: typed };
    keep([...several, { ...named, role: role.value }]);
    text.value = "";
  };
  const f = w().form;
  return (
    <div id={id} tabIndex={-1} role="group" aria-label={label} class="stack">
      <p class="like-label">{label}</p>
      {several.length > 0 && (
        <ul class="chosen">
          {several.map((one, index) => (
            <li key={`${one.unit}${one.agency}${one.role}`}>
              <div>
                <strong>{one.unit || one.agency}</strong> · {called("participation", one.role)}
                {one.unit && <UnitFacts code={one.unit} />}
              </div>
              <button
                type="button"
                class="bare square"
                onClick={(event) => {
                  keep(several.filter((_, at) => at !== index));
                  passOn(event, `${id}-more`);
                }}
                aria-label={f.remove(one.unit || one.agency)}
              >
                <Icon name="cross" size={18} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {own && !several.some((one) => one.unit === own) && (
        <button type="button" class="quiet" onClick={(event) => {
            keep([...several, { unit: own, agency: "", role: "lead" }]);
            passOn(event, `${id}-more`);
          }}>
          <Icon name="plus" size={18} />
          {`${f.own_unit} (${own})`}
        </button>
      )}
      <details class="fold">
        <summary id={`${id}-more`}>
          <Icon name="plus" size={18} />
          {f.unit_or_agency}
        </summary>
        <div class="stack">
          <Choices
            class="chips"
            legend={f.unit_or_agency}
            options={[
              { value: "agency", label: f.agency },
              { value: "unit", label: f.unit },
            ]}
            chosen={[kind.value]}
            choose={(one) => (kind.value = one)}
          />
          <div class="field">
            <label for={`${id}-name`}>{kind.value === "unit" ? f.unit_code : f.agency_name}</label>
            <input
              id={`${id}-name`}
              type="text"
              autoComplete="off"
              maxLength={kind.value === "unit" ? 20 : 200}
              list={kind.value === "unit" ? `${id}-units` : undefined}
              value={text.value}
              onInput={(event) => (text.value = event.currentTarget.value)}
            />
            {kind.value === "unit" && (
              <>
                <datalist id={`${id}-units`}>
                  {list("units")
                    .filter(({ valid }) => valid)
                    .map(({ key, label }) => (
                      <option key={key} value={key}>
                        {say(label)}
                      </option>
                    ))}
                </datalist>
                <UnitFacts code={text.value.trim().toUpperCase()} isAsked />
              </>
            )}
          </div>
          <Choices
            class="chips"
            legend={f.role}
            options={vocabulary("participation")}
            chosen={[role.value]}
            choose={(one) => (role.value = one)}
          />
          <button type="button" class="quiet" onClick={add}>
            {f.add}
          </button>
        </div>
      </details>
    </div>
  );
}

/** What a unit is called and of which force it is, where this phone knows; `isAsked`: say so when it does not. */
function UnitFacts({ code, isAsked = false }: { code: string; isAsked?: boolean }) {
  const known = list("units").find(({ key }) => key === code);
  if (known?.data.force) {
    const force = String(known.data.force);
    const isListed = vocabulary("lead_force").some(({ value }) => value === force);
    return <p class="hint">{[say(known.label), called("lead_force", isListed ? force : "other")].join(" · ")}</p>;
  }
  return isAsked && code && list("units").length > 0 ? <p class="hint">{w().form.unit_unknown}</p> : null;
}
