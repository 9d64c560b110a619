/** The inputs of single fields, by what the field may hold (`rules/seizure.ts`). Each keeps what is in order at once. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { engine } from "../../engine/index.ts";
import type { Json } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { named, say, words } from "../../i18n/index.ts";
import type { Spec } from "../../rules/seizure.ts";
import { cleanText } from "../../rules/values.ts";
import { passOn } from "../../ui/focus.ts";
import { Icon } from "../../ui/icons.tsx";
import { Choices, Fault } from "../../ui/parts.tsx";
import { TextInput } from "../form/text.tsx";
import { canScan, ScanSheet } from "../scan/sheet.tsx";
import { Participations } from "./participations.tsx";
import { type Choice, country, list, vocabulary, w } from "./words.ts";

export interface FieldProps {
  readonly name: string;
  readonly spec: Spec;
  readonly value: Json | undefined;
  /** Keep a value; null takes it back. */
  readonly give: (value: Json) => void;
  readonly id: string;
  readonly label?: string;
  readonly hint?: string | undefined;
  readonly fault?: string | null;
  readonly needed?: boolean;
}
interface InputProps extends Omit<FieldProps, "label" | "needed"> {
  readonly label: string;
  readonly limit: string;
  readonly aria: { readonly "aria-describedby"?: string | undefined; readonly "aria-invalid"?: "true" | undefined };
}

const LONG = 1000;
const FEW = 5;
/** What is printed as a code on seals, bags, containers and waybills. */
const SCANNED = new Set(["seal_numbers", "seals_read", "seal_number", "container_nos", "mawb", "hawb", "courier_no", "s10"]);
const BADGES = new Set(["participants", "weighed_by", "signers"]);

export function FieldInput(given: FieldProps) {
  const { name, spec, id, fault, needed = false } = given;
  const [kind = "text", limit = ""] = splitSpec(spec);
  const base = given.label ?? named(w().fields, name);
  const label = needed ? `${base} (${words().common.required})` : base;
  const hint = given.hint ?? (Object.hasOwn(w().hints, name) ? named(w().hints, name) : undefined);
  const described = [hint ? `${id}-hint` : "", fault ? `${id}-fault` : ""].filter(Boolean).join(" ") || undefined;
  const aria = { "aria-describedby": described, "aria-invalid": fault ? ("true" as const) : undefined };
  const Input = INPUTS[kind] ?? Text;
  return (
    <div class="field">
      <Input {...given} label={label} limit={limit} hint={hint} aria={aria} />
      {fault && <Fault id={`${id}-fault`}>{fault}</Fault>}
    </div>
  );
}

function splitSpec(spec: Spec): [string, string] {
  const at = spec.indexOf(" ");
  return at < 0 ? [spec, ""] : [spec.slice(0, at), spec.slice(at + 1)];
}

function Label({ id, label, hint }: { id: string; label: string; hint?: string | undefined }) {
  return (
    <>
      <label for={id}>{label}</label>
      <Hint id={id} hint={hint} />
    </>
  );
}

function Hint({ id, hint }: { id: string; hint?: string | undefined }) {
  return hint ? (
    <p class="hint" id={`${id}-hint`}>
      {hint}
    </p>
  ) : null;
}

function Text({ id, label, hint, value, give, name, limit, aria }: InputProps) {
  const most = Number(limit) || 200;
  const scanning = useSignal(false);
  const keep = (text: string): void => give(cleanText(text).slice(0, most) || null);
  const isScanned = SCANNED.has(name);
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <div class="joined">
        <TextInput
          id={id}
          text={typeof value === "string" ? value : ""}
          typed={keep}
          long={most >= LONG}
          maxLength={most}
          autoCapitalize={isScanned ? "characters" : "sentences"}
          {...aria}
        />
        {isScanned && <ScanButton open={() => (scanning.value = true)} label={label} />}
      </div>
      {scanning.value && (
        <ScanSheet
          title={label}
          formats={[]}
          found={({ text }) => {
            scanning.value = false;
            keep(text.trim());
          }}
          close={() => (scanning.value = false)}
        />
      )}
    </>
  );
}

export function ScanButton({ open, label }: { open: () => void; label: string }) {
  if (!canScan([])) return null;
  return (
    <button type="button" class="quiet square" onClick={open} aria-label={`${w().form.scan}: ${label}`}>
      <Icon name="scan" />
    </button>
  );
}

/** Several texts: each is added by itself, and what was typed and not added is added when the field is left. */
function Texts({ id, label, hint, value, give, name, limit, aria }: InputProps) {
  const texts = Array.isArray(value) ? value.map(String) : [];
  const typed = useSignal("");
  const scanning = useSignal(false);
  const me = engine.device.value?.officer.badge_no ?? "";
  const add = (text: string): void => {
    const clean = cleanText(text).trim().slice(0, Number(limit) || 200);
    typed.value = "";
    if (clean && !texts.includes(clean)) give([...texts, clean]);
  };
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <Chosen texts={texts} called={(text) => text} remove={(text) => give(orNull(texts.filter((one) => one !== text)))} id={id} />
      <div class="joined">
        <input
          id={id}
          type="text"
          autoComplete="off"
          autoCapitalize={SCANNED.has(name) || BADGES.has(name) ? "characters" : "words"}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
          onBlur={() => add(typed.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            add(typed.value);
          }}
          {...aria}
        />
        <button type="button" class="quiet" onClick={() => add(typed.value)} aria-label={`${w().form.add}: ${label}`}>
          {w().form.add}
        </button>
        {SCANNED.has(name) && <ScanButton open={() => (scanning.value = true)} label={label} />}
      </div>
      {BADGES.has(name) && me && !texts.includes(me) && (
        <button
          type="button"
          class="quiet"
          onClick={(event) => {
            add(me);
            passOn(event, id);
          }}
        >
          <Icon name="plus" size={18} />
          {`${w().form.me} (${me})`}
        </button>
      )}
      {scanning.value && (
        <ScanSheet
          title={label}
          formats={[]}
          found={({ text }) => {
            scanning.value = false;
            add(text);
          }}
          close={() => (scanning.value = false)}
        />
      )}
    </>
  );
}

interface ChosenProps {
  readonly texts: readonly string[];
  readonly called: (text: string) => string;
  readonly remove: (text: string) => void;
  /** The input of what is chosen: it takes the focus of what is taken away. */
  readonly id: string;
}

function Chosen({ texts, called, remove, id }: ChosenProps) {
  if (texts.length === 0) return null;
  return (
    <ul class="chosen">
      {texts.map((text) => (
        <li key={text}>
          <span>{called(text)}</span>
          <button
            type="button"
            class="bare square"
            onClick={(event) => {
              remove(text);
              passOn(event, id);
            }}
            aria-label={w().form.remove(called(text))}
          >
            <Icon name="cross" size={18} />
          </button>
        </li>
      ))}
    </ul>
  );
}

const orNull = (texts: readonly string[]): Json => (texts.length > 0 ? [...texts] : null);

interface PickProps extends InputProps {
  readonly options: readonly Choice[];
}

/** One of few in sight, one of many by the phone's own picker. */
function Pick({ id, label, hint, value, give, options, aria }: PickProps) {
  const chosen = typeof value === "string" ? value : "";
  if (options.length <= FEW) {
    return (
      <div id={id} tabIndex={-1}>
        <Hint id={id} hint={hint} />
        <Choices
          class="chips"
          legend={label}
          options={options}
          chosen={[chosen]}
          choose={give}
          describedBy={aria["aria-describedby"]}
          faulty={aria["aria-invalid"] === "true"}
        />
      </div>
    );
  }
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <select id={id} value={chosen} onChange={(event) => give(event.currentTarget.value || null)} {...aria}>
        <option value="">{w().form.none_chosen}</option>
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
    </>
  );
}

function Code(props: InputProps) {
  return <Pick {...props} options={vocabulary(props.limit, typeof props.value === "string" ? [props.value] : [])} />;
}

function Among(props: InputProps) {
  return <Pick {...props} options={props.limit.split(" ").map((value) => ({ value, label: named(w().among, value) }))} />;
}

function Codes({ id, label, hint, value, give, limit, aria }: InputProps) {
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const toggle = (code: string): void =>
    give(orNull(chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code]));
  return (
    <div id={id} tabIndex={-1}>
      <Hint id={id} hint={hint} />
      <Choices
        class="chips"
        many
        legend={label}
        options={vocabulary(limit, chosen)}
        chosen={chosen}
        choose={toggle}
        describedBy={aria["aria-describedby"]}
        faulty={aria["aria-invalid"] === "true"}
      />
    </div>
  );
}

/** Countries by name, Vietnam first. */
function countries(): Choice[] {
  const all = list("countries").map(({ key, label }) => ({ value: key, label: say(label) }));
  const collator = new Intl.Collator(document.documentElement.lang);
  const rank = ({ value }: Choice): number => (value === "VN" ? 0 : value === "UNK" ? 1 : 2);
  return all.toSorted((one, other) => rank(one) - rank(other) || collator.compare(one.label, other.label));
}

function Country(props: InputProps) {
  return <Pick {...props} options={countries()} />;
}

function Countries({ id, label, hint, value, give, aria }: InputProps) {
  const chosen = Array.isArray(value) ? value.map(String) : [];
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <Chosen texts={chosen} called={country} remove={(code) => give(orNull(chosen.filter((one) => one !== code)))} id={id} />
      <select
        id={id}
        value=""
        onChange={(event) => {
          const code = event.currentTarget.value;
          event.currentTarget.value = "";
          if (code && !chosen.includes(code)) give([...chosen, code]);
        }}
        {...aria}
      >
        <option value="">{w().form.add}</option>
        {countries().map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
    </>
  );
}

/** A number as typed; one that is not in order stays on the screen with its fault and is not kept. */
function NumberOf({ id, label, hint, value, give, limit, name, aria, whole }: InputProps & { whole: boolean }) {
  const wrong = useSignal("");
  const places = Number(limit) || 0;
  const typed = (text: string): void => {
    const plain = text.trim() === "" ? null : format.typedNumber(text);
    const isNone = text.trim() === "";
    const fraction = plain?.split(".")[1]?.replace(/0+$/, "") ?? "";
    const isBad = !isNone && (plain === null || plain.startsWith("-") || plain.replace(/\..*/, "").length > 9);
    wrong.value = isBad ? w().form.bad_number : fraction.length > places ? w().form.places(places) : "";
    if (isNone || wrong.value) give(null);
    else give(whole ? Number(plain) : String(plain));
  };
  const unit = /_(g|ml|kg)$/.exec(name)?.[1];
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <div class={unit ? "measure small-measure" : ""}>
        <TextInput
          id={id}
          text={value === undefined || value === null ? "" : format.decimalText(String(value))}
          typed={typed}
          inputMode={whole ? "numeric" : "decimal"}
          maxLength={20}
          {...aria}
          {...(wrong.value ? { "aria-invalid": "true" as const, "aria-describedby": `${id}-wrong` } : {})}
        />
        {unit && <span class="unit">{unit}</span>}
      </div>
      {wrong.value && <Fault id={`${id}-wrong`}>{wrong.value}</Fault>}
    </>
  );
}

const Decimals = (props: InputProps): JSX.Element => <NumberOf {...props} whole={false} />;
const Whole = (props: InputProps): JSX.Element => <NumberOf {...props} whole />;

function Moment({ id, label, hint, value, give, aria }: InputProps) {
  const at = typeof value === "string" && value ? new Date(value) : null;
  const local = at && !Number.isNaN(at.getTime()) ? format.isoWithOffset(at).slice(0, 16) : "";
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <input
        id={id}
        type="datetime-local"
        max="9999-12-31T23:59"
        value={local}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          give(typed ? format.isoWithOffset(new Date(typed)) : null);
        }}
        {...aria}
      />
    </>
  );
}

function Day({ id, label, hint, value, give, aria }: InputProps) {
  return (
    <>
      <Label id={id} label={label} hint={hint} />
      <input
        id={id}
        type="date"
        max="9999-12-31"
        value={typeof value === "string" ? value : ""}
        onChange={(event) => give(event.currentTarget.value || null)}
        {...aria}
      />
    </>
  );
}

/** The checklist that was followed: one that this phone holds. */
function Version(props: InputProps) {
  const options = engine.checklists.value.map(({ id, title, semver }) => ({ value: id, label: `${say(title)} ${semver}` }));
  return <Pick {...props} options={options} />;
}

const INPUTS: Readonly<Record<string, (props: InputProps) => ComponentChildren>> = {
  text: Text,
  texts: Texts,
  code: Code,
  codes: Codes,
  among: Among,
  country: Country,
  countries: Countries,
  decimal: Decimals,
  int: Whole,
  time: Moment,
  date: Day,
  uuid: Version,
  participations: Participations,
};
