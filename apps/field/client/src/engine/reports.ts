/** Makes of what is in memory the reports, troubles and photos that officers see. Pure: data in, view out. */

import type { BaseRecord } from "./base.ts";
import type { Mirror } from "./mirror.ts";
import type { Opened, Verdict } from "./outbox.ts";
import { type Fields, flatten, isRecord, liesOnTop, overlay } from "./overlay.ts";
import type { Answer, ChecklistVersion, Header, Json, Note, Photo, Report, ReportState, Trouble } from "./types.ts";

const HEADER: (keyof Header)[] = [
  "mode",
  "direction",
  "place_type",
  "place",
  "selection_reason",
  "channel",
  "outcome",
  "started_on_device_at",
  "ended_on_device_at",
  "captured_tz",
  "subjects",
  "transport",
  "goods",
  "means_used",
  "participants",
  "witnesses",
  "equipment_unavailable",
  "alert_ids",
  "campaign_ids",
  "remarks",
];
const STATES: Record<string, ReportState> = {
  local_draft: "draft",
  received: "received",
  media_pending: "media_pending",
  complete: "complete",
  under_review: "under_review",
  returned: "returned",
  approved: "approved",
  locked: "locked",
  voided: "voided",
};
/** How the fields of a kind of record are named in conflicts and faults. */
export interface Naming {
  flatten(fields: Fields): Fields;
  fieldOf(pointer: string): string;
}
const OPEN_TO_EDITS = new Set<string | null>([null, "local_draft", "returned"]);
/** Conflicts that sending the same once more cannot solve. */
const DECIDED_THERE = new Set([
  ...["state-locked", "state-changed", "deleted", "exists-different"],
  ...["seal-used", "custody-step", "hand-over-answered"],
]);

/** Build a report; null when there is none, or it was taken back. */
export function buildReport(mirror: Mirror, id: string, isPushing: boolean): Report | null {
  const base = mirror.inspection.get(id) ?? null;
  const rows = mirror.outbox.get(id) ?? [];
  const unsaved = mirror.unsaved.get(id);
  const rev = base?.rev ?? 0;
  const shown = rows.filter((row) => liesOnTop(row, rev) || isShownThoughRefused(row, base));
  if (!base && !shown.length && !unsaved) return null;
  if (shown.some((row) => row.type === "inspection.discard" && row.state !== "attention")) return null;
  const laid = [...shown.map((row) => row.fields), ...(unsaved ? [unsaved] : [])].reduce(overlay, base?.body ?? {});
  const troubles = troublesOf(mirror, id, rows, base ?? undefined);
  const serverState = typeof base?.body.state === "string" ? base.body.state : null;
  const submission = shown.findLast((row) => row.type === "inspection.submit" && row.state !== "attention");
  const photos = withDeveloping(mirror, id, byStep<string[]>(laid.photos));
  const named = Object.values(photos).flat();
  const local = mirror.local.get(id);
  return {
    id,
    state: stateOf(serverState, submission, troubles.length > 0, isPushing),
    server_state: serverState,
    number: textOr(base?.body.number, null),
    version: Number(base?.body.version ?? 0),
    rev,
    type: String(base?.body.type ?? mirror.kept.get(String(laid.checklist_version))?.applies_to ?? ""),
    posting: textOr(laid.posting, null),
    checklist_version: String(laid.checklist_version ?? ""),
    content_hash: String(laid.content_hash ?? ""),
    header: headerOf(laid),
    answers: byStep<Answer>(laid.answers),
    unfinished: local?.unfinished ?? {},
    photos,
    notes: notesOf(base),
    review_note: String(base?.body.review_note ?? ""),
    flags: Array.isArray(base?.body.flags) ? base.body.flags : [],
    photos_total: named.length,
    photos_stored: named.filter((photo) => isStored(mirror, photo)).length,
    is_saved_on_server: !unsaved && !rows.some((row) => row.state !== "done" && row.state !== "answered"),
    is_editable: !submission && OPEN_TO_EDITS.has(serverState),
    troubles,
    warnings: warningsOf(base, rows),
    begun_on_device_at: local?.begun_at ?? null,
    changed_on_device_at: local?.changed_at ?? null,
    submitted_at: textOr(base?.body.submitted_at, null),
    occurred_on: textOr(base?.body.occurred_on, null),
  };
}

/** Every id that a report may have. */
export function reportIds(mirror: Mirror): Set<string> {
  const ids = new Set([...mirror.inspection.keys(), ...mirror.unsaved.keys()]);
  for (const [object, rows] of mirror.outbox) if (rows.some((row) => row.type.startsWith("inspection."))) ids.add(object);
  return ids;
}

/** What the officer must decide about a report: refused edits, refused photos. */
export function troublesOf(
  mirror: Mirror,
  id: string,
  rows: Opened[],
  base: BaseRecord | undefined,
  naming: Naming = BY_STEP,
): Trouble[] {
  const own = rows.filter((row) => row.state === "attention").map((row) => troubleOf(row, id, base, naming));
  for (const photo of mirror.photos.values()) {
    if (photo.report !== id) continue;
    const declaration = mirror.outbox.get(photo.id)?.find((row) => row.state === "attention");
    if (declaration) own.push({ ...troubleOf(declaration, id, undefined, BY_STEP), photo: photo.id });
    else if (photo.state === "attention") own.push(photoTrouble(photo.id, id, photo.step, mirror.refusals.get(photo.id)));
  }
  return own;
}

function troubleOf(row: Opened, report: string, base: BaseRecord | undefined, naming: Naming): Trouble {
  const verdict: Verdict = row.result ?? { status: "rejected" };
  const status = verdict.original_status ?? verdict.status;
  const code = verdict.code ?? "unexpected";
  const errors = (verdict.errors ?? []).map((one) => ({ ...one, detail: one.detail ?? "" }));
  const mine = naming.flatten(row.fields);
  const named = verdict.fields ?? [...new Set(errors.map((one) => naming.fieldOf(one.pointer)).filter(Boolean))];
  const current = isRecord(verdict.current) ? naming.flatten(verdict.current) : {};
  const theirs = base ? naming.flatten(base.body) : {};
  return {
    id: row.id,
    report,
    record: "inspection",
    what: row.type === "attachment.create" ? "photo" : (row.type.split(".")[1] ?? ""),
    kind: status === "conflict" ? "conflict" : "rejected",
    code,
    fields: named,
    mine: status === "conflict" && named.length ? pick(mine, named) : mine,
    theirs: Object.fromEntries(named.map((key) => [key, current[key] ?? theirs[key] ?? null])),
    errors,
    can_insist: !DECIDED_THERE.has(code),
  };
}

function photoTrouble(photo: string, report: string, step: string, refusal: Fields | undefined): Trouble {
  return {
    id: `photo:${photo}`,
    report,
    record: "inspection",
    what: "photo",
    kind: "rejected",
    code: String(refusal?.code ?? "unexpected"),
    fields: [`photos.${step}`],
    mine: {},
    theirs: {},
    errors: [],
    can_insist: true,
    photo,
  };
}

/** `/fields/answers/step/value` is the field `answers.step`. */
function flatPointer(pointer: string): string {
  const [, , key = "", step] = pointer.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return (key === "answers" || key === "photos") && step ? `${key}.${step}` : key;
}

const BY_STEP: Naming = { flatten, fieldOf: flatPointer };

/** What was refused is still the officer's text: shown where the server has nothing, or nothing else, to show instead. */
export function isShownThoughRefused(row: Opened, base: BaseRecord | null): boolean {
  if (row.state !== "attention") return false;
  const status = row.result?.original_status ?? row.result?.status;
  return !base || (status === "rejected" && !row.type.endsWith(".discard"));
}

function stateOf(server: string | null, submission: Opened | undefined, troubled: boolean, pushing: boolean): ReportState {
  if (troubled) return "attention";
  if (submission?.state === "done") return "received";
  if (submission) return submission.state === "sent" && pushing ? "sending" : "waiting";
  return server === null ? "draft" : (STATES[server] ?? "received");
}

function warningsOf(base: BaseRecord | null, rows: Opened[]): string[] {
  const flags = Array.isArray(base?.body.flags) ? base.body.flags : [];
  const told = rows.filter((row) => row.state === "done").flatMap((row) => row.result?.warnings ?? []);
  return [...new Set([...flags.filter((flag) => typeof flag === "string"), ...told])];
}

export function isStored(mirror: Mirror, photo: string): boolean {
  const told = mirror.attachment.get(photo)?.body;
  const mine = mirror.photos.get(photo);
  return told?.state === "stored" && (!mine || mine.sha256 === told.sha256);
}

function withDeveloping(mirror: Mirror, report: string, photos: Record<string, string[]>): Record<string, string[]> {
  const all = { ...photos };
  for (const one of mirror.developing.values())
    if (one.report === report) all[one.step] = [...(all[one.step] ?? []), one.id];
  return all;
}

function headerOf(fields: Fields): Header {
  return pick(fields, HEADER) as Header;
}

function notesOf(base: BaseRecord | null): Note[] {
  return Array.isArray(base?.body.notes) ? (base.body.notes as unknown as Note[]) : [];
}

function pick(fields: Fields, keys: string[]): Fields {
  return Object.fromEntries(keys.filter((key) => key in fields).map((key) => [key, fields[key] as Json]));
}

function byStep<T>(value: Json | undefined): Record<string, T> {
  return isRecord(value) ? (value as unknown as Record<string, T>) : {};
}

export function textOr<T>(value: Json | undefined, other: T): string | T {
  return typeof value === "string" ? value : other;
}

/**
 * All photos: those of this phone, those being developed, and those that another phone has brought. One whose bytes are
 * partly there waits again while nothing moves.
 */
export function buildPhotos(mirror: Mirror, isMoving: boolean): Map<string, Photo> {
  const all = new Map<string, Photo>();
  for (const { id, body } of mirror.attachment.values()) {
    all.set(id, {
      id,
      report: String(body.owner_id ?? ""),
      step: String(body.step_key ?? ""),
      state: body.state === "stored" ? "stored" : "waiting",
      size: Number(body.size ?? 0),
      sent: body.state === "stored" ? Number(body.size ?? 0) : 0,
      mime: String(body.mime ?? ""),
      sha256: String(body.sha256 ?? ""),
      capture_mode: "in_app",
      purpose: textOr(body.purpose, null),
      captured_on_device_at: textOr(body.captured_on_device_at, null),
      width: 0,
      height: 0,
      is_here: false,
      has_receipt: false,
    });
  }
  for (const photo of mirror.photos.values()) {
    const { id, report, step, size, sent, mime, sha256, capture_mode, captured_on_device_at, width, height } = photo;
    const facts = { id, report, step, size, sent, mime, sha256, capture_mode, captured_on_device_at, width, height };
    const state = photo.state === "sending" && !isMoving ? "waiting" : PHOTO_STATES[photo.state];
    all.set(id, { ...facts, purpose: photo.purpose ?? null, state, is_here: photo.chunks > 0, has_receipt: photo.receipt === true });
  }
  for (const one of mirror.developing.values())
    all.set(one.id, {
      ...one,
      state: "processing",
      sent: 0,
      sha256: "",
      captured_on_device_at: null,
      width: 0,
      height: 0,
      is_here: false,
      has_receipt: false,
    });
  return all;
}

const PHOTO_STATES = {
  waiting: "kept",
  declared: "waiting",
  sending: "sending",
  sent: "sent",
  stored: "stored",
  attention: "attention",
} as const;

/** Checklists that can be begun, and those that a report here was begun with. */
export function buildChecklists(mirror: Mirror): ChecklistVersion[] {
  const all = new Map<string, ChecklistVersion>();
  for (const version of mirror.kept.values()) all.set(version.id, { ...version, status: "gone" });
  for (const { id, body } of mirror.checklist.values()) all.set(id, { id, ...body } as unknown as ChecklistVersion);
  return [...all.values()].sort((one, other) => one.title.vi.localeCompare(other.title.vi, "vi"));
}
