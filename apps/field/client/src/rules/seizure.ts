/**
 * What each stage asks of a seizure report and what its fields must say together: the server's rules again
 * (apps/seizures/rules), held together by `tests/vectors/seizures.json`. The server decides; this tells the officer before.
 *
 * The force of a unit is known from the list `units`; of a lead by a unit that is not in it the server judges.
 */

import type { Part, Rows } from "../engine/find-types.ts";
import type { Json } from "../engine/types.ts";
import type { Finding } from "./answers.ts";
import { compare, decimal, isDecimal } from "./decimal.ts";

/** What kind of value a field holds, and its limit: `text 200`, `code mode`, `among yes no`. */
export type Spec = string;
type Specs = Readonly<Record<string, Spec>>;

export const HEADER: Specs = {
  kind: "among initial expansion",
  place: "text 200",
  summary: "text 4000",
  remarks: "text 4000",
  captured_tz: "text 40",
  no_photo_reason: "text 500",
  no_scale_photo_reason: "text 500",
  record_doc_number: "text 60",
  record_doc_on: "date",
  search_decision: "text 60",
  handover_plan: "text 1000",
  lab_reason: "text 1000",
  handover_reason: "text 1000",
  lessons: "among yes no",
  occurred_on_device_at: "time",
  detected_on_device_at: "time",
  mode: "code mode",
  direction: "code direction",
  place_type: "code place_type",
  lead_force: "code lead_force",
  first_cue: "code means_of_detection",
  legal_outcome: "code legal_outcome",
  finding_category: "code finding_category",
  handling: "among internal restricted",
  watch_linked: "among yes no unknown",
  is_subject_present: "among yes no",
  persons_count: "int",
  means: "codes means_of_detection",
  concealment_places: "codes concealment_place",
  concealment_techniques: "codes concealment_technique",
  modus_operandi: "texts 80",
  origin: "country",
  departure: "country",
  destination: "country",
  intended_final: "country",
  transit_countries: "countries",
  participants: "texts 20",
  witnesses: "texts 200",
  participations: "participations",
  photos: "uuids",
  alert_ids: "uuids",
  campaign_ids: "uuids",
  inspection: "uuid",
  checklist_version: "uuid",
};
export const PARTS: Readonly<Record<Part, Specs>> = {
  lines: {
    substance: "text 80",
    article: "text 200",
    form: "code form",
    gross_mass_g: "decimal 4",
    net_mass_g: "decimal 4",
    volume_ml: "decimal 3",
    count: "int",
    count_unit: "code count_unit",
    measure_basis: "among estimated scale_gross scale_net",
    id_basis: "code id_basis",
    packages: "int",
    scale_id: "text 60",
    weighed_by: "texts 20",
    seal_numbers: "texts 60",
    remark: "text 1000",
    removed: "text 500",
  },
  persons: {
    full_name: "text 200",
    original_name: "text 200",
    birth_date: "text 20",
    sex: "among male female unknown",
    nationality: "country",
    document_kind: "among passport_no citizen_no mrz other",
    document_number: "text 120",
    role: "code person_role",
    status: "code person_status",
    handed_over_on: "date",
    remark: "text 1000",
    removed: "text 500",
  },
  conveyances: {
    flight_no: "text 20",
    flight_on: "date",
    vessel: "text 120",
    imo: "text 20",
    voyage: "text 40",
    plate: "text 30",
    plate_country: "country",
    trailer: "text 30",
    train: "text 40",
    removed: "text 500",
  },
  consignments: {
    mawb: "text 40",
    hawb: "text 40",
    courier_no: "text 60",
    s10: "text 40",
    bl_no: "text 40",
    container_nos: "texts 20",
    declaration_no: "text 30",
    declared_goods: "text 500",
    hs_code: "text 20",
    declared_weight_kg: "decimal 4",
    weighed_kg: "decimal 4",
    packages: "int",
    consignor: "text 300",
    consignee: "text 300",
    phone: "text 30",
    removed: "text 500",
  },
};

const FLASH = ["detected_on_device_at", "place", "mode", "lead_force", "handling"];
const SUBMITTED = [
  ...["direction", "departure", "destination", "first_cue", "means", "concealment_places", "concealment_techniques"],
  ...["record_doc_number", "record_doc_on", "participations", "is_subject_present", "checklist_version"],
];
const LINE = ["substance", "form", "measure_basis", "id_basis", "scale_id", "seal_numbers"];
const ARTICLE = ["seal_numbers"];
/** Kinds of finds that are drugs. */
export const DRUGS: readonly string[] = ["drugs", "precursors"];
/** Mode → fields of which one must be there. */
const TRANSPORT: Readonly<Record<string, readonly (readonly [Part, string])[]>> = {
  air_passenger: [["conveyances", "flight_no"]],
  air_cargo: [
    ["consignments", "mawb"],
    ["consignments", "hawb"],
    ["conveyances", "flight_no"],
  ],
  express: [
    ["consignments", "courier_no"],
    ["consignments", "hawb"],
  ],
  postal: [["consignments", "s10"]],
  sea_container: [["consignments", "container_nos"]],
  road_passenger: [["conveyances", "plate"]],
  road_cargo: [["conveyances", "plate"]],
};
const INWARD = ["import", "inward_passenger"];
const OUTWARD = ["export", "outward_passenger"];

export type Aim = "flash" | "preliminary" | "submitted";
export interface Said extends Record<Part, Rows> {
  readonly fields: Readonly<Record<string, Json>>;
  /** The force of each unit that this phone knows, by code. Without them every named unit is taken for customs. */
  readonly forces?: ReadonlyMap<string, string>;
}

/** What a report lacks to be sent on to this stage, as pointers. */
export function missingAt(aim: Aim, said: Said): Finding[] {
  const found = [...massFaults(said.lines), ...missingFlash(said)];
  if (aim === "preliminary" && isEmpty(said.fields.summary)) found.push(fault("summary", "required"));
  if (aim === "submitted") {
    found.push(...SUBMITTED.filter((key) => isEmpty(said.fields[key])).map((key) => fault(key, "required")));
    found.push(...lineFaults(said.lines), ...together(said));
  }
  const seen = new Set<string>();
  return found.filter(({ pointer, code }) => !seen.has(`${pointer} ${code}`) && seen.add(`${pointer} ${code}`));
}

/**
 * Whether what was weighed is shown on no photo, and no reason says why: the unit's leader could not verify it.
 * `purposes` are what the report's photos show; null of one that this phone does not know.
 */
export function lacksScale({ fields, lines }: Pick<Said, "fields" | "lines">, purposes: readonly (string | null)[]): boolean {
  const isWeighed = standing(lines).some(([, line]) => isWeighedOn(line));
  return isWeighed && isEmpty(fields.no_scale_photo_reason) && !purposes.some((one) => one === null || one === "scale");
}

export const isWeighedOn = (line: Record<string, Json>): boolean =>
  line.measure_basis === "scale_gross" || line.measure_basis === "scale_net";

/** What of a part is not struck out, by mark. */
export function standing(rows: Rows): [mark: string, row: Record<string, Json>][] {
  return Object.entries(rows).filter(([, row]) => isEmpty(row.removed));
}

/** What a reader should look at, and nothing refuses: perhaps one thing twice, or a count that the mass belies. */
export function suspicious(lines: Rows): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  for (const [, line] of standing(lines)) {
    const amounts = [massOf(line), line.volume_ml, line.count].map((one) => (isNothing(one) ? "" : `${Number(one)}`));
    const alike = [line.substance || line.article, line.form, ...amounts, line.count_unit].map((one) => one ?? "").join("|");
    if (amounts.some(Boolean) && seen.has(alike)) found.add("lines-alike");
    seen.add(alike);
    const each = Number(massOf(line)) / Number(line.count);
    if (amounts[0] && amounts[2] && line.count_unit === "tablet" && !(each >= 0.05 && each <= 0.6)) found.add("tablet-mass");
  }
  return [...found];
}

function missingFlash({ fields, lines }: Said): Finding[] {
  const found = FLASH.filter((key) => isEmpty(fields[key])).map((key) => fault(key, "required"));
  if (fields.persons_count === undefined || fields.persons_count === null) found.push(fault("persons_count", "required"));
  if (isEmpty(fields.photos) && isEmpty(fields.no_photo_reason)) found.push(fault("photos", "photo-or-reason"));
  const rows = standing(lines);
  if (rows.length === 0) found.push(fault("lines", "required"));
  found.push(...category(fields, rows));
  for (const [mark, line] of rows) {
    if (!isEmpty(line.article) && !isEmpty(line.substance)) found.push(fault(`lines/${mark}/article`, "substance-or-article"));
    if (isEmpty(line.substance) && !isArticle(line)) found.push(fault(`lines/${mark}/substance`, "required"));
    if ([massOf(line), line.volume_ml, line.count].every(isNothing)) found.push(fault(`lines/${mark}`, "no-measure"));
    if (!isNothing(line.count) && isEmpty(line.count_unit)) found.push(fault(`lines/${mark}/count_unit`, "required"));
  }
  return found;
}

/** Something else than a drug or a precursor: a weapon, forged money. */
export const isArticle = (line: Record<string, Json>): boolean => !isEmpty(line.article) && isEmpty(line.substance);

/** What kind of find it is, asked for when something else than drugs was found. */
function category(fields: Said["fields"], rows: [string, Record<string, Json>][]): Finding[] {
  const others = rows.filter(([, line]) => isArticle(line)).length;
  if (others > 0 && isEmpty(fields.finding_category)) return [fault("finding_category", "required")];
  const areAll = others > 0 && others === rows.length;
  return areAll && DRUGS.includes(String(fields.finding_category)) ? [fault("finding_category", "category")] : [];
}

function massFaults(lines: Rows): Finding[] {
  return standing(lines).flatMap(([mark, { gross_mass_g: gross, net_mass_g: net }]) =>
    isAmount(gross) && isAmount(net) && compare(decimal(net), decimal(gross)) > 0
      ? [fault(`lines/${mark}/net_mass_g`, "net-over-gross")]
      : [],
  );
}

function lineFaults(lines: Rows): Finding[] {
  return standing(lines).flatMap(([mark, line]) => {
    const needed = isArticle(line) ? ARTICLE : LINE;
    const found = needed.filter((key) => isEmpty(line[key])).map((key) => fault(`lines/${mark}/${key}`, "required"));
    if (isArticle(line) && !isWeighedOn(line)) return found;
    const weighers = Array.isArray(line.weighed_by) ? line.weighed_by : [];
    const several = new Set(weighers.map((badge) => String(badge).trim().toUpperCase()).filter(Boolean));
    return several.size < 2 ? [...found, fault(`lines/${mark}/weighed_by`, "two-weighers")] : found;
  });
}

function together(said: Said): Finding[] {
  const { fields } = said;
  const found: Finding[] = [];
  const [occurred, detected] = [fields.occurred_on_device_at, fields.detected_on_device_at].map((at) => Date.parse(String(at)));
  if (occurred !== undefined && detected !== undefined && detected < occurred)
    found.push(fault("detected_on_device_at", "before-occurred"));
  found.push(...transport(said));
  const countries = [...list(fields.transit_countries), fields.destination];
  const direction = String(fields.direction ?? "");
  if (INWARD.includes(direction) && !countries.includes("VN")) found.push(fault("destination", "no-vietnam"));
  if (OUTWARD.includes(direction) && fields.departure !== "VN") found.push(fault("departure", "no-vietnam"));
  if (list(fields.concealment_places).some((place) => place === "in_body" || place === "on_body")) {
    if (standing(said.persons).length === 0) found.push(fault("persons", "required"));
    if (isEmpty(fields.search_decision)) found.push(fault("search_decision", "required"));
  }
  found.push(...leads(said));
  const wanted = fields.is_subject_present === "yes" ? 1 : 2;
  if (list(fields.witnesses).length < wanted) found.push(fault("witnesses", "witnesses"));
  return found;
}

function transport(said: Said): Finding[] {
  const found: Finding[] = [];
  const parts = ["persons", "conveyances", "consignments"] as const;
  if (!parts.some((part) => standing(said[part]).length > 0)) found.push(fault("consignments", "subject-or-goods"));
  const wanted = TRANSPORT[String(said.fields.mode)] ?? [];
  const isHeld = wanted.some(([part, field]) => standing(said[part]).some(([, row]) => !isEmpty(row[field])));
  if (wanted[0] && !isHeld) found.push(fault(wanted[0][0], "transport"));
  return found;
}

function leads({ fields, forces }: Said): Finding[] {
  const several = list(fields.participations) as { unit?: string; role?: string }[];
  const [lead, ...more] = several.filter((one) => one.role === "lead");
  if (!lead || more.length > 0) return [fault("participations", "one-lead")];
  if (lead.unit && forces && !forces.has(lead.unit)) return []; // of which force, the server knows
  const isOurs = Boolean(lead.unit) && (!forces || forces.get(lead.unit ?? "") === "customs");
  return (fields.lead_force === "customs") === isOurs ? [] : [fault("participations", "lead-force")];
}

/** The mass a line counts with: what was weighed gross when that is the basis, otherwise net before gross. */
function massOf(line: Record<string, Json>): Json | undefined {
  const { gross_mass_g: gross, net_mass_g: net } = line;
  if (line.measure_basis === "scale_gross" && isAmount(gross)) return gross;
  return isAmount(net) ? net : gross;
}

const fault = (place: string, code: string): Finding => ({ pointer: `/fields/${place}`, code });
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const isAmount = (value: Json | undefined): value is string => typeof value === "string" && isDecimal(value);
const isNothing = (value: Json | undefined): boolean => isEmpty(value) || Number(value) === 0;

function isEmpty(value: Json | undefined): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}
