/** The checklist behind a report: compiled once per version, and what its conditions look at. */

import { engine } from "../../engine/index.ts";
import type { Report, Step } from "../../engine/types.ts";
import { CompiledChecklist } from "../../rules/answers.ts";

const kept = new Map<string, CompiledChecklist>();

/** Give the compiled checklist of a version; null when this phone does not hold it. */
export function compiled(versionId: string): CompiledChecklist | null {
  const held = kept.get(versionId);
  if (held) return held;
  const version = engine.checklist(versionId);
  if (!version) return null;
  const made = new CompiledChecklist(version.content);
  kept.set(versionId, made);
  return made;
}

/** The header as conditions see it. */
export function scopeOf(report: Report): Readonly<Record<string, unknown>> {
  return { ...report.header, type: report.type };
}

/** How many photos stand at each step. */
export function photoCounts(report: Report): Record<string, number> {
  return Object.fromEntries(Object.entries(report.photos).map(([step, ids]) => [step, ids.length]));
}

/** The page of the form on which a step stands: the key of its section. */
export function pageOf(versionId: string, key: string): string {
  const sections = engine.checklist(versionId)?.content.sections ?? [];
  return sections.find((section) => section.steps.some((step: Step) => step.key === key))?.key ?? "general";
}
