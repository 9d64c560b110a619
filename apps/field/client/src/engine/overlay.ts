/** How an officer's edits lie over what the server said; pure, and the same as in every other phone (vectors/overlays). */

import type { Body } from "./base.ts";
import type { OutboxState } from "./db.ts";
import type { Json } from "./types.ts";

export type Fields = { [key: string]: Json };
export interface Edit {
  state: OutboxState;
  rev: number | null;
  fields: Fields;
}

const BY_STEP = new Set(["answers", "photos"]);

/** Lay a patch over a record: `answers` and `photos` step by step, where null takes away; the rest by field. */
export function overlay(shown: Fields, patch: Fields): Fields {
  return laid(shown, patch, true);
}

/** Put two patches together, the later one on top; what takes a step away must go on doing so. */
export function together(first: Fields, second: Fields): Fields {
  return laid(first, second, false);
}

function laid(shown: Fields, patch: Fields, takesAway: boolean): Fields {
  const result: Fields = { ...shown };
  for (const [key, value] of Object.entries(patch)) {
    if (BY_STEP.has(key) && isRecord(value)) {
      const merged = { ...(isRecord(result[key]) ? result[key] : {}), ...value };
      result[key] = takesAway ? Object.fromEntries(Object.entries(merged).filter(([, one]) => one !== null)) : merged;
    } else result[key] = value;
  }
  return result;
}

/** An edit lies on top while it waits, and after it was applied until a pull has brought its revision. */
export function liesOnTop(edit: { state: OutboxState; rev: number | null }, rev: number): boolean {
  return edit.state === "waiting" || edit.state === "sent" || (edit.state === "done" && (edit.rev ?? 0) > rev);
}

/** A record as its officer sees it. */
export function view(base: { rev: number; body: Body } | null, edits: Edit[]): Fields {
  const rev = base?.rev ?? 0;
  return edits
    .filter((edit) => liesOnTop(edit, rev))
    .reduce<Fields>((shown, edit) => overlay(shown, edit.fields), { ...base?.body, rev });
}

/** Single fields of a patch: each answer and each step's photos count as fields of their own. */
export function flatten(fields: Fields): Fields {
  const flat: Fields = {};
  for (const [key, value] of Object.entries(fields)) {
    if (BY_STEP.has(key) && isRecord(value))
      for (const [step, one] of Object.entries(value)) flat[`${key}.${step}`] = one;
    else flat[key] = value;
  }
  return flat;
}

/** A patch without some of its single fields, named as `flatten` names them. */
export function without(fields: Fields, dropped: ReadonlySet<string>, path = ""): Fields {
  const left: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (dropped.has(path + name)) continue;
    const rest = isRecord(value) ? without(value, dropped, `${path}${name}.`) : value;
    const isEmptied = isRecord(value) && isRecord(rest) && Object.keys(value).length > 0 && !Object.keys(rest).length;
    if (!isEmptied) left[name] = rest;
  }
  return left;
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
