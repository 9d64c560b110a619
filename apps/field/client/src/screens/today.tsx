/** Today: whether everything is sent, what came back, what is in progress, what is on its way. */

import { useSignal } from "@preact/signals";
import { engine } from "../engine/index.ts";
import type { Report, SyncState } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { say, words } from "../i18n/index.ts";
import { Icon, Lighthouse } from "../ui/icons.tsx";
import { Head } from "../ui/parts.tsx";
import { href } from "../ui/router.ts";
import { LeftOver } from "./recovery.tsx";
import { ReportRow } from "./report-row.tsx";

const SHOWN = 20;
const DONE = 5;
const IN_PROGRESS = new Set(["draft", "attention"]);
const ON_THE_WAY = new Set(["waiting", "sending", "received", "media_pending", "complete", "under_review"]);
const FINISHED = new Set(["approved", "locked", "voided"]);

export function Today() {
  const w = words();
  const reports = engine.reports.value;
  const of = (states: ReadonlySet<string>): Report[] => reports.filter((report) => states.has(report.state));
  const name = engine.device.value?.officer.name ?? "";
  const unit = engine.postings.value[0]?.unit;
  return (
    <main id="content">
      <Head title={w.today.title} />
      <SyncHero />
      <p class="soft">
        {[name && w.today.hello(name), unit && say(unit)].filter(Boolean).join(" · ")}
      </p>
      <LeftOver />
      <Group title={w.today.returned} reports={of(new Set(["returned"]))} />
      <Group title={w.today.in_progress} reports={of(IN_PROGRESS)} />
      <Group title={w.today.on_the_way} reports={of(ON_THE_WAY)} />
      <Group title={w.today.finished} reports={of(FINISHED)} shown={DONE} />
      {reports.length === 0 && (
        <div class="card empty">
          <Icon name="inspect" size={40} />
          <h2>{w.today.nothing}</h2>
          <p>{w.today.nothing_lead}</p>
        </div>
      )}
      <div class="call calls">
        <a class="button wide" href={href({ screen: "inspect" })}>
          <Icon name="plus" />
          {w.today.start}
        </a>
        <a class="button wide quiet" href={href({ screen: "flash", id: "new", page: "", step: "" })}>
          <Icon name="seal" />
          {w.today.flash}
        </a>
      </div>
    </main>
  );
}

function SyncHero() {
  const w = words().today;
  const state = engine.sync.value;
  const clear = unsent(state) === 0 && state.attention === 0;
  const lit = state.last_sync_at === null ? "none" : clear ? "all" : state.error?.code === "offline" ? "none" : "some";
  return (
    <a class="hero" href={href({ screen: "sync" })}>
      <span class="words">
        <span class="big">
          {state.attention > 0 ? w.need_you(state.attention) : clear ? w.all_sent : w.to_send(unsent(state))}
        </span>
        <span class="soft">{lastSynced(state)}</span>
        <span class="more">
          {words().sync.title}
          <Icon name="next" size={18} />
        </span>
      </span>
      <Lighthouse lit={lit} />
    </a>
  );
}

/** How much the server has not confirmed yet: work and photos. */
export function unsent({ waiting, photos_waiting }: SyncState): number {
  return waiting + photos_waiting;
}

/** When everything last agreed with the server, by time that only counts forward. */
export function lastSynced({ last_sync_at, last_sync_age, error }: SyncState): string {
  const w = words();
  if (last_sync_at === null) return w.today.not_synced;
  const when = last_sync_age === null ? format.moment(last_sync_at) : format.ago(last_sync_age, w.common.now);
  const trouble = error?.code === "offline" ? w.problems.offline : "";
  return [w.today.last_synced(when), trouble].filter(Boolean).join(" · ");
}

function Group({ title, reports, shown = SHOWN }: { title: string; reports: readonly Report[]; shown?: number }) {
  const all = useSignal(false);
  const listed = all.value ? reports : reports.slice(0, shown);
  if (reports.length === 0) return null;
  return (
    <section class="group">
      <h2>
        {title} <span class="soft">{format.number(reports.length)}</span>
      </h2>
      <ul class="rows">
        {listed.map((report) => (
          <li key={report.id}>
            <ReportRow report={report} />
          </li>
        ))}
      </ul>
      {listed.length < reports.length && (
        <button type="button" class="quiet wide" onClick={() => (all.value = true)}>
          {words().today.more(reports.length - listed.length)}
        </button>
      )}
    </section>
  );
}

