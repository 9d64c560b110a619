/** One report as it stands: where it is on its way, what the reviewer said, what was answered. */

import { useSignal } from "@preact/signals";
import { engine } from "../engine/index.ts";
import type { Answer, Report, Step } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { named, say, words } from "../i18n/index.ts";
import { isGiven } from "../rules/answers.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { Badge, Head, Notice } from "../ui/parts.tsx";
import { href } from "../ui/router.ts";
import { compiled, photoCounts, scopeOf } from "./form/checklist.ts";
import { partText } from "./form/entries.tsx";
import { Shot, Viewer } from "./form/photos.tsx";
import { titleOf } from "./report-row.tsx";
import { TroubleCard } from "./trouble-card.tsx";

export function ReportScreen({ id }: { id: string }) {
  const report = engine.report(id).value;
  const w = words();
  if (!report) {
    return (
      <main id="content">
        <Head title={w.report.title} up={href({ screen: "today" })} />
        <Notice tone="warn" icon="warn">
          {w.form.not_found}
        </Notice>
      </main>
    );
  }
  const fill = href({ screen: "fill", id, page: "general", step: "" });
  return (
    <main id="content">
      <Head title={titleOf(report)} up={href({ screen: "today" })} />
      <div class="row">
        <Badge state={report.state} text={w.states[report.state]} />
        <span class="soft tabular">{report.number ? w.report.number(report.number) : w.report.no_number}</span>
      </div>
      {report.troubles.map((trouble) => (
        <TroubleCard key={trouble.id} trouble={trouble} />
      ))}
      {report.state === "returned" && <Returned report={report} />}
      {report.warnings.map((code) => (
        <Notice key={code} tone="warn" icon="warn">
          {named(w.warnings, code)}
        </Notice>
      ))}
      <section class="card">
        <h2>{w.report.trail}</h2>
        <Trail report={report} />
      </section>
      <Facts report={report} />
      <Answers report={report} />
      {report.is_editable && (
        <a class="button wide call" href={fill}>
          <Icon name="pen" />
          {report.state === "returned" ? w.report.correct : w.report.edit}
        </a>
      )}
    </main>
  );
}

function Returned({ report }: { report: Report }) {
  const w = words();
  const whole = report.notes.filter((note) => !note.step_key).map((note) => note.text);
  const texts = [...new Set([report.review_note, ...whole].filter(Boolean))];
  return (
    <Notice tone="warn" icon="returned">
      <strong>{w.report.review_note}</strong>
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
      <p>{w.today.notes(report.notes.length)}</p>
    </Notice>
  );
}

interface Stage {
  readonly icon: IconName;
  readonly text: string;
  readonly detail: string;
  readonly reached: boolean;
}

const RECEIVED = new Set(["received", "media_pending", "complete", "under_review", "returned", "approved", "locked"]);
const REVIEWED = new Set(["returned", "approved", "locked"]);

/** Whether the receipts of all photos that a record names were checked on this phone. */
export function isReceipted(record: Pick<Report, "photos">): boolean {
  return Object.values(record.photos)
    .flat()
    .every((id) => engine.photos.value.get(id)?.has_receipt);
}

/** The way of a report, told from what the server said: never ahead of it. */
export function Trail({ report }: { report: Report }) {
  const w = words();
  const { server_state, submitted_at, photos_total, photos_stored } = report;
  const received = server_state !== null && RECEIVED.has(server_state);
  const stages: Stage[] = [
    { icon: "phone", text: w.report.trail_phone, detail: w.form.saved, reached: true },
    {
      icon: "cloud",
      text: received ? w.report.trail_server : w.states[report.state],
      detail: received && submitted_at ? format.moment(submitted_at) : "",
      reached: received,
    },
  ];
  if (photos_total > 0) {
    const text = w.report.trail_photos(photos_stored, photos_total);
    const detail = isReceipted(report) ? w.report.trail_receipt : "";
    stages.push({ icon: "camera", text, detail, reached: photos_stored === photos_total });
  }
  const reviewed = server_state !== null && REVIEWED.has(server_state);
  const detail = reviewed || server_state === "under_review" ? named(w.states, server_state ?? "") : "";
  stages.push({ icon: "eye", text: w.report.trail_review, detail, reached: reviewed });
  const next = stages.findIndex((stage) => !stage.reached);
  return (
    <ol class="trail">
      {stages.map((stage, index) => (
        <li key={stage.icon} class={stage.reached ? "reached" : index === next ? "now" : ""}>
          <span class="dot">
            <Icon name={stage.reached ? "check" : stage.icon} size={16} />
          </span>
          <span>
            {stage.text}
            {stage.detail && <span class="soft small"> · {stage.detail}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Facts({ report }: { report: Report }) {
  const w = words();
  const { header } = report;
  const rows = (["selection_reason", "mode", "place_type", "direction", "channel", "outcome"] as const).flatMap(
    (field) => (header[field] ? [[w.header[field], named(w.choices[field], header[field])]] : []),
  );
  const means = (header.means_used ?? []).map((code) => named(w.choices.means_used, code)).join(", ");
  const times = (["started_on_device_at", "ended_on_device_at"] as const).flatMap((field) =>
    header[field] ? [[w.header[field], format.moment(header[field])]] : [],
  );
  const parts = (["subjects", "transport", "goods", "participants", "witnesses", "equipment_unavailable"] as const).map(
    (part) => [w.header[part], partText(part, header[part])],
  );
  const texts = [
    [w.header.place, header.place],
    ...parts,
    [w.header.means_used, means],
    [w.header.remarks, header.remarks],
  ];
  return (
    <section class="card">
      <h2>{w.form.general}</h2>
      <dl class="facts">
        {[...rows, ...times, ...texts].map(([name, value]) =>
          value ? (
            <>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </>
          ) : null,
        )}
      </dl>
    </section>
  );
}

function Answers({ report }: { report: Report }) {
  const w = words();
  const version = engine.checklist(report.checklist_version);
  const checklist = compiled(report.checklist_version);
  if (!version || !checklist) return null;
  const visible = new Set(checklist.visibleSteps(report.answers, scopeOf(report), photoCounts(report)));
  return (
    <section class="card">
      <h2>{w.report.answers}</h2>
      {version.content.sections.flatMap((section) =>
        section.steps
          .filter((step) => visible.has(step.key))
          .map((step) => <ReadBack key={step.key} report={report} step={step} />),
      )}
    </section>
  );
}

function ReadBack({ report, step }: { report: Report; step: Step }) {
  const w = words();
  const open = useSignal<string | null>(null);
  const given = report.answers[step.key];
  const ids = report.photos[step.key] ?? [];
  return (
    <div class="readback">
      <p class="asked">{say(step.text)}</p>
      {step.kind !== "photo" && <p class={isGiven(given) ? "said" : "soft"}>{spoken(step, given)}</p>}
      {given?.note && (
        <p class="small">
          {w.form.note}: {given.note}
        </p>
      )}
      {report.state === "returned" &&
        report.notes
          .filter((note) => note.step_key === step.key)
          .map((note) => (
            <Notice key={note.text} tone="warn" icon="note">
              <strong>{w.form.reviewer_note}</strong>
              <p>{note.text}</p>
            </Notice>
          ))}
      {ids.length > 0 && (
        <ul class="shots">
          {ids.map((id, index) => (
            <li key={id}>
              <Shot id={id} label={w.photos.open(index + 1, ids.length)} open={() => (open.value = id)} />
            </li>
          ))}
        </ul>
      )}
      {open.value && (
        <Viewer
          report={{ ...report, is_editable: false }}
          step={step.key}
          ids={ids}
          id={open.value}
          show={(id) => (open.value = id)}
        />
      )}
    </div>
  );
}

/** An answer in words. */
export function spoken(step: Step | undefined, given: Answer | undefined): string {
  const w = words();
  if (given?.na) return `${w.form.na}: ${given.reason ?? ""}`;
  if (given?.unavailable) return `${w.form.unavailable}: ${given.reason ?? ""}`;
  const value = given?.value;
  if (value === undefined || value === null) return w.report.unanswered;
  if (typeof value === "boolean") return value ? w.common.yes : w.common.no;
  const label = (code: unknown): string => {
    const option = step?.options?.find((one) => one.value === code);
    return option ? say(option.label) : String(code);
  };
  if (Array.isArray(value)) return value.map(label).join("\n");
  if (typeof value === "object") {
    const { raw, symbology, name } = value as { raw?: string; symbology?: string; name?: string };
    return raw ? `${raw} (${named(w.form.symbologies, symbology ?? "manual")})` : (name ?? "");
  }
  if (step?.kind === "number" || step?.kind === "measure") {
    const unit = step.unit ? ` ${named(w.units, step.unit)}` : "";
    return `${format.decimalText(String(value))}${unit}`;
  }
  return label(value);
}
