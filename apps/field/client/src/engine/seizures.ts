/**
 * Seizure reports on the phone: how patches lie over what the server said, the report as its officer sees it, and its edits.
 *
 * A patch names header fields, and parts by mark (`lines.1.net_mass_g`): two phones that write different fields of one
 * bag do not disturb each other (docs/seizures.md).
 */

import { uuid7 } from "./bytes.ts";
import type { Db } from "./db.ts";
import type { Goal, Part, Rows, Seizure } from "./find-types.ts";
import type { Mirror } from "./mirror.ts";
import type { Opened, Outbox } from "./outbox.ts";
import { type Fields, isRecord, liesOnTop } from "./overlay.ts";
import { type Clock, claimed } from "./patience.ts";
import { isShownThoughRefused, isStored, type Naming, textOr, troublesOf } from "./reports.ts";
import type { EngineError, Json, ReportState } from "./types.ts";
import { type Way, Work } from "./work.ts";

const SAVE = "seizure.save";
const DISCARD = "seizure.discard";
const SENDS: Record<Goal, string> = {
  flash: "seizure.flash",
  preliminary: "seizure.preliminary",
  submit: "seizure.submit",
};
const PARTS: readonly Part[] = ["lines", "persons", "conveyances", "consignments"];
const OPEN_TO_EDITS = new Set<string | null>([null, "draft", "flash", "preliminary"]);
const STATES: Record<string, ReportState> = {
  draft: "draft",
  hq_accepted: "approved",
  lab_confirmed: "approved",
  closed: "locked",
  voided: "voided",
  merged: "voided",
};

/** Put two patches together, the later one on top; what takes a field away must go on doing so. */
export function joined(first: Fields, second: Fields): Fields {
  const result = { ...first, ...second };
  for (const part of PARTS) {
    const [one, other] = [first[part], second[part]];
    if (isRecord(one) && isRecord(other)) result[part] = marked(one, other);
  }
  return result;
}

function marked(one: Fields, other: Fields): Fields {
  const result = { ...one };
  for (const [mark, columns] of Object.entries(other))
    result[mark] = isRecord(result[mark]) && isRecord(columns) ? { ...result[mark], ...columns } : columns;
  return result;
}

/** Single fields of a patch, or of a record as the server gives it, as conflicts name them. */
export function flatSeizure(given: Fields): Fields {
  const flat: Fields = isRecord(given.fields) ? { ...given.fields } : {};
  for (const [key, value] of Object.entries(given)) {
    if (key === "fields") continue;
    if (!(PARTS as readonly string[]).includes(key) || !isRecord(value)) flat[key] = value;
    else
      for (const [mark, columns] of Object.entries(value))
        if (isRecord(columns)) for (const [name, one] of Object.entries(columns)) flat[`${key}.${mark}.${name}`] = one;
  }
  return flat;
}

/** `/fields/lines/1/net_mass_g` is the field `lines.1.net_mass_g`. */
export const dotted = (pointer: string): string => pointer.split("/").slice(2).join(".");
const NAMING: Naming = { flatten: flatSeizure, fieldOf: dotted };

/** How seizures are edited. */
const seizureWay = (mirror: Mirror): Way => ({
  save: SAVE,
  discard: DISCARD,
  base: mirror.seizure,
  unsaved: mirror.unsavedSeizures,
  together: joined,
  naming: (_step, photos) => ({ photos }),
});

export class SeizureWork extends Work {
  constructor(
    db: Db,
    mirror: Mirror,
    outbox: Outbox,
    clock: Clock,
    changed: (seizures: string[]) => void,
    waits: (atOnce: boolean) => void,
    failed?: (fault: EngineError) => void,
  ) {
    const look = (id: string) => buildSeizure(mirror, id, false);
    super(db, mirror, outbox, clock, look, changed, waits, failed, seizureWay(mirror));
  }

  /** Begin a report with what is known already. */
  open(posting: string | null, fields: Fields): string {
    const id = uuid7();
    const now = claimed(this.clock);
    this.mirror.local.set(id, { begun_at: now, changed_at: now });
    this.edit(id, { ...(posting ? { posting } : {}), ...fields });
    return id;
  }

  change(seizure: Seizure, patch: Fields): void {
    this.editable(seizure);
    this.edit(seizure.id, patch);
  }

  async sendOn(seizure: Seizure, goal: Goal, patch: Fields): Promise<void> {
    await this.send(seizure, SENDS[goal], patch);
  }
}

/** Every id that a seizure report may have. */
export function seizureIds(mirror: Mirror): Set<string> {
  const ids = new Set([...mirror.seizure.keys(), ...mirror.unsavedSeizures.keys()]);
  for (const [object, rows] of mirror.outbox) if (rows.some((row) => row.type.startsWith("seizure."))) ids.add(object);
  return ids;
}

/** Build a seizure; null when there is none, or it was taken back. */
export function buildSeizure(mirror: Mirror, id: string, isPushing: boolean): Seizure | null {
  const base = mirror.seizure.get(id) ?? null;
  const rows = mirror.outbox.get(id) ?? [];
  const unsaved = mirror.unsavedSeizures.get(id);
  const shown = rows.filter((row) => liesOnTop(row, base?.rev ?? 0) || isShownThoughRefused(row, base));
  if (!base && !shown.length && !unsaved) return null;
  if (shown.some((row) => row.type === DISCARD && row.state !== "attention")) return null;
  const body = base?.body ?? {};
  const laid = [...shown.map((row) => row.fields), ...(unsaved ? [unsaved] : [])].reduce(joined, said(body));
  const { posting, incident, ...rest } = laid;
  const troubles = troublesOf(mirror, id, rows, base ?? undefined, NAMING).map((one) => ({ ...one, record: "seizure" as const }));
  const stage = textOr(body.stage, null);
  const sending = shown.findLast((row) => goalOf(row) && row.state !== "attention") ?? null;
  const named = texts(rest.photos);
  const developing = [...mirror.developing.values()].filter((one) => one.report === id).map((one) => one.id);
  const flags = texts(body.flags);
  const told = rows.filter((row) => row.state === "done").flatMap((row) => row.result?.warnings ?? []);
  return {
    id,
    state: stateOf(stage, sending, troubles.length > 0, isPushing, textOr(body.review_note, "")),
    server_state: stage,
    goal: sending ? goalOf(sending) : null,
    number: textOr(body.number, null),
    version: Number(body.version ?? 0),
    rev: base?.rev ?? 0,
    posting: textOr(posting ?? body.posting, null),
    incident: textOr(incident ?? body.incident, null),
    fields: without(rest, PARTS),
    ...rowsOf(rest),
    photos: { "": [...named, ...developing] },
    photos_total: named.length + developing.length,
    photos_stored: named.filter((photo) => isStored(mirror, photo)).length,
    flags,
    review_note: textOr(body.review_note, ""),
    is_saved_on_server: !unsaved && !rows.some((row) => row.state !== "done" && row.state !== "answered"),
    is_editable: sending?.type !== SENDS.submit && OPEN_TO_EDITS.has(stage),
    troubles,
    warnings: [...new Set([...flags, ...told])],
    changed_on_device_at: mirror.local.get(id)?.changed_at ?? null,
    received_at: textOr(body.received_at, null),
  };
}

/** What was reported, in the shape of a patch. */
function said(body: Fields): Fields {
  const parts = PARTS.flatMap((part) => (isRecord(body[part]) ? [[part, body[part]] as const] : []));
  return { ...(isRecord(body.fields) ? body.fields : {}), ...Object.fromEntries(parts) };
}

function goalOf(row: Opened): Goal | null {
  const found = Object.entries(SENDS).find(([, type]) => type === row.type);
  return found ? (found[0] as Goal) : null;
}

function stateOf(
  stage: string | null,
  sending: Opened | null,
  isTroubled: boolean,
  isPushing: boolean,
  reviewNote: string,
): ReportState {
  if (isTroubled) return "attention";
  if (sending && sending.state !== "done") return sending.state === "sent" && isPushing ? "sending" : "waiting";
  if (sending) return "received";
  if (stage === "preliminary" && reviewNote) return "returned";
  return stage === null ? "draft" : (STATES[stage] ?? "received");
}

function rowsOf(laid: Fields): Record<Part, Rows> {
  const parts = PARTS.map((part) => {
    const rows = isRecord(laid[part]) ? (laid[part] as Fields) : {};
    return [part, Object.fromEntries(Object.entries(rows).map(([mark, row]) => [mark, without(isRecord(row) ? row : {})]))];
  });
  return Object.fromEntries(parts) as Record<Part, Rows>;
}

/** The fields that say something, but for those named. */
function without(fields: Fields, names: readonly string[] = []): Record<string, Json> {
  return Object.fromEntries(Object.entries(fields).filter(([key, value]) => value !== null && !names.includes(key)));
}

export function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
