/** A decision: both versions side by side, what differs by name, and the ways out. Neither version is lost by looking. */

import { engine } from "../engine/index.ts";
import type { Answer, Json, Report, Step, Trouble } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { named, say, words } from "../i18n/index.ts";
import { stepsOf } from "../rules/content.ts";
import { useCommand, wordsFor } from "../ui/commands.ts";
import { announce } from "../ui/live.tsx";
import { Fault, Head, Notice } from "../ui/parts.tsx";
import { goOn, href } from "../ui/router.ts";
import { placeOf, titleOf } from "./report-row.tsx";
import { spoken } from "./report.tsx";
import { reason } from "./trouble-card.tsx";

export function Decide({ id }: { id: string }) {
  const w = words();
  const trouble = engine.troubles.value.find((one) => one.id === id);
  const report = engine.reports.value.find((one) => one.id === trouble?.report) ?? null;
  if (!trouble) {
    return (
      <main id="content">
        <Head title={w.sync.title} up={href({ screen: "sync" })} />
        <Notice tone="good" icon="check">
          {w.trouble.decided}
        </Notice>
      </main>
    );
  }
  const conflict = trouble.kind === "conflict";
  return (
    <main id="content">
      <Head title={conflict ? w.trouble.conflict_title : w.trouble.refused_title} up={href({ screen: "sync" })} />
      {report && (
        <a class="row" href={href(placeOf(report))}>
          <span>{titleOf(report)}</span> <span class="soft tabular">{report.number ?? ""}</span>
        </a>
      )}
      <Notice tone="bad" icon="warn">
        <strong>{reason(trouble)}</strong>
        {conflict && <p>{w.trouble.conflict_lead}</p>}
        {trouble.code === "field-conflict" && <p>{w.trouble.conflict_rest}</p>}
        {trouble.errors.map((error) => (
          <p key={error.pointer + error.code}>{sentence(error, report)}</p>
        ))}
      </Notice>
      {trouble.fields.map((field) => (
        <Both key={field} field={field} trouble={trouble} report={report} />
      ))}
      <Ways trouble={trouble} open={report?.is_editable ? href({ screen: "fill", id: report.id, page: "general", step: "" }) : null} />
    </main>
  );
}

/** Name the place of a fault and say what it is; the server's own words stand in for codes the app does not know. */
function sentence({ pointer, code, detail }: Trouble["errors"][number], report: Report | null): string {
  const [, , part = "", step = ""] = pointer.split("/");
  const field = part === "answers" || part === "photos" ? `${part}.${step}` : part;
  const w = words();
  const said = Object.hasOwn(w.faults, code) ? named(w.faults, code) : detail || code;
  return field ? `${fieldName(field, report).replace(/[.:]$/, "")}: ${said}` : said;
}

function stepNamed(key: string, report: Report | null): Step | undefined {
  const version = report ? engine.checklist(report.checklist_version) : null;
  return version ? stepsOf(version.content).find((step) => step.key === key) : undefined;
}

function fieldName(field: string, report: Report | null): string {
  const [part = "", key = ""] = field.split(".");
  if (part !== "answers" && part !== "photos") return named(words().header, field);
  const step = stepNamed(key, report);
  return step ? say(step.text) : key;
}

function Both({ field, trouble, report }: { field: string; trouble: Trouble; report: Report | null }) {
  const w = words().trouble;
  const name = fieldName(field, report);
  return (
    <section class="card" aria-label={name}>
      <h2>{name}</h2>
      <div class="versions">
        <div class="version mine">
          <h3 class="small soft">{w.mine}</h3>
          <p>{shown(field, trouble.mine[field], report)}</p>
        </div>
        <div class="version">
          <h3 class="small soft">{w.theirs}</h3>
          <p>{shown(field, trouble.theirs[field], report)}</p>
        </div>
      </div>
    </section>
  );
}

function shown(field: string, value: Json | undefined, report: Report | null): string {
  const w = words();
  if (value === undefined || value === null || value === "") return w.trouble.empty;
  const [part = "", key = ""] = field.split(".");
  if (part === "answers") {
    const answer = value as Answer;
    return [spoken(stepNamed(key, report), answer), answer.note ? `${w.form.note}: ${answer.note}` : ""]
      .filter(Boolean)
      .join("\n");
  }
  if (part === "photos") return w.trouble.photo_count(Array.isArray(value) ? value.length : 0);
  if (field.endsWith("_at")) return format.moment(String(value));
  const labels = (w.choices as Record<string, object>)[field] ?? {};
  return Array.isArray(value) ? value.map((one) => named(labels, String(one))).join(", ") : named(labels, String(value));
}

/** What can be done about it; `open` leads to where the record can be put right. */
export function Ways({ trouble, open }: { trouble: Trouble; open: string | null }) {
  const w = words().trouble;
  const { busy, problem, run } = useCommand();
  const conflict = trouble.kind === "conflict";
  const decide = async (command: () => Promise<void>): Promise<void> => {
    if (!(await run(command))) return;
    announce(w.decided);
    goOn({ screen: "decide", id: trouble.id }, { screen: "sync" });
  };
  return (
    <div class="stack">
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      {!conflict && open && (
        <a class="button wide" href={open}>
          {w.open_report}
        </a>
      )}
      {trouble.what === "photo" && (
        <button type="button" class="wide" aria-disabled={busy.value} onClick={() => void decide(() => engine.retry(trouble.id))}>
          {w.try_again}
        </button>
      )}
      {trouble.can_insist && trouble.what !== "photo" && (
        <button
          type="button"
          class={conflict ? "wide" : "wide quiet"}
          aria-disabled={busy.value}
          onClick={() => void decide(() => engine.decide(trouble.id, "insist"))}
        >
          {conflict ? w.keep_mine : w.try_again}
        </button>
      )}
      <button
        type="button"
        class="wide quiet"
        aria-disabled={busy.value}
        onClick={() => void decide(() => engine.decide(trouble.id, "give_way"))}
      >
        {conflict ? w.keep_theirs : w.drop_mine}
      </button>
    </div>
  );
}
