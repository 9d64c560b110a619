/**
 * Is one answered value right for its step? One checker is built per step; it gives the code of the first fault or null.
 * The same judgements as apps/checklists/rules/values.py, held together by tests/vectors/answers.json.
 */

import type { Step } from "./content.ts";
import { compare, type Decimal, decimal, fromNumber, isDecimal, placesUsed } from "./decimal.ts";
import { isObject } from "./evaluate.ts";
import { compilePattern } from "./patterns.ts";

export type Fault = string | null;
export type ValueChecker = (value: unknown) => Fault;

const SYMBOLOGIES: readonly string[] = [
  ...["code_128", "code_39", "ean_13", "itf", "codabar", "qr"],
  ...["data_matrix", "pdf417", "aztec", "mrz", "ocr", "manual"],
];
export const MAX_TEXT = 4000;
export const MAX_REASON = 500;
export const MAX_RAW = 500;
export const MAX_NAME = 200;

// Control characters except tab and newline, bidirectional controls, lone surrogates, noncharacters.
const UNWANTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]/u;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// What the server strips before it calls a text blank; JavaScript's trim() differs in a few characters.
const BLANK =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts them as white space
  /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;

/** Give the fault of a free text: its type, its length in code points, or a character the databases refuse. */
export function textFault(value: unknown, longest = MAX_TEXT): Fault {
  if (typeof value !== "string") return "wrong-type";
  if (value.length > longest && Array.from(value).length > longest) return "too-long";
  return UNWANTED.test(value) ? "bad-character" : null;
}

/** Make typed text storable: composed Unicode, Unix line ends, without the characters that would be refused. */
export function cleanText(text: string): string {
  return text.normalize("NFC").replace(/\r\n?/g, "\n").replace(new RegExp(UNWANTED, "gu"), "");
}

/** Letters without marks, for a search that forgives: "hanh ly" finds "hành lý". */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d").trim();
}

/** Tell whether a text is nothing but white space. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}

/** Say whether a value amounts to no answer: null, blank text, no option, a scan or signature without text. */
export function isEmpty(given: unknown): boolean {
  const value = isObject(given) ? (Object.hasOwn(given, "raw") ? given.raw : given.name) : given;
  if (typeof value === "string") return isBlank(value);
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Build the checker for the values of a step; of a kind that this app is too old to know, it says nothing. */
export function valueChecker(step: Step): ValueChecker {
  return BUILDERS[step.kind]?.(step) ?? (() => null);
}

const BUILDERS: Readonly<Record<string, (step: Step) => ValueChecker>> = {
  bool: () => (value) => (typeof value === "boolean" ? null : "wrong-type"),
  choice: (step) => {
    const options = optionsOf(step);
    return (value) => (typeof value !== "string" ? "wrong-type" : options.has(value) ? null : "unknown-option");
  },
  multi,
  number,
  measure: number,
  text,
  photo: () => () => "wrong-type",
  scan,
  sign: () => sign,
};

function optionsOf(step: Step): ReadonlySet<string> {
  return new Set((step.options ?? []).map((option) => option.value));
}

function multi(step: Step): ValueChecker {
  const options = optionsOf(step);
  return (value) => {
    if (!Array.isArray(value)) return "wrong-type";
    if (value.length > options.size) {
      return value.every((item) => typeof item === "string") ? "duplicate-option" : "wrong-type";
    }
    const seen = new Set<string>();
    for (const item of value) {
      if (typeof item !== "string") return "wrong-type";
      if (!options.has(item)) return "unknown-option";
      if (seen.has(item)) return "duplicate-option";
      seen.add(item);
    }
    return null;
  };
}

function readNumber(value: unknown): Decimal | string {
  if (typeof value === "string") return value.length <= 40 && isDecimal(value) ? decimal(value) : "bad-number";
  return typeof value === "number" ? (fromNumber(value) ?? "out-of-range") : "wrong-type";
}

function number(step: Step): ValueChecker {
  const places = step.decimals ?? 0;
  const [low, high] = [step.min, step.max].map((end) =>
    end === null || end === undefined ? null : decimal(String(end)),
  );
  return (value) => {
    const read = readNumber(value);
    if (typeof read === "string") return read;
    if (placesUsed(read) > places) return "too-many-decimals";
    if (low && compare(read, low) < 0) return "below-minimum";
    return high && compare(read, high) > 0 ? "above-maximum" : null;
  };
}

function text(step: Step): ValueChecker {
  const longest = step.max_length || MAX_TEXT;
  const pattern = step.pattern ? compilePattern(step.pattern) : null;
  return (value) => {
    const fault = textFault(value, longest);
    if (fault !== null || pattern === null || value === "") return fault;
    return pattern.test(value as string) ? null : "pattern-mismatch";
  };
}

function scan(step: Step): ValueChecker {
  const allowed = new Set([...(step.symbology?.length ? step.symbology : SYMBOLOGIES), "manual"]);
  return (value) => {
    if (!isObject(value)) return "wrong-type";
    if (Object.keys(value).some((key) => key !== "raw" && key !== "symbology")) return "unknown-field";
    const fault = textFault(value.raw, MAX_RAW);
    const { symbology } = value;
    if (fault !== null || typeof symbology !== "string") return fault ?? "wrong-type";
    if (allowed.has(symbology)) return null;
    return SYMBOLOGIES.includes(symbology) ? "symbology-not-allowed" : "unknown-symbology";
  };
}

function sign(value: unknown): Fault {
  if (!isObject(value)) return "wrong-type";
  if (Object.keys(value).some((key) => key !== "name" && key !== "attachment")) return "unknown-field";
  const { attachment } = value;
  const named = attachment === null || attachment === undefined;
  if (!named && !(typeof attachment === "string" && UUID.test(attachment))) return "wrong-type";
  return textFault(value.name, MAX_NAME);
}
