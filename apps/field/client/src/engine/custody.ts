/**
 * Exhibits and hand-overs as their officer sees them: the server's word with the steps that wait here laid over it.
 *
 * What a step does to an exhibit is decided by the server; here stands only what the officer should see until it has
 * answered. Nothing is refused on the phone that the server might take.
 */

import type { BaseRecord } from "./base.ts";
import type { Exhibit, HandOver, Item, Seal } from "./find-types.ts";
import type { Mirror } from "./mirror.ts";
import type { Opened } from "./outbox.ts";
import { type Fields, isRecord, liesOnTop } from "./overlay.ts";
import { remaining } from "../rules/custody.ts";
import { isShownThoughRefused, type Naming, textOr, troublesOf } from "./reports.ts";
import { dotted, texts } from "./seizures.ts";
import type { Json, Trouble } from "./types.ts";

const PLAIN: Naming = { flatten: (fields) => fields, fieldOf: dotted };
/** Where a step leads, as long as nothing stands against it. */
const LEADS: Record<string, string> = {
  "exhibit.record": "recorded",
  "exhibit.seal": "sealed",
  "exhibit.reseal": "sealed",
  "exhibit.unseal": "unsealed",
  "exhibit.store": "unit_store",
  "exhibit.move": "in_transit",
  "exhibit.receive": "sealed",
  "exhibit.sample": "recorded",
};
const ANSWERS: Record<string, string> = {
  "hand_over.offer": "offered",
  "hand_over.accept": "accepted",
  "hand_over.refuse": "refused",
  "hand_over.withdraw": "withdrawn",
};

/** Every id that a custody record of this kind may have. */
export function custodyIds(mirror: Mirror, kind: "exhibit" | "hand_over"): Set<string> {
  const ids = new Set(mirror[kind].keys());
  for (const [object, rows] of mirror.outbox) if (rows.some((row) => row.type.startsWith(`${kind}.`))) ids.add(object);
  return ids;
}

interface Shown {
  base: BaseRecord | undefined;
  /** Steps on top, refused ones only where the server has nothing to show instead. */
  steps: Opened[];
  waiting: string[];
  is_saved_on_server: boolean;
  troubles: Trouble[];
}

function shownOf(mirror: Mirror, id: string, kind: "exhibit" | "hand_over"): Shown | null {
  const base = mirror[kind].get(id);
  const rows = mirror.outbox.get(id) ?? [];
  const isNew = (row: Opened) => !base && isShownThoughRefused(row, null);
  const steps = rows.filter((row) => liesOnTop(row, base?.rev ?? 0) || isNew(row));
  if (!base && !steps.length) return null;
  const waiting = steps.filter((row) => row.state === "waiting" || row.state === "sent").map((row) => row.type);
  const troubles = troublesOf(mirror, id, rows, base, PLAIN).map((one) => ({ ...one, record: kind }));
  const is_saved_on_server = !rows.some((row) => row.state !== "done" && row.state !== "answered");
  return { base, steps, waiting, is_saved_on_server, troubles };
}

/** Build an exhibit; null when there is none. */
export function buildExhibit(mirror: Mirror, id: string): Exhibit | null {
  const shown = shownOf(mirror, id, "exhibit");
  if (!shown) return null;
  const { base, steps, ...rest } = shown;
  const laid = withoutSamples(mirror, id, steps.reduce((one, row) => stepped(mirror, one, row), base?.body ?? {}));
  return {
    id,
    ...rest,
    report: String(laid.report ?? ""),
    number: laid.number === undefined ? null : Number(laid.number),
    parent: textOr(laid.parent, null),
    rev: base?.rev ?? null,
    unit: textOr(laid.unit, null),
    mark: String(laid.mark ?? ""),
    description: String(laid.description ?? ""),
    gross_mass_g: textOr(laid.gross_mass_g, null),
    net_mass_g: textOr(laid.net_mass_g, null),
    volume_ml: textOr(laid.volume_ml, null),
    count: typeof laid.count === "number" ? laid.count : null,
    count_unit: String(laid.count_unit ?? ""),
    state: String(laid.state ?? "recorded"),
    stop: texts(laid.stop),
    seals: Array.isArray(laid.seals) ? (laid.seals as unknown as Seal[]) : [],
    place: String(laid.place ?? ""),
    holder: textOr(laid.holder, null),
    outside: String(laid.outside ?? ""),
    offer: textOr(laid.offer, null) ?? openOffer(mirror, id),
  };
}

/** Lay a step over an exhibit. */
function stepped(mirror: Mirror, exhibit: Fields, { type, fields }: Opened): Fields {
  const state = LEADS[type] ?? exhibit.state ?? null;
  if (type === "exhibit.record") return { ...exhibit, ...fields, state };
  if (type === "exhibit.correct") return { ...exhibit, ...corrected(fields) };
  if (type === "exhibit.sample") return { ...exhibit, ...taken(mirror, fields), state };
  const { seals, gross_mass_g, place } = fields;
  return {
    ...exhibit,
    state,
    ...(seals ? { seals } : {}),
    ...(type === "exhibit.unseal" ? { seals: [] } : {}),
    ...(gross_mass_g ? { gross_mass_g } : {}),
    ...(place ? { place } : {}),
    ...(type === "exhibit.receive" ? { holder: null, outside: "" } : {}),
  };
}

/** What a correction says of the package; the reason stands in the step alone. */
function corrected({ reason: _, ...fields }: Fields): Fields {
  return fields;
}

/** A sample as it will be once the server has taken it: of the line and report of what it was taken from. */
function taken(mirror: Mirror, fields: Fields): Fields {
  const parent = String(fields.exhibit ?? "");
  const from = buildExhibit(mirror, parent);
  const mass = fields.taken_mass_g ?? null;
  return {
    parent,
    report: from?.report ?? "",
    mark: from?.mark ?? "",
    unit: from?.unit ?? null,
    description: fields.description ?? "",
    gross_mass_g: mass,
    net_mass_g: mass,
    volume_ml: fields.taken_volume_ml ?? null,
    count: fields.taken_count ?? null,
    count_unit: from?.count_unit ?? "",
  };
}

/** What is left of an exhibit after the samples that wait here to be sent. */
function withoutSamples(mirror: Mirror, id: string, exhibit: Fields): Fields {
  let laid = exhibit;
  for (const [sample, rows] of mirror.outbox)
    for (const row of rows)
      if (row.type === "exhibit.sample" && row.fields.exhibit === id && liesOnTop(row, mirror.exhibit.get(sample)?.rev ?? 0)) {
        const { left } = remaining(amountsOf(laid), amountsOf(row.fields));
        laid = { ...laid, ...left, ...(left.count === undefined ? {} : { count: Number(left.count) }) };
      }
  return laid;
}

/** Amounts as texts, whatever they came as. */
function amountsOf(fields: Fields): Record<string, string | null> {
  const known = Object.entries(fields).filter(([, value]) => typeof value === "string" || typeof value === "number");
  return Object.fromEntries(known.map(([key, value]) => [key, String(value)]));
}

/** The offer of this exhibit that waits here to be sent. */
function openOffer(mirror: Mirror, exhibit: string): string | null {
  for (const [id, rows] of mirror.outbox)
    for (const row of rows)
      if (row.type === "hand_over.offer" && row.state !== "attention" && texts(row.fields.exhibits).includes(exhibit))
        if (liesOnTop(row, mirror.hand_over.get(id)?.rev ?? 0)) return id;
  return null;
}

/** Build a hand-over; null when there is none. */
export function buildHandOver(mirror: Mirror, id: string, me: string | null): HandOver | null {
  const shown = shownOf(mirror, id, "hand_over");
  if (!shown) return null;
  const { base, steps, ...rest } = shown;
  const body = base?.body ?? {};
  const offered = steps.find((row) => row.type === "hand_over.offer")?.fields;
  const last = steps.findLast((row) => ANSWERS[row.type] && row.state !== "attention");
  const read = last?.type === "hand_over.accept" && isRecord(last.fields.items) ? last.fields.items : {};
  const items = isRecord(body.items) ? (body.items as unknown as Record<string, Item>) : itemsOf(mirror, offered);
  return {
    id,
    ...rest,
    number: textOr(body.number, null),
    report: String(body.report ?? offered?.report ?? ""),
    report_number: textOr(body.report_number, null),
    state: last ? (ANSWERS[last.type] as string) : String(body.state ?? "offered"),
    kind: String(body.kind ?? offered?.kind ?? "inside"),
    items: Object.fromEntries(Object.entries(items).map(([key, item]) => [key, { ...item, ...reading(read[key]) }])),
    giver: textOr(body.giver, offered ? me : null),
    receiver: textOr(body.receiver, null),
    receiver_name: String(body.receiver_name ?? offered?.name ?? ""),
    receiver_badge: String(body.receiver_badge ?? offered?.badge_no ?? ""),
    receiver_office: String(body.receiver_office ?? offered?.office ?? ""),
    persons: texts(body.persons ?? offered?.persons),
    vehicles: texts(body.vehicles ?? offered?.vehicles),
    note: String(body.note ?? ""),
    offered_at: textOr(body.offered_at, null),
  };
}

function itemsOf(mirror: Mirror, offered: Fields | undefined): Record<string, Item> {
  const found = texts(offered?.exhibits).map((id) => {
    const exhibit = buildExhibit(mirror, id);
    const seals = exhibit?.seals.map((seal) => seal.number) ?? [];
    return [id, { number: exhibit?.number ?? null, seals, gross_mass_g: exhibit?.gross_mass_g ?? null }] as const;
  });
  return Object.fromEntries(found);
}

function reading(value: Json | undefined): Partial<Item> {
  return isRecord(value) ? (value as Partial<Item>) : {};
}
