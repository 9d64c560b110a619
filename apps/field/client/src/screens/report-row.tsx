/** One report in a list: what it is, how far it has come, and what it asks of the officer. */

import { engine } from "../engine/index.ts";
import type { Report } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { named, say, words } from "../i18n/index.ts";
import { Icon } from "../ui/icons.tsx";
import { Badge } from "../ui/parts.tsx";
import { href, type Route } from "../ui/router.ts";
import { compiled, photoCounts, scopeOf } from "./form/checklist.ts";

/** Where a tap on a report leads: to the work itself when there is work, to its page otherwise. */
export function placeOf(report: Report): Route {
  if (report.state === "draft") return { screen: "fill", id: report.id, page: "general", step: "" };
  return { screen: "report", id: report.id };
}

/** What a report is called: its checklist, and where. */
export function titleOf(report: Report): string {
  const version = engine.checklist(report.checklist_version);
  return version ? say(version.title) : named(words().applies_to, report.type);
}

export function ReportRow({ report }: { report: Report }) {
  const w = words();
  const tone = report.state === "returned" ? "lamp" : report.state === "attention" ? "bad" : "";
  return (
    <a class={`item ${tone}`} href={href(placeOf(report))}>
      <span class="words">
        <span class="title">{titleOf(report)}</span>
        <span class="row">
          <Badge state={report.state} text={w.states[report.state]} />
          <span class="soft small">{detail(report)}</span>
        </span>
        <span class="soft small tabular">{when(report)}</span>
      </span>
      <Icon name="next" />
    </a>
  );
}

function detail(report: Report): string {
  const w = words();
  if (report.state === "returned") return w.today.notes(report.notes.length || 1);
  if (report.state === "draft") {
    const checklist = compiled(report.checklist_version);
    if (!checklist) return "";
    const { required, answered } = checklist.progress(report.answers, scopeOf(report), photoCounts(report));
    return required > answered ? w.today.left(required - answered) : w.today.ready_to_send;
  }
  if (report.photos_total > 0 && report.photos_stored < report.photos_total) {
    return w.sync.photos_of(report.photos_stored, report.photos_total);
  }
  return "";
}

function when(report: Report): string {
  const begun = report.header.started_on_device_at ?? report.begun_on_device_at;
  const place = report.header.place ?? "";
  return [report.number ?? "", place, begun ? words().today.begun(format.moment(begun)) : ""].filter(Boolean).join(" · ");
}
