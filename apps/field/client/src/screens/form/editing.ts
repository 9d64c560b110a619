/**
 * What the officer enters, on its way into the store. An answer in order goes to the engine at once. One that is not (a
 * reason still missing, a number out of range) is never sent half done: it stays here, beside its fault, and the stored
 * answer is taken back, so that nothing the officer has overwritten can be submitted by mistake.
 */

import { signal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Answer, Header, Report } from "../../engine/types.ts";
import { words } from "../../i18n/index.ts";
import { isWarning } from "../../rules/answers.ts";
import { announce } from "../../ui/live.tsx";
import { compiled } from "./checklist.ts";

const unfinished = signal<ReadonlyMap<string, Answer>>(new Map());

/** Whether everything entered is stored on the phone. */
export const saving = signal<"saved" | "saving" | "failed">("saved");

/** The answers as they stand on the screen, with those that are not in order yet. */
export function answersOf(report: Report): Record<string, Answer> {
  const answers = { ...report.answers };
  for (const [place, answer] of unfinished.value) {
    const [id, step] = place.split("/");
    if (id === report.id && step) answers[step] = answer;
  }
  return answers;
}

/** Keep an answer; null, or one that says nothing, takes it back. */
export function answer(report: Report, step: string, given: Answer | null): void {
  const said = given && Object.keys(given).length > 0 ? given : null;
  const place = `${report.id}/${step}`;
  const faults = said ? faultsOf(report, step, said) : [];
  const rest = new Map(unfinished.value);
  if (faults.length > 0 && said) rest.set(place, said);
  else rest.delete(place);
  unfinished.value = rest;
  if (faults.length === 0) engine.saveAnswer(report.id, step, said);
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

async function store(): Promise<void> {
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
