/** What the officer enters about a seizure, on its way into the store; what a page lacks, and what it is called. */

import { signal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Json, Part, Seizure } from "../../engine/index.ts";
import type { Finding } from "../../rules/answers.ts";
import { type Aim, HEADER, lacksScale, missingAt, PARTS, type Spec } from "../../rules/seizure.ts";
import * as format from "../../i18n/format.ts";
import { named, say } from "../../i18n/index.ts";
import { store } from "../form/editing.ts";
import { called, country, forces, substance, w } from "./words.ts";

export interface PageOf {
  readonly key: PageKey;
  readonly fields: readonly string[];
  readonly parts: readonly Part[];
}
export type PageKey = "basic" | "finding" | "route" | "lines" | "people" | "record";

/** The pages of the full report, and what stands on each. */
export const PAGES: readonly PageOf[] = [
  {
    key: "basic",
    fields: [
      ...["summary", "detected_on_device_at", "occurred_on_device_at", "place", "place_type", "mode", "direction"],
      ...["lead_force", "handling", "persons_count", "photos", "no_photo_reason"],
    ],
    parts: [],
  },
  { key: "lines", fields: ["no_scale_photo_reason"], parts: ["lines"] },
  {
    key: "finding",
    fields: [
      ...["first_cue", "means", "concealment_places", "concealment_techniques", "search_decision"],
      ...["finding_category", "watch_linked"],
    ],
    parts: [],
  },
  { key: "route", fields: ["departure", "transit_countries", "destination", "origin", "intended_final"], parts: [] },
  { key: "people", fields: [], parts: ["persons", "conveyances", "consignments"] },
  {
    key: "record",
    fields: [
      ...["record_doc_number", "record_doc_on", "participations", "is_subject_present", "witnesses", "participants"],
      ...["checklist_version", "handover_plan", "remarks"],
    ],
    parts: [],
  },
];
export const SCALE_REASON = "no_scale_photo_reason";
const NOTHING = { fields: {}, lines: {}, persons: {}, conveyances: {}, consignments: {} };
/** What a full report cannot do without, before anything is filled in. */
const NEEDED = new Set(missingAt("submitted", NOTHING).map(({ pointer }) => pointer.split("/")[2]));
const NEEDED_OF_LINES = new Set(["substance", "form", "measure_basis", "id_basis", "scale_id", "seal_numbers", "weighed_by"]);

/** Reports whose faults were shown: they stand at their places from then on. */
export const insisted = signal<ReadonlySet<string>>(new Set());

export function insist(id: string): void {
  if (!insisted.value.has(id)) insisted.value = new Set(insisted.value).add(id);
}

/** Keep a field; null takes it back. */
export function put(seizure: Seizure, name: string, value: Json, part?: Part, mark = "1"): void {
  engine.finds.save(seizure.id, part ? { [part]: { [mark]: { [name]: value } } } : { [name]: value });
  void store();
}

export function missing(aim: Aim, seizure: Seizure): Finding[] {
  const photos = Object.values(seizure.photos).flat();
  const found = missingAt(aim, { ...seizure, fields: { ...seizure.fields, photos }, forces: forces() });
  const purposes = photos.map((id) => engine.photos.value.get(id)?.purpose ?? null);
  if (aim !== "submitted" || !lacksScale(seizure, purposes)) return found;
  return [...found, { pointer: `/fields/${SCALE_REASON}`, code: "scale-photo-or-reason" }];
}

/** Whether a label says that the field is needed. */
export function isNeeded(name: string, part?: Part): boolean {
  return part ? part === "lines" && NEEDED_OF_LINES.has(name) : NEEDED.has(name) && name in HEADER;
}

export function specOf(name: string, part?: Part): Spec {
  return (part ? PARTS[part][name] : HEADER[name]) ?? "text 200";
}

/** On which page a fault is put right. */
export function pageOf({ pointer }: Finding): PageKey {
  const [, , key = ""] = pointer.split("/");
  const found = PAGES.find(({ fields, parts }) => fields.includes(key) || (parts as readonly string[]).includes(key));
  return found?.key ?? "record";
}

/** The id of the element of a place: `lines/1/form` is `at-lines-1-form`. */
export const placeId = (place: string): string => `at-${place.replaceAll("/", "-")}`;
export const placeOf = ({ pointer }: Finding): string => pointer.split("/").slice(2).join("/");

/** The first fault at a place, in words. */
export function faultAt(found: readonly Finding[], place: string): string | null {
  const one = found.find((finding) => placeOf(finding) === place);
  return one ? named(w().faults, one.code) : null;
}

/** A place in words: "Dòng tang vật 1: Dạng". */
export function placeName(place: string): string {
  const [key = "", mark, name] = place.split("/");
  if (!mark) return named(w().fields, key);
  const row = w().form.row(named(w().form.rows, key), mark);
  return name ? `${row}: ${named(w().fields, name)}` : row;
}

/** A value as people read it. */
export function spoken(name: string, value: Json | undefined, part?: Part): string {
  if (value === undefined || value === null || value === "") return "";
  if (Array.isArray(value)) return value.map((one) => spokenOne(name, one, part)).join(", ");
  return spokenOne(name, value, part);
}

function checklistName(id: string): string {
  const version = engine.checklist(id);
  return version ? `${say(version.title)} ${version.semver}` : id.slice(0, 8);
}

/** The fields of a part that go with the mode of transport; the others are one tap away. */
export function usualFields(part: Part, mode: string): (name: string) => boolean {
  const table = part === "conveyances" ? VEHICLES : part === "consignments" ? PAPERS : null;
  const found = table?.find(([modes]) => modes.test(mode));
  return (name) => !found || found[1].includes(name) || !table?.some(([, names]) => names.includes(name));
}
const VEHICLES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(air|express|postal)/, ["flight_no", "flight_on"]],
  [/^(sea|river)/, ["vessel", "imo", "voyage"]],
  [/^road/, ["plate", "plate_country", "trailer"]],
  [/^rail/, ["train"]],
];
const PAPERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^air/, ["mawb", "hawb"]],
  [/^express/, ["courier_no", "hawb"]],
  [/^postal/, ["s10"]],
  [/^(sea|road|rail|river)/, ["bl_no", "container_nos"]],
];

function spokenOne(name: string, value: Json, part?: Part): string {
  const [kind = "", rest = ""] = specOf(name, part).split(" ");
  const text = String(value);
  if (name === "substance") return substance(text);
  if (name === "checklist_version") return checklistName(text);
  if (kind === "date") return format.day(text);
  if (kind === "decimal") return format.decimalText(text);
  if (name === "finding_category") return `${called(rest, text)} (${w().flash.goes_to(called("hand_off", text))})`;
  if (kind === "code" || kind === "codes") return called(rest, text);
  if (kind === "among") return named(w().among, text);
  if (kind === "country" || kind === "countries") return country(text);
  if (kind === "participations") {
    const { unit, agency, role } = value as { unit?: string; agency?: string; role?: string };
    return `${unit || agency} (${called("participation", String(role))})`;
  }
  return text;
}
