/**
 * Numbers, amounts and times as people read them: day/month/year, decimal comma in Vietnamese. Everything by `Intl`, in
 * the phone's own time zone. What people type goes the other way, through `typedNumber`.
 */

import type { Lang } from "../engine/types.ts";
import { lang } from "./index.ts";

const LOCALES: Readonly<Record<Lang, string>> = { vi: "vi-VN", en: "en-GB" };
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const made = new Map<string, unknown>();

/** Making an Intl object is slow; keep one of each kind and language. */
function kept<T>(kind: string, make: (locale: string) => T): T {
  const key = `${lang()} ${kind}`;
  if (!made.has(key)) made.set(key, make(LOCALES[lang()]));
  return made.get(key) as T;
}

/** A whole or fractional number: 1.234,5 in Vietnamese, 1,234.5 in English. */
export function number(value: number): string {
  return kept("number", (l) => new Intl.NumberFormat(l, { maximumFractionDigits: 6 })).format(value);
}

/** A decimal as it was answered, every digit kept. */
export function decimalText(value: string): string {
  return lang() === "vi" ? value.replace(".", ",") : value;
}

/** Read a number as people type it: a comma or a point before the decimals; null when it is none yet. */
export function typedNumber(text: string): string | null {
  const plain = text.trim().replace(",", ".").replace(/^\+/, "");
  const parts = /^(-?)0*([0-9]+)(?:\.([0-9]*))?$/.exec(plain);
  if (!parts) return null;
  const [, sign, whole, places] = parts;
  const read = `${whole}${places ? `.${places}` : ""}`;
  return /[1-9]/.test(read) ? sign + read : read;
}

/** Bytes with a fitting unit: 3,2 MB. */
export function bytes(count: number): string {
  const [unit, size] = count >= 1e9 ? ["gigabyte", 1e9] : count >= 1e6 ? ["megabyte", 1e6] : ["kilobyte", 1e3];
  const digits = size === 1e3 ? 0 : 1;
  const options = { style: "unit", unit: String(unit), maximumFractionDigits: digits } as const;
  return kept(`bytes ${unit}`, (l) => new Intl.NumberFormat(l, options)).format(count / Number(size));
}

/** A stretch of time: 45 s, 3 min. */
export function span(seconds: number): string {
  const [unit, size] = seconds >= HOUR ? ["hour", HOUR] : seconds >= MINUTE ? ["minute", MINUTE] : ["second", 1];
  const options = { style: "unit", unit: String(unit), unitDisplay: "short", maximumFractionDigits: 0 } as const;
  return kept(`span ${unit}`, (l) => new Intl.NumberFormat(l, options)).format(Math.ceil(seconds / Number(size)));
}

/** How long ago: "5 phút trước"; under a minute the caller's word for now. */
export function ago(seconds: number, now: string): string {
  if (seconds < MINUTE) return now;
  const [unit, size] =
    seconds < HOUR ? (["minute", MINUTE] as const) : seconds < DAY ? (["hour", HOUR] as const) : (["day", DAY] as const);
  return kept("ago", (l) => new Intl.RelativeTimeFormat(l, { numeric: "auto" })).format(-Math.floor(seconds / size), unit);
}

/** A day: 20/08/2024. */
export function day(iso: string | Date): string {
  const options = { day: "2-digit", month: "2-digit", year: "numeric" } as const;
  return kept("day", (l) => new Intl.DateTimeFormat(l, options)).format(new Date(iso));
}

/** A time of day: 14:05. */
export function clock(iso: string | Date): string {
  return kept("clock", (l) => new Intl.DateTimeFormat(l, { hour: "2-digit", minute: "2-digit", hour12: false })).format(
    new Date(iso),
  );
}

/** A moment; the day is left out when it is today's. */
export function moment(iso: string | Date): string {
  const at = new Date(iso);
  return day(at) === day(new Date()) ? clock(at) : `${clock(at)} ${day(at)}`;
}

/** A moment as the protocol wants it: ISO 8601 with this phone's offset. */
export function isoWithOffset(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const shifted = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${shifted}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}
