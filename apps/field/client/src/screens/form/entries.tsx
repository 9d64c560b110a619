/**
 * Parts of the header that have fields or entries of their own: who and what was checked, who was there, what was missing.
 *
 * Folded away until they are wanted; an entry that says nothing is not kept. The keys are those the console has words for.
 */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Header, Json, Report } from "../../engine/types.ts";
import { words } from "../../i18n/index.ts";
import { cleanText } from "../../rules/values.ts";
import { Icon } from "../../ui/icons.tsx";
import { header } from "./editing.ts";
import { TextInput } from "./text.tsx";

const MOST_ENTRIES = 50;
const MOST_TEXT = 200;

const SINGLE = {
  transport: ["flight", "airport", "plate", "country", "vessel", "container", "seal"],
  goods: ["description", "declared", "weight", "number"],
} as const;
/** What a mode of transport has; a field that says something is always shown. */
const BY_MODE: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^air_|^express$|^postal$/, ["flight", "airport"]],
  [/^road_|^rail$|^inland$/, ["plate", "country", "container", "seal"]],
  [/^sea_|^river$/, ["vessel", "container", "seal"]],
];
const MANY = {
  subjects: ["kind", "name", "nationality", "document"],
  participants: ["name", "role"],
  witnesses: ["name", "document"],
  equipment_unavailable: ["name", "reason"],
} as const;

export type SinglePart = keyof typeof SINGLE;
export type ManyPart = keyof typeof MANY;
type Key = (typeof SINGLE)[SinglePart][number] | (typeof MANY)[ManyPart][number];
type Entry = { [key: string]: Json };

/** What one part says, in one line; empty for nothing. */
export function partText(part: SinglePart | ManyPart, value: Header[SinglePart | ManyPart]): string {
  const w = words().parts;
  const isTitle = (key: string): boolean => key === "name" || key === "description";
  const one = (entry: Json): string =>
    isEntry(entry)
      ? Object.entries(entry)
          .filter(([, text]) => text !== "" && text !== null)
          .sort(([key], [other]) => Number(isTitle(other)) - Number(isTitle(key)))
          .map(([key, text]) => (isTitle(key) ? String(text) : `${w.keys[key as Key] ?? key}: ${text}`))
          .join(", ")
      : String(entry ?? "");
  const entries: Json[] = Array.isArray(value) ? value : value && part in SINGLE ? [value as Entry] : [];
  return entries.map(one).filter(Boolean).join("\n");
}

/** A part with fields of its own: the conveyance, the goods. */
export function Single({ report, part }: { report: Report; part: SinglePart }) {
  const w = words();
  const held = report.header[part] ?? {};
  const put = (key: Key, text: string): void => {
    const { [key]: _, ...rest } = held;
    header(report, { [part]: text ? { ...rest, [key]: text } : rest });
  };
  const usual = BY_MODE.find(([mode]) => mode.test(report.header.mode ?? ""))?.[1];
  const isShown = (key: string): boolean => part !== "transport" || !usual || usual.includes(key) || key in held;
  return (
    <Fold title={w.header[part]} said={partText(part, held)}>
      {SINGLE[part].filter(isShown).map((key) => (
        <Line key={key} name={key} text={textOf(held[key])} put={(text) => put(key, text)} />
      ))}
    </Fold>
  );
}

/** A part with entries: people, things, each with a few fields. */
export function Many({ report, part }: { report: Report; part: ManyPart }) {
  const w = words();
  const kept = (report.header[part] ?? []) as Json[];
  // While the part is open its entries stay where they are, also those that say nothing (yet).
  const open = useSignal<readonly Json[] | null>(null);
  const entries = open.value ?? kept;
  const keep = (after: readonly Json[]): void => {
    open.value = after;
    header(report, { [part]: after.filter(says) });
  };
  const put = (at: number, key: Key, text: string): void => {
    const before = entries[at];
    const { [key]: _, ...rest } = isEntry(before) ? before : { name: textOf(before) };
    keep(entries.map((one, index) => (index === at ? (text ? { ...rest, [key]: text } : rest) : one)));
  };
  return (
    <Fold title={w.header[part]} said={partText(part, kept)} closed={() => (open.value = null)}>
      {entries.map((entry, at) => (
        <fieldset key={at} class="entry">
          <legend>{w.parts.entry(at + 1)}</legend>
          {MANY[part].map((key) => (
            <Line
              key={key}
              name={key}
              text={isEntry(entry) ? textOf(entry[key]) : key === "name" ? textOf(entry) : ""}
              put={(text) => put(at, key, text)}
              offers={w.parts.offers[`${part}.${key}`]}
            />
          ))}
          <button type="button" class="bare" onClick={() => keep(entries.filter((_, index) => index !== at))}>
            <Icon name="trash" size={20} />
            {w.parts.remove(at + 1)}
          </button>
        </fieldset>
      ))}
      {entries.length < MOST_ENTRIES && (
        <button type="button" class="quiet" onClick={() => (open.value = [...entries, {}])}>
          <Icon name="plus" />
          {w.parts.add[part]}
        </button>
      )}
    </Fold>
  );
}

interface FoldProps {
  readonly title: string;
  readonly said: string;
  readonly closed?: () => void;
  readonly children: ComponentChildren;
}

function Fold({ title, said, closed, children }: FoldProps) {
  return (
    <details class="card fold part" onToggle={(event) => event.currentTarget.open || closed?.()}>
      <summary>
        <span class="words">
          <span>{title}</span>
          <span class="small soft">{said || words().parts.none}</span>
        </span>
      </summary>
      <div class="stack">{children}</div>
    </details>
  );
}

interface LineProps {
  readonly name: Key;
  readonly text: string;
  readonly put: (text: string) => void;
  /** What is said most often; anything else can be typed. */
  readonly offers?: readonly string[] | undefined;
}

function Line({ name, text, put, offers }: LineProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{words().parts.keys[name]}</label>
      <TextInput
        id={id}
        text={text}
        typed={(typed) => put(cleanText(typed).slice(0, MOST_TEXT))}
        maxLength={MOST_TEXT}
        list={offers ? `${id}-offers` : undefined}
      />
      {offers && (
        <datalist id={`${id}-offers`}>
          {offers.map((offer) => (
            <option key={offer} value={offer} />
          ))}
        </datalist>
      )}
    </div>
  );
}

function isEntry(value: Json | undefined): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

function says(entry: Json): boolean {
  return isEntry(entry) ? Object.values(entry).some((text) => text !== "" && text !== null) : entry !== "" && entry !== null;
}
