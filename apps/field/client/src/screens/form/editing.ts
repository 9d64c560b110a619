/**
 * What the officer enters, on its way into the store. An answer in order goes to the engine at once. One that is not (a
 * reason still missing, a number out of range) is never sent half done: the engine keeps it apart, on this phone only, so
 * that it stands beside its fault even after the tab has died; and the stored answer is taken back, so that nothing the
 * officer has overwritten can be submitted by mistake.
 */

import { signal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Answer, Header, Report } from "../../engine/types.ts";
import { words } from "../../i18n/index.ts";
import { isWarning } from "../../rules/answers.ts";
import { announce } from "../../ui/live.tsx";
import { compiled } from "./checklist.ts";

/** Whether everything entered is stored on the phone. */
export const saving = signal<"saved" | "saving" | "failed">("saved");

/** The answers as they stand on the screen, with those that are not in order yet. */
export function answersOf(report: Report): Record<string, Answer> {
  return { ...report.answers, ...report.unfinished };
}

/** Keep an answer; null, or one that says nothing, takes it back. */
export function answer(report: Report, step: string, given: Answer | null): void {
  const said = given && Object.keys(given).length > 0 ? given : null;
  const isHalf = said !== null && faultsOf(report, step, said).length > 0;
  engine.keepUnfinished(report.id, step, isHalf ? said : null);
  if (!isHalf) engine.saveAnswer(report.id, step, said);
  else if (report.answers[step]) engine.saveAnswer(report.id, step, null);
  void store();
}

/** Keep header fields. */
export function header(report: Report, fields: Partial<Header>): void {
  engine.saveHeader(report.id, fields);
  void store();
}

/** What stands against an answer by itself, whether or not it is shown now. */
function faultsOf(report: Report, step: string, given: Answer): string[] {
  const found = compiled(report.checklist_version)?.check({ [step]: given }, {}, {}, { final: false }) ?? [];
  return found.filter((one) => !isWarning(one)).map((one) => one.code);
}

let running = false;
let again = false;

/** Wait until all that was entered is stored, and say so. */
export async function store(): Promise<void> {
  again = true;
  if (running) return;
  running = true;
  saving.value = "saving";
  try {
    while (again) {
      again = false;
      await engine.flush();
    }
    saving.value = "saved";
    announce(words().form.saved);
  } catch {
    saving.value = "failed";
    announce(words().form.not_saved);
  } finally {
    running = false;
  }
}

/** Put a value into an answer, keeping its note. */
export function withValue(before: Answer | undefined, value: Answer["value"] | undefined): Answer {
  const { note } = before ?? {};
  return { ...(value === undefined ? {} : { value }), ...(note ? { note } : {}) };
}

/** Put a note into an answer, keeping what it says. */
export function withNote(before: Answer | undefined, note: string): Answer {
  const { note: _, ...rest } = before ?? {};
  return note ? { ...rest, note } : rest;
}
