/**
 * The engine's public face: what screens see (signals) and what they may ask for (commands).
 *
 * Nothing here is implemented here. Screens import from `engine/index.ts` only; they never touch the database, the
 * network or a key. Every signal is read-only for them; every command may be called at any time and tells by its
 * answer or a thrown `EngineError` (a code, never a sentence: words live in `i18n/`) what became of it.
 */

import type { ReadonlySignal } from "@preact/signals";
import type { Finds } from "./find-types.ts";

// ---- What the server keeps (docs/sync.md); unknown fields are kept and passed on ---------------------------------

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Lang = "vi" | "en";
/** A text in both languages. */
export interface Say {
  vi: string;
  en: string;
}

/** What an officer said at one step. Exactly one of `value`, `na`, `unavailable`; `reason` goes with the latter two. */
export interface Answer {
  value?: Json;
  na?: true;
  unavailable?: true;
  reason?: string;
  note?: string;
}

/** The report's header; times are ISO 8601 with an offset. */
export interface Header {
  mode?: string;
  direction?: string;
  place_type?: string;
  place?: string;
  selection_reason?: string;
  channel?: string;
  outcome?: string;
  started_on_device_at?: string | null;
  ended_on_device_at?: string | null;
  captured_tz?: string;
  subjects?: Json[];
  transport?: { [key: string]: Json };
  goods?: { [key: string]: Json };
  means_used?: string[];
  participants?: Json[];
  witnesses?: Json[];
  equipment_unavailable?: Json[];
  alert_ids?: Json[];
  campaign_ids?: Json[];
  remarks?: string;
}

export interface Option {
  value: string;
  label: Say;
}
export interface PhotoRule {
  min: number;
  max: number;
  purpose: string;
  /** Keep the original, not a scaled copy. */
  original?: boolean;
  required_if?: string;
}
export interface Step {
  key: string;
  kind: string;
  text: Say;
  required?: boolean;
  required_if?: string;
  visible_if?: string;
  allow_na?: boolean;
  help?: Say;
  safety_note?: Say;
  legal_ref?: string | Say;
  scored?: boolean;
  photos?: PhotoRule;
  options?: Option[];
  min?: number | string;
  max?: number | string;
  decimals?: number;
  unit?: string;
  max_length?: number;
  pattern?: string;
  single_use?: boolean;
  symbology?: string[];
}
export interface Section {
  key: string;
  title: Say;
  steps: Step[];
}

/** One published or closing version; also one that was taken back since, as long as a report here was begun with it. */
export interface ChecklistVersion {
  /** The version's id: what a report names in `checklist_version`. */
  id: string;
  checklist: string;
  code: string;
  applies_to: string;
  title: Say;
  semver: string;
  /** `published` can be begun; `closing` and `gone` (held for a draft only) can be finished. */
  status: "published" | "closing" | "gone" | (string & {});
  content_hash: string;
  content: { sections: Section[] };
  change_note?: Say;
  effective_from?: string | null;
  accept_until?: string | null;
}

export interface ReferenceEntry {
  id: string;
  key: string;
  label: Say;
  data: { [key: string]: Json };
  /** Still to be chosen; an old report may show one that is not. */
  valid: boolean;
}

export interface Posting {
  id: string;
  unit: { id: string; code: string; vi: string; en: string };
  role: string;
  officer: { id: string; badge_no: string; full_name: string };
  valid_from: string;
  valid_to: string | null;
}

// ---- Reports ------------------------------------------------------------------------------------------------------

/**
 * How far a report has come, in the officer's terms. In the order of a report's life:
 *
 * `draft` being filled in · `waiting` submitted, not yet sent · `sending` on its way at this moment · `received` the
 * server has it · `media_pending` it lacks photos (`photos_stored` of `photos_total`) · `complete` all is there ·
 * `under_review` · `returned` with notes, to be corrected · `approved` · `locked` · `voided` · `attention` the server
 * refused something of it or another phone wrote something else: see `troubles`.
 */
export type ReportState =
  | "draft"
  | "waiting"
  | "sending"
  | "received"
  | "media_pending"
  | "complete"
  | "under_review"
  | "returned"
  | "approved"
  | "locked"
  | "voided"
  | "attention";

export interface Note {
  /** The question it stands at; empty: on the whole report. */
  step_key: string;
  text: string;
  version?: number;
  at?: string;
  author?: Json;
}

/** A report as the officer sees it: what the server said, with everything the officer did laid over it. */
export interface Report {
  id: string;
  state: ReportState;
  /** The server's own word (`local_draft`, `received`, …); null while the server does not have it. */
  server_state: string | null;
  /** The human number; null until the server has received it. */
  number: string | null;
  /** 0 before the first submission; 2 for the first resubmission. */
  version: number;
  rev: number;
  type: string;
  posting: string | null;
  /** Id of the checklist version it was begun with; `engine.checklist(id)` gives its content. */
  checklist_version: string;
  content_hash: string;
  header: Header;
  answers: Record<string, Answer>;
  /** Answers as they were typed that are not in order yet: on this phone only, and not part of what is sent. */
  unfinished: Record<string, Answer>;
  /** Photo ids by step. */
  photos: Record<string, string[]>;
  /** The reviewer's notes on the version that was returned last. */
  notes: Note[];
  review_note: string;
  flags: Json[];
  photos_total: number;
  /** How many of them the server has confirmed with the same hash. */
  photos_stored: number;
  /** Everything of it the officer typed is on the server, or it is not. */
  is_saved_on_server: boolean;
  /** Whether the officer may edit it now. */
  is_editable: boolean;
  troubles: Trouble[];
  /** Warnings the server gave with its last verdict (`checklist-closing`, `clock-doubtful`, …). */
  warnings: string[];
  /** Times by the phone's own clock (a claim), for sorting and "begun at"; null for reports of another phone. */
  begun_on_device_at: string | null;
  changed_on_device_at: string | null;
  submitted_at: string | null;
  occurred_on: string | null;
}

/** Something the officer must decide; nothing of theirs is lost meanwhile. */
export interface Trouble {
  /** Id to give to `decide` or `retry`. */
  id: string;
  report: string;
  /** Whose trouble it is; `report` is the id of that record. */
  record: "inspection" | "seizure" | "exhibit" | "hand_over";
  /** `save`, `submit`, `discard`, `photo`; of finds `flash`, `seal`, `offer` …, as mutations are named. */
  what: string;
  kind: "conflict" | "rejected";
  /** Code of docs/errors.md (`field-conflict`, `state-locked`, `invalid-field`, `scope-revoked`, …). */
  code: string;
  /** What clashes, flattened: `outcome`, `answers.<step>`, `photos.<step>`. */
  fields: string[];
  /** What the officer wrote, by flattened field. */
  mine: Record<string, Json>;
  /** What the server has instead, by flattened field; empty when it did not say. */
  theirs: Record<string, Json>;
  /** Faults with pointers (`/fields/answers/<step>/value`) and the server's words. */
  errors: { pointer: string; code: string; detail: string }[];
  /** May be sent again as it is (`decide(id, "insist")`). */
  can_insist: boolean;
  photo?: string;
}

// ---- Photos -------------------------------------------------------------------------------------------------------

/**
 * `processing` being hashed and stored · `kept` on the phone, its report not yet submitted or the photo not yet
 * declared · `waiting` declared, bytes not sent · `sending` (`sent` of `size` bytes) · `sent` all bytes are there, not
 * yet confirmed · `stored` the server confirmed the same hash · `attention` the server will not take it.
 */
export type PhotoState = "processing" | "kept" | "waiting" | "sending" | "sent" | "stored" | "attention";

export interface Photo {
  id: string;
  report: string;
  step: string;
  state: PhotoState;
  size: number;
  sent: number;
  mime: string;
  sha256: string;
  /** Taken in the app, or brought from the gallery. */
  capture_mode: "in_app" | "import";
  /** What it shows (`overview`, `scale` …; empty: nothing was said); null: another phone knows. */
  purpose: string | null;
  captured_on_device_at: string | null;
  width: number;
  height: number;
  /** Whether `engine.picture(id)` can show it without the network. */
  is_here: boolean;
  /** The server has signed that it has these bytes, and this phone has checked the signature. */
  has_receipt: boolean;
}

// ---- State of phone and sync --------------------------------------------------------------------------------------

/**
 * `starting` the store is being opened · `none` not enrolled · `locked` PIN needed · `open` · `wiped` the service has
 * shut this phone out and it has erased itself; enrolling again is possible · `broken` the browser gives no store.
 */
export type LockState = "starting" | "none" | "locked" | "open" | "wiped" | "broken";

export interface Lock {
  state: LockState;
  /** Wrong PINs in a row. */
  failures: number;
  /** Seconds until the next attempt is allowed; counts down while the app is open. */
  wait_seconds: number;
}

/** What is kept from view because the phone has not spoken to the server for too long. */
export type Lease = "fresh" | "sensitive_locked" | "all_locked";

/**
 * Codes of trouble with sync as a whole. `offline` no connection · `server` 5xx or 429, tried again by itself · `busy`
 * told to wait · `sign-in` the session has ended: `signIn` · `suspended` 403 without wipe · `upgrade` the app is too
 * old: reload to update · `out-of-step` a stream disagreed three times · `storage` the phone's store is full or broken ·
 * `unexpected` something else, with its code in `detail`.
 */
export type SyncErrorCode =
  | "offline"
  | "server"
  | "busy"
  | "sign-in"
  | "suspended"
  | "upgrade"
  | "out-of-step"
  | "storage"
  | "unexpected";

export interface SyncState {
  phase: "idle" | "pushing" | "pulling" | "photos" | "pausing";
  error: { code: SyncErrorCode; detail: string } | null;
  /** Mutations not finally accepted. */
  waiting: number;
  /** Photos that the server has not confirmed. */
  photos_waiting: number;
  /** Troubles to decide. */
  attention: number;
  /** When push, pull and photos last all ended well, by the server's clock; null: never. */
  last_sync_at: string | null;
  /** Seconds since then by a clock that only counts forward; null: never. */
  last_sync_age: number | null;
  /** Seconds until the next attempt, while pausing. */
  next_in: number | null;
  /** Present until the first complete pull: a step with size and time. `rows_total` is null until it is known. */
  first: { rows: number; rows_total: number | null; bytes: number; seconds: number; done: boolean } | null;
}

export interface StorageState {
  /** Bytes, as the browser estimates. */
  used: number;
  quota: number;
  /** The browser has promised not to evict. */
  persisted: boolean;
  photo_bytes: number;
}

/** What is known of this phone and its officer; null before enrolment and while locked. */
export interface DeviceFacts {
  device_id: string;
  officer: { id: string; badge_no: string; name: string };
  enrolled_at: string;
  server_key_id: string;
  app_version: string;
  name: string;
}

export interface Prefs {
  lang: Lang;
  text_size: "normal" | "large" | "larger";
  theme: "system" | "light" | "dark";
}

/** What `signOut` answers: done, or refused because work would be lost. */
export type SignOut = { done: true } | { done: false; waiting: number; photos: number; attention: number };

/** What went wrong with a command. */
export type EngineErrorCode =
  | "wrong-pin"
  | "pin-wait"
  | "weak-pin"
  | "locked"
  | "code-not-usable"
  | "offline"
  | "server"
  | "upgrade"
  | "sign-in-refused"
  | "not-editable"
  | "unknown-report"
  | "unknown-checklist"
  | "unknown-photo"
  | "too-many-photos"
  | "not-a-picture"
  | "too-large"
  | "storage-full"
  | "already-enrolled"
  | "unexpected";

export class EngineError extends Error {
  constructor(
    readonly code: EngineErrorCode,
    readonly detail = "",
  ) {
    super(code);
    this.name = "EngineError";
  }
}

// ---- The engine ---------------------------------------------------------------------------------------------------

export interface Engine {
  // What screens watch
  readonly lock: ReadonlySignal<Lock>;
  readonly lease: ReadonlySignal<Lease>;
  /** All reports on this phone, newest change first. */
  readonly reports: ReadonlySignal<Report[]>;
  /** Versions that can be begun or are needed for a report that is here. */
  readonly checklists: ReadonlySignal<ChecklistVersion[]>;
  readonly photos: ReadonlySignal<ReadonlyMap<string, Photo>>;
  readonly postings: ReadonlySignal<Posting[]>;
  readonly troubles: ReadonlySignal<Trouble[]>;
  readonly sync: ReadonlySignal<SyncState>;
  readonly storage: ReadonlySignal<StorageState>;
  readonly device: ReadonlySignal<DeviceFacts | null>;
  readonly prefs: ReadonlySignal<Prefs>;
  /** A newer app is downloaded and starts with the next `applyUpdate`; never by itself. */
  readonly update_ready: ReadonlySignal<boolean>;
  /** Seizures and what becomes of the exhibits. */
  readonly finds: Finds;

  /** One report, following every change; null when there is none. The same signal for the same id. */
  report(id: string): ReadonlySignal<Report | null>;
  checklist(versionId: string): ChecklistVersion | null;
  /** The entries of a reference list (`list:<slug>`), read and decrypted when first asked for. */
  reference(slug: string): Promise<ReferenceEntry[]>;

  // The door
  /** Prepare the store; call once at start. */
  start(): Promise<void>;
  /** Enrol with the code (from a QR's fragment, or typed) and set the PIN. Asks the browser for persistent storage. */
  enrol(code: string, pin: string, name?: string): Promise<void>;
  unlock(pin: string): Promise<void>;
  changePin(old: string, fresh: string): Promise<void>;
  /** Forget the key: nothing can be read until the PIN is given again. */
  lockNow(): void;
  /** The officer did something: the idle lock (15 minutes) starts anew. */
  touch(): void;
  /** Open a new session when sync says `sign-in`. */
  signIn(username: string, password: string): Promise<void>;
  /** End the session and erase this phone's data; refused while anything is unsent. */
  signOut(): Promise<SignOut>;

  // Work. All of these change what `report(id)` shows at once, before anything is stored.
  /** Begin a report on a version; gives its id. `posting` is needed when the officer holds several. */
  beginReport(versionId: string, header?: Header, posting?: string): string;
  /** null takes the answer back. Stored by itself, in order; never wait for it while somebody types. */
  saveAnswer(report: string, step: string, answer: Answer | null): void;
  /** Keep an answer that is not in order yet, beside the answers; null when it is not half said any more. */
  keepUnfinished(report: string, step: string, answer: Answer | null): void;
  saveHeader(report: string, header: Partial<Header>): void;
  /** Resolves when everything given so far is safely stored on the phone. */
  flush(): Promise<void>;
  /** Hash, scale by policy, encrypt and keep a photo; gives its id. It shows as `processing` at once. */
  addPhoto(report: string, step: string, picture: Blob, source: "camera" | "gallery"): Promise<string>;
  /** Take a photo out of a report that can be edited. One that the server has stays there, but out of the report. */
  removePhoto(report: string, step: string, photo: string): void;
  thumbnail(photo: string): Promise<Blob | null>;
  picture(photo: string): Promise<Blob | null>;
  /** Ask for the position now and then, so that a photo need not wait for it. */
  warmPosition(): void;
  /** Submit a draft or resubmit a returned report. The screens have checked it; the server checks again. */
  submit(report: string, header?: Partial<Header>): Promise<void>;
  /** Take back a draft, at the officer's word. */
  discard(report: string): Promise<void>;
  /** Send mine again on what is known now, or leave the server's version. */
  decide(trouble: string, how: "insist" | "give_way"): Promise<void>;
  /** Send a refused photo or mutation again as it is. */
  retry(trouble: string): Promise<void>;
  /** Everything unsent as one readable file (JSON with the photos in base64): for when nothing else helps. */
  exportStuckWork(): Promise<Blob>;

  // Sync
  syncNow(): Promise<void>;
  setPrefs(prefs: Partial<Prefs>): void;
  refreshStorage(): Promise<void>;
  /** Start the newer app; refused (false) while a form is open unless `force`. */
  applyUpdate(): Promise<void>;
}
