/** The last page: what the inspection came to, what is still missing, and sending. */

import type { Signal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Header, Report } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { named, say, words } from "../../i18n/index.ts";
import { type Finding, stepOf } from "../../rules/answers.ts";
import { missingHeader } from "../../rules/header.ts";
import { cleanText } from "../../rules/values.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { Icon } from "../../ui/icons.tsx";
import { announce } from "../../ui/live.tsx";
import { Choices, Fault, Notice } from "../../ui/parts.tsx";
import { goOn, href } from "../../ui/router.ts";
import { pageOf } from "./checklist.ts";
import { header } from "./editing.ts";
import { Many } from "./entries.tsx";
import type { Sheaf } from "./fill.tsx";
import { HeaderChoice } from "./general.tsx";
import { TextInput } from "./text.tsx";

export function Result({ sheaf, insist }: { sheaf: Sheaf; insist: Signal<boolean> }) {
  const w = words();
  const { report, warnings } = sheaf;
  const missing = missingPlaces(sheaf);
  const means = report.header.means_used ?? [];
  const toggle = (code: string): void =>
    header(report, { means_used: means.includes(code) ? means.filter((one) => one !== code) : [...means, code] });
  return (
    <>
      <h2 id="page-title" tabIndex={-1}>
        {w.form.result}
      </h2>
      <div class="card">
        <HeaderChoice report={report} field="outcome" required insist={insist.value} />
      </div>
      <div class="card">
        <Choices
          class="chips"
          many
          legend={w.header.means_used}
          options={Object.entries(w.choices.means_used).map(([value, label]) => ({ value, label }))}
          chosen={means}
          choose={toggle}
        />
        <div class="field">
          <label for="header-remarks">{w.header.remarks}</label>
          <TextInput
            id="header-remarks"
            long
            text={report.header.remarks ?? ""}
            typed={(text) => header(report, { remarks: cleanText(text) })}
            maxLength={4000}
          />
        </div>
      </div>
      <Many report={report} part="equipment_unavailable" />
      {missing.length > 0 ? (
        <Missing sheaf={sheaf} missing={missing} />
      ) : (
        <Notice tone="good" icon="check">
          <strong>{w.finish.ready}</strong>
          <p>{w.finish.lead}</p>
        </Notice>
      )}
      {warnings.length > 0 && (
        <Notice tone="warn" icon="warn">
          {w.form.hidden_answers}
        </Notice>
      )}
      <SendBar sheaf={sheaf} missing={missing} insist={insist} />
    </>
  );
}

/** The header as it goes out: the end is now, unless the report was sent before, and never before the start. */
function ending(report: Report): Partial<Header> {
  if (report.header.ended_on_device_at && report.version > 0) return {};
  const started = Date.parse(report.header.started_on_device_at ?? "");
  const end = new Date(Math.max(Date.now(), started || 0));
  return { ended_on_device_at: format.isoWithOffset(end) };
}

interface Place {
  readonly href: string;
  readonly text: string;
  readonly fault: string;
}

/** What still stands against sending, each with the way there. */
function missingPlaces({ report, version, findings }: Sheaf): Place[] {
  const w = words();
  const fill = (page: string, step = ""): string => href({ screen: "fill", id: report.id, page, step });
  const steps = version.content.sections.flatMap((section) => section.steps);
  const inHeader = missingHeader({ ...report.header, ...ending(report) }).map(({ pointer, code }: Finding) => {
    const field = pointer.split("/")[2] ?? "";
    return {
      href: fill(field === "outcome" ? "result" : "general"),
      text: named(w.header, field),
      fault: named(w.faults, code),
    };
  });
  const inSteps = findings.map((finding) => {
    const key = stepOf(finding);
    const step = steps.find((one) => one.key === key);
    return {
      href: fill(pageOf(version.id, key), key),
      text: step ? say(step.text) : key,
      fault: named(w.faults, finding.code),
    };
  });
  return [...inHeader, ...inSteps];
}

function Missing({ sheaf, missing }: { sheaf: Sheaf; missing: readonly Place[] }) {
  const w = words().finish;
  return (
    <section class="group" aria-label={w.missing_title(missing.length)}>
      <h2>{w.missing_title(missing.length)}</h2>
      <p class="soft">{w.missing_lead}</p>
      <ul class="rows">
        {missing.map((place) => (
          <li key={`${sheaf.report.id} ${place.href} ${place.text} ${place.fault}`}>
            <a class="item lamp" href={place.href}>
              <span class="words">
                <span>{place.text}</span>
                <span class="small soft">{place.fault}</span>
              </span>
              <Icon name="next" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface SendBarProps {
  readonly sheaf: Sheaf;
  readonly missing: readonly Place[];
  readonly insist: Signal<boolean>;
}

function SendBar({ sheaf, missing, insist }: SendBarProps) {
  const w = words();
  const { report, pages } = sheaf;
  const { busy, problem, run } = useCommand();
  const [first] = missing;
  const previous = pages[pages.length - 2] ?? "general";
  const send = async (): Promise<void> => {
    if (!(await run(() => engine.submit(report.id, ending(report))))) return;
    announce(navigator.onLine ? w.finish.submitted : w.finish.submitted_offline);
    goOn({ screen: "fill", id: report.id }, { screen: "report", id: report.id });
  };
  const toFirst = (): void => {
    insist.value = true;
    if (first && first.href !== location.hash) location.hash = first.href;
    else document.getElementById("header-outcome")?.focus();
  };
  return (
    <div class="bar">
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      <div class="two">
        <a
          class="button quiet square"
          href={href({ screen: "fill", id: report.id, page: previous, step: "" })}
          aria-label={w.form.previous}
        >
          <Icon name="back" />
        </a>
        {first ? (
          <button type="button" onClick={toFirst}>
            {w.finish.to_first}
          </button>
        ) : (
          <button type="button" aria-disabled={busy.value} onClick={() => void send()}>
            <Icon name="send" size={20} />
            {report.version > 0 ? w.finish.resubmit : w.finish.submit}
          </button>
        )}
      </div>
    </div>
  );
}
