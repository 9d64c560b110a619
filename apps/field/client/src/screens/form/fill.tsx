/** Filling in a report: its general part, one page per section, and the result, with all items a tap away. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Answer, ChecklistVersion, Note, Report, Section } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { say, words } from "../../i18n/index.ts";
import { type CompiledChecklist, type Finding, isWarning, stepOf } from "../../rules/answers.ts";
import { Icon } from "../../ui/icons.tsx";
import { Head, Meter, Notice } from "../../ui/parts.tsx";
import { goOn, href } from "../../ui/router.ts";
import { compiled, photoCounts, scopeOf } from "./checklist.ts";
import { Recovered, useFormOpen } from "../recovery.tsx";
import { answersOf, saving } from "./editing.ts";
import { General } from "./general.tsx";
import { JumpSheet } from "./jump.tsx";
import { Result } from "./result.tsx";
import { StepCard } from "./step.tsx";

/** Everything the pages of one form need to know, worked out once for each change. */
export interface Sheaf {
  readonly report: Report;
  readonly version: ChecklistVersion;
  readonly checklist: CompiledChecklist;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly visible: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly progress: { readonly required: number; readonly answered: number };
  /** The keys of the pages, in order. */
  readonly pages: readonly string[];
}

export function Fill({ id, page, step }: { id: string; page: string; step: string }) {
  const report = engine.report(id).value;
  const w = words().form;
  const version = report ? engine.checklist(report.checklist_version) : null;
  const checklist = report ? compiled(report.checklist_version) : null;
  useEffect(() => {
    if (report && !report.is_editable) goOn({ screen: "fill", id }, { screen: "report", id });
  }, [report?.is_editable]);
  if (!report || !version || !checklist) {
    return (
      <main id="content">
        <Head title={words().report.title} up={href({ screen: "today" })} />
        <Notice tone="warn" icon="warn">
          {report ? w.missing_version : w.not_found}
        </Notice>
      </main>
    );
  }
  return <Form sheaf={gather(report, version, checklist)} page={page} step={step} />;
}

function gather(report: Report, version: ChecklistVersion, checklist: CompiledChecklist): Sheaf {
  const entered = answersOf(report);
  const [scope, photos] = [scopeOf(report), photoCounts(report)];
  const visible = new Set(checklist.visibleSteps(entered, scope, photos));
  // What is half said at a step that is hidden now stands against nothing.
  const answers = Object.fromEntries(Object.entries(entered).filter(([key]) => visible.has(key) || key in report.answers));
  const found = checklist.check(answers, scope, photos, { final: true });
  const shown = version.content.sections.filter((section) => section.steps.some((one) => visible.has(one.key)));
  return {
    report,
    version,
    checklist,
    answers,
    visible,
    findings: found.filter((one) => !isWarning(one)),
    warnings: found.filter(isWarning),
    progress: checklist.progress(answers, scope, photos),
    pages: ["general", ...shown.map((section) => section.key), "result"],
  };
}

function Form({ sheaf, page, step }: { sheaf: Sheaf; page: string; step: string }) {
  const { report, version, pages } = sheaf;
  const insist = useSignal(false);
  const jumping = useSignal(false);
  const here = pages.includes(page) ? page : "general";
  const section = version.content.sections.find((one) => one.key === here);
  const title = say(version.title);
  useFocusOnArrival(here, step);
  useFormOpen(report.id);
  return (
    <main id="content" class="fill">
      <Head title={title} up={href({ screen: "today" })}>
        <Progress sheaf={sheaf} />
      </Head>
      <Recovered id={report.id} />
      <VersionNotice version={version} />
      {report.state === "returned" && here === "general" && <ReturnedNotice report={report} />}
      {here === "general" && <General sheaf={sheaf} insist={insist.value} />}
      {here === "result" && <Result sheaf={sheaf} insist={insist} />}
      {section && <SectionPage sheaf={sheaf} section={section} insist={insist.value} />}
      {here !== "result" && <Bar sheaf={sheaf} here={here} jump={() => (jumping.value = true)} />}
      {jumping.value && <JumpSheet sheaf={sheaf} here={here} close={() => (jumping.value = false)} />}
    </main>
  );
}

/** On another page its heading takes the focus; a step that was asked for by name takes it instead. */
function useFocusOnArrival(page: string, step: string): void {
  const first = useRef(true);
  useLayoutEffect(() => {
    const arrived = first.current;
    first.current = false;
    const target = document.getElementById(step ? `step-${step}` : "page-title");
    if (arrived && !step) return;
    target?.focus({ preventScroll: true });
    if (step) target?.scrollIntoView({ block: "start" });
    else scrollTo({ top: 0 });
  }, [page, step]);
}

function Progress({ sheaf }: { sheaf: Sheaf }) {
  const w = words().form;
  const { required, answered } = sheaf.progress;
  const photos = Object.values(sheaf.report.photos).flat();
  const developing = photos.some((id) => engine.photos.value.get(id)?.state === "processing");
  const state = developing && saving.value === "saved" ? "saving" : saving.value;
  const text = required === answered ? w.all_required_done : w.progress(answered, required);
  return (
    <div class="fill-progress">
      <span class="tabular">{text}</span>
      <span class={state === "failed" ? "saved bad" : "saved"}>
        <Icon name={state === "saved" ? "check" : state === "saving" ? "clock" : "warn"} size={16} />
        {state === "saved" ? w.saved : state === "saving" ? w.saving : w.not_saved}
      </span>
      <Meter value={answered} most={Math.max(required, 1)} label={text} />
    </div>
  );
}

function VersionNotice({ version }: { version: ChecklistVersion }) {
  const w = words().form;
  if (version.status === "published") return null;
  const until = version.accept_until ? format.day(version.accept_until) : null;
  return (
    <Notice tone="ready" icon="clock">
      {version.status === "closing" ? w.closing(until) : w.gone}
    </Notice>
  );
}

function ReturnedNotice({ report }: { report: Report }) {
  const w = words();
  return (
    <Notice tone="warn" icon="returned">
      <strong>{w.today.returned}</strong>
      {report.review_note && <p>{report.review_note}</p>}
      <p>{w.form.returned_lead}</p>
    </Notice>
  );
}

/** The notes that stand at a step, of the version that was returned last. */
export function notesAt(report: Report, step: string): Note[] {
  return report.state === "returned" ? report.notes.filter((note) => note.step_key === step) : [];
}

/** The number of a step within its checklist, as people count. */
export function numberOf(version: ChecklistVersion, key: string): number {
  return version.content.sections.flatMap((section) => section.steps).findIndex((step) => step.key === key) + 1;
}

function SectionPage({ sheaf, section, insist }: { sheaf: Sheaf; section: Section; insist: boolean }) {
  const { report, version, checklist, answers, visible, findings, pages } = sheaf;
  const [scope, photos] = [scopeOf(report), photoCounts(report)];
  return (
    <>
      <div class="stack tight">
        <p class="steps">{words().form.section(pages.indexOf(section.key), pages.length - 2)}</p>
        <h2 id="page-title" tabIndex={-1}>
          {say(section.title)}
        </h2>
      </div>
      {section.steps
        .filter((step) => visible.has(step.key))
        .map((step) => (
          <StepCard
            key={step.key}
            report={report}
            step={step}
            number={numberOf(version, step.key)}
            answer={answers[step.key]}
            required={checklist.isRequired(step.key, answers, scope, photos)}
            codes={findings.filter((one) => stepOf(one) === step.key).map((one) => one.code)}
            insist={insist}
            notes={notesAt(report, step.key)}
          />
        ))}
    </>
  );
}

function Bar({ sheaf, here, jump }: { sheaf: Sheaf; here: string; jump: () => void }) {
  const w = words().form;
  const { pages, report } = sheaf;
  const at = pages.indexOf(here);
  const to = (page: string | undefined): string => href({ screen: "fill", id: report.id, page: page ?? here, step: "" });
  const next = pages[at + 1];
  return (
    <nav class="bar" aria-label={w.jump}>
      <div>
        <button type="button" class="quiet square" onClick={jump} aria-label={w.jump}>
          <Icon name="list" />
        </button>
        <a
          class="button quiet square"
          href={at > 0 ? to(pages[at - 1]) : href({ screen: "today" })}
          aria-label={at > 0 ? w.previous : words().common.back}
        >
          <Icon name="back" />
        </a>
        <a class="button" href={to(next)}>
          {next === "result" ? w.to_result : w.next}
          <Icon name="next" size={20} />
        </a>
      </div>
    </nav>
  );
}
