/** A rough amount as people say it: grams or kilograms, millilitres, or so many tablets. Stored as grams, millilitres, counts. */

import { useSignal } from "@preact/signals";
import type { Json } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { words } from "../../i18n/index.ts";
import { Fault } from "../../ui/parts.tsx";
import { TextInput } from "../form/text.tsx";
import { vocabulary, w } from "./words.ts";

interface Props {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly line: Record<string, Json>;
  /** Keep the columns of the amount; those of another kind of amount are taken back. */
  readonly give: (columns: Record<string, Json>) => void;
  readonly fault: string | null;
  /** In what it is counted unless said. */
  readonly usual?: string;
}

const NONE = { gross_mass_g: null, volume_ml: null, count: null, count_unit: null };
const PLACES: Readonly<Record<string, number>> = { g: 4, kg: 7, ml: 3 };

export function Amount({ id, label, hint, line, give, fault, usual = "g" }: Props) {
  const f = w().flash;
  const unit = useSignal(unitOf(line, usual));
  const wrong = useSignal("");
  const typed = useSignal<string | null>(null);
  const keep = (text: string): void => {
    typed.value = text;
    const columns = columnsOf(text, unit.value);
    wrong.value = columns === null ? w().form.bad_number : "";
    give(columns ?? NONE);
  };
  const shown = typed.value ?? amountOf(line, unit.value);
  const said = wrong.value || fault;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <div class="measure">
        <TextInput
          id={id}
          text={shown}
          typed={keep}
          inputMode="decimal"
          maxLength={20}
          aria-describedby={said ? `${id}-hint ${id}-fault` : `${id}-hint`}
          aria-invalid={said ? "true" : undefined}
        />
        <select
          aria-label={f.unit}
          value={unit.value}
          onChange={(event) => {
            unit.value = event.currentTarget.value;
            keep(shown);
          }}
        >
          {["g", "kg", "ml"].map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
          {vocabulary("count_unit").map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      {said && <Fault id={`${id}-fault`}>{said}</Fault>}
      <span class="unseen">{words().common.required}</span>
    </div>
  );
}

function unitOf(line: Record<string, Json>, usual: string): string {
  if (line.count !== undefined) return String(line.count_unit ?? "tablet");
  if (line.volume_ml !== undefined) return "ml";
  return line.gross_mass_g === undefined && line.net_mass_g === undefined ? usual : "g";
}

function amountOf(line: Record<string, Json>, unit: string): string {
  const value = unit === "ml" ? line.volume_ml : unit === "g" || unit === "kg" ? (line.gross_mass_g ?? line.net_mass_g) : line.count;
  if (value === undefined || value === null) return "";
  return format.decimalText(unit === "kg" ? shifted(String(value), -3) : String(value));
}

/** The columns for what was typed; null when it is no amount of this unit. */
export function columnsOf(text: string, unit: string): Record<string, Json> | null {
  if (text.trim() === "") return NONE;
  const plain = format.typedNumber(text);
  if (plain === null || plain.startsWith("-") || plain.replace(/\..*/, "").length > 8) return null;
  const fraction = (plain.split(".")[1] ?? "").replace(/0+$/, "").length;
  const places = PLACES[unit];
  if (fraction > (places ?? 0)) return null;
  if (places === undefined) return { ...NONE, count: Number(plain.split(".")[0]), count_unit: unit };
  if (unit === "ml") return { ...NONE, volume_ml: plain };
  return { ...NONE, gross_mass_g: unit === "kg" ? shifted(plain, 3) : plain };
}

/** A decimal with its point moved: exact, in text. */
export function shifted(value: string, by: number): string {
  const [whole = "0", fraction = ""] = value.split(".");
  const digits = by < 0 ? whole.padStart(1 - by, "0") + fraction : whole + fraction.padEnd(by, "0");
  const at = by < 0 ? Math.max(whole.length, 1 - by) + by : whole.length + by;
  const [left, right] = [digits.slice(0, at).replace(/^0+(?=\d)/, ""), digits.slice(at).replace(/0+$/, "")];
  return right ? `${left}.${right}` : left;
}
