/**
 * The header of a report: its fields, their codes, and what a submission still lacks. The same as the server's
 * (apps/inspections/rules.py and models.py); the words for the codes are in `i18n`.
 */

import type { Finding } from "./answers.ts";

export const CHOICES = {
  mode: [
    ...["air_passenger", "air_cargo", "express", "postal", "sea_container", "sea_other"],
    ...["road_passenger", "road_cargo", "rail", "river", "foot", "inland"],
  ],
  direction: [
    ...["import", "export", "transit", "inward_passenger"],
    ...["outward_passenger", "transshipment", "internal"],
  ],
  place_type: [
    ...["passenger_hall", "air_cargo_terminal", "extended_air_cargo", "express_hub", "post_office_exchange"],
    ...["seaport", "border_gate", "icd", "bonded", "patrol"],
  ],
  selection_reason: [
    ...["declared", "targeted", "suspicion_observed", "random", "alert_hit", "joint_request", "mandatory_100pct"],
  ],
  channel: ["green", "yellow", "red"],
  outcome: ["nothing_found", "released", "referred", "finding", "suspicion_open", "refused", "aborted"],
} as const satisfies Record<string, readonly string[]>;

export type ChoiceField = keyof typeof CHOICES;

const REQUIRED = ["mode", "place_type", "selection_reason", "outcome", "started_on_device_at", "ended_on_device_at"];

/** What the header needs before a report can be sent, as pointers to its fields. */
export function missingHeader(fields: Readonly<Record<string, unknown>>): Finding[] {
  const found = REQUIRED.filter((key) => !fields[key]).map((key) => ({ pointer: `/fields/${key}`, code: "required" }));
  const [started, ended] = [fields.started_on_device_at, fields.ended_on_device_at].map((at) => Date.parse(String(at)));
  if (started !== undefined && ended !== undefined && ended < started) {
    found.push({ pointer: "/fields/ended_on_device_at", code: "before-start" });
  }
  return found;
}
