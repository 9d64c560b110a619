/** What screens see of seizures and custody, and what they may ask for; the counterpart of `types.ts` for inspections. */

import type { ReadonlySignal } from "@preact/signals";
import type { Json, ReportState, Trouble } from "./types.ts";

/** Columns by mark: `lines["1"].net_mass_g`. */
export type Rows = Record<string, Record<string, Json>>;
export type Part = "lines" | "persons" | "conveyances" | "consignments";
/** A patch: header fields beside parts; null takes a field back. */
export type SeizurePatch = { [key: string]: Json };
export type Goal = "flash" | "preliminary" | "submit";

/** A seizure report as its officer sees it: the server's word with everything done here laid over it. */
export interface Seizure extends Record<Part, Rows> {
  readonly id: string;
  /** In the officer's terms; `received` is sent, `approved` accepted at headquarters or later. */
  readonly state: ReportState;
  /** The stage on the server (`draft`, `flash` …); null while it does not have the report. */
  readonly server_state: string | null;
  /** The stage that waits to be reached, if any. */
  readonly goal: Goal | null;
  readonly number: string | null;
  readonly version: number;
  readonly rev: number;
  readonly posting: string | null;
  readonly incident: string | null;
  readonly fields: Record<string, Json>;
  readonly photos: Record<string, string[]>;
  readonly photos_total: number;
  readonly photos_stored: number;
  readonly flags: string[];
  readonly review_note: string;
  readonly is_saved_on_server: boolean;
  readonly is_editable: boolean;
  readonly troubles: Trouble[];
  readonly warnings: string[];
  readonly changed_on_device_at: string | null;
  readonly received_at: string | null;
}

export interface Seal {
  readonly number: string;
  readonly type: string;
  readonly issuer?: string;
  readonly year?: number;
}
/** A package, with the steps that wait here laid over what the server said. */
export interface Exhibit {
  readonly id: string;
  readonly report: string;
  /** Its number within the report; null until the server gave one. */
  readonly number: number | null;
  /** Of what it is a sample; null for a package. */
  readonly parent: string | null;
  /** Its revision on the server as this phone knows it; null while the server does not have it. */
  readonly rev: number | null;
  readonly unit: string | null;
  readonly mark: string;
  readonly description: string;
  readonly gross_mass_g: string | null;
  readonly net_mass_g: string | null;
  readonly volume_ml: string | null;
  readonly count: number | null;
  readonly count_unit: string;
  readonly state: string;
  /** Why nothing may be done with it until a leader decides. */
  readonly stop: string[];
  readonly seals: Seal[];
  readonly place: string;
  readonly holder: string | null;
  readonly outside: string;
  readonly offer: string | null;
  /** Steps that wait to be sent, oldest first (`exhibit.seal` …). */
  readonly waiting: string[];
  readonly is_saved_on_server: boolean;
  readonly troubles: Trouble[];
}

export interface Item {
  readonly number: number | null;
  readonly seals: string[];
  readonly gross_mass_g: string | null;
  readonly seals_read?: string[];
  readonly mass_read?: string;
  readonly differs?: string[];
}
export interface HandOver {
  readonly id: string;
  readonly number: string | null;
  readonly report: string;
  readonly report_number: string | null;
  readonly state: string;
  readonly kind: string;
  /** By exhibit. */
  readonly items: Record<string, Item>;
  readonly giver: string | null;
  readonly receiver: string | null;
  readonly receiver_name: string;
  readonly receiver_badge: string;
  readonly receiver_office: string;
  /** People and vehicles of the report that go with the exhibits, by their marks. */
  readonly persons: readonly string[];
  readonly vehicles: readonly string[];
  readonly note: string;
  readonly offered_at: string | null;
  readonly waiting: string[];
  readonly is_saved_on_server: boolean;
  readonly troubles: Trouble[];
}

export interface Finds {
  /** Newest change first. */
  readonly seizures: ReadonlySignal<Seizure[]>;
  readonly exhibits: ReadonlySignal<Exhibit[]>;
  readonly hand_overs: ReadonlySignal<HandOver[]>;
  readonly troubles: ReadonlySignal<Trouble[]>;

  /** Fetch the code behind it; nothing can be commanded before. */
  ready(): Promise<void>;
  /** Begin a report; gives its id. */
  begin(fields: SeizurePatch, posting?: string): string;
  save(seizure: string, patch: SeizurePatch): void;
  send(seizure: string, goal: Goal, patch?: SeizurePatch): Promise<void>;
  discard(seizure: string): Promise<void>;
  /** Add a photo that shows this: `overview`, `scale` … */
  addPhoto(seizure: string, picture: Blob, source: "camera" | "gallery", purpose: string): Promise<string>;
  removePhoto(seizure: string, photo: string): void;
  /** A custody step (`exhibit.seal` …) on an object, or on a new one; `after` are objects whose steps go first. Gives the id. */
  act(type: string, object: string | null, fields: SeizurePatch, after?: string[]): Promise<string>;
  /** What was half filled in on a form when it was last on the screen; null when nothing was. */
  halfFilled(form: string): SeizurePatch | null;
  /** Keep what is half filled in, sealed, until the step is taken or given up (null). `form` begins with a record's id. */
  keepHalfFilled(form: string, said: SeizurePatch | null): void;
}
