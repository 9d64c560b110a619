/** Choosing a substance: by name, alias or street name, with or without accents; what is common stands first. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { ReferenceEntry } from "../../engine/types.ts";
import { say } from "../../i18n/index.ts";
import { fold } from "../../rules/values.ts";
import { passOn } from "../../ui/focus.ts";
import { announce } from "../../ui/live.tsx";
import { Fault } from "../../ui/parts.tsx";
import { list, substance, w } from "./words.ts";

const COMMON = ["methamphetamine", "heroin", "ketamine", "mdma", "cannabis", "cocaine", "unknown_pending_lab"];
const MOST = 8;

interface Props {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly give: (key: string) => void;
  readonly fault: string | null;
}

export function SubstanceField({ id, label, value, give, fault }: Props) {
  const words = w().flash;
  const sought = useSignal("");
  const choosing = useSignal(false);
  const choose = (event: UIEvent, { key }: ReferenceEntry): void => {
    give(key);
    choosing.value = false;
    sought.value = "";
    announce(words.chosen(substance(key)));
    passOn(event, id);
  };
  const change = (event: UIEvent): void => {
    choosing.value = true;
    passOn(event, id);
  };
  if (value && !choosing.value) {
    return (
      <div class="field" id={id} tabIndex={-1}>
        <p class="like-label">{label}</p>
        <div class="picked">
          <strong>{substance(value)}</strong>
          <button type="button" class="quiet" onClick={change}>
            {words.change}
          </button>
        </div>
      </div>
    );
  }
  const found = sought.value.trim() ? matches(sought.value) : common();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {words.search_hint}
      </p>
      <input
        id={id}
        type="search"
        autoComplete="off"
        placeholder={words.search}
        value={sought.value}
        onInput={(event) => (sought.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          const [first] = found;
          if (event.key !== "Enter") return;
          event.preventDefault();
          if (first && sought.value.trim()) choose(event, first);
        }}
        aria-describedby={fault ? `${id}-hint ${id}-fault` : `${id}-hint`}
        aria-invalid={fault ? "true" : undefined}
      />
      {fault && <Fault id={`${id}-fault`}>{fault}</Fault>}
      {found.length === 0 ? (
        <p class="soft" role="status">
          {words.none_found(sought.value)}
        </p>
      ) : (
        <div class="stack tight" role="group" aria-labelledby={`${id}-found`}>
          <p class={sought.value.trim() ? "unseen" : "like-label"} id={`${id}-found`}>
            {sought.value.trim() ? label : words.common}
          </p>
          <div class="row">
            {found.map((entry) => (
              <button key={entry.key} type="button" class="quiet" aria-pressed={entry.key === value} onClick={(event) => choose(event, entry)}>
                {named(entry, sought.value)}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

function several(entry: ReferenceEntry, column: string): string[] {
  const text = entry.data[column];
  return typeof text === "string" ? text.split(";").map((one) => one.trim()).filter(Boolean) : [];
}

/** The names under which a substance is found, its own first. */
function names(entry: ReferenceEntry): string[] {
  return [say(entry.label), entry.label.vi, entry.label.en, ...several(entry, "street_names"), ...several(entry, "aliases"), entry.key];
}

/** Names that begin with what was typed before names that only hold it. */
export function matches(sought: string): ReferenceEntry[] {
  const wanted = fold(sought);
  const rank = (entry: ReferenceEntry): number => {
    const folded = names(entry).map(fold);
    if (folded.some((name) => name === wanted)) return 0;
    if (folded.some((name) => name.startsWith(wanted))) return 1;
    if (folded.some((name) => name.split(/[\s-]+/).some((word) => word.startsWith(wanted)))) return 2;
    return folded.some((name) => name.includes(wanted)) ? 3 : 9;
  };
  return list("substances")
    .filter((entry) => entry.valid && rank(entry) < 9)
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, MOST);
}

/** The name, and the street name that was found by when it is another. */
function named(entry: ReferenceEntry, sought: string): string {
  const own = say(entry.label);
  const wanted = fold(sought);
  if (!wanted || fold(own).includes(wanted)) return own;
  const other = names(entry).find((name) => fold(name).includes(wanted) && name !== entry.key);
  return other && other !== own ? `${own} (${other})` : own;
}

/** What this officer reported before, then what is common. */
function common(): ReferenceEntry[] {
  const used = engine.finds.seizures.value.flatMap(({ lines }) => Object.values(lines).map((line) => String(line.substance ?? "")));
  const keys = [...new Set([...used.filter(Boolean), ...COMMON])].slice(0, MOST);
  return keys.flatMap((key) => list("substances").find((entry) => entry.key === key && entry.valid) ?? []);
}
