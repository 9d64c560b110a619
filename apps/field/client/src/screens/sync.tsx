/** The sync centre: what waits, what the server has by its own word, what needs the officer, and the ways out. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { EngineError, type Report, type SyncState } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { words } from "../i18n/index.ts";
import { useCommand, wordsFor } from "../ui/commands.ts";
import { Icon } from "../ui/icons.tsx";
import { announce } from "../ui/live.tsx";
import { Badge, Fault, Field, Head, Meter, Notice } from "../ui/parts.tsx";
import { href } from "../ui/router.ts";
import { titleOf } from "./report-row.tsx";
import { lastSynced, unsent } from "./today.tsx";
import { TroubleCard } from "./trouble-card.tsx";

const MOST = 30;
const UNSENT = new Set(["draft", "waiting", "sending", "attention"]);

export function SyncCentre() {
  const w = words().sync;
  const reports = engine.reports.value;
  const troubles = engine.troubles.value;
  const unfinished = reports.filter((report) => isUnfinished(report));
  const finds = engine.finds.seizures.value.filter((find) => isUnfinished(find));
  const settled = reports.filter((report) => !isUnfinished(report)).slice(0, MOST);
  useEffect(() => void engine.refreshStorage(), []);
  return (
    <main id="content">
      <Head title={w.title} />
      <Status />
      {troubles.length > 0 && (
        <section class="group">
          <h2>{w.attention_title(troubles.length)}</h2>
          {troubles.map((trouble) => (
            <TroubleCard key={trouble.id} trouble={trouble} />
          ))}
        </section>
      )}
      <section class="group">
        <h2>{w.on_phone}</h2>
        {unfinished.length + finds.length === 0 && <p class="soft">{w.nothing_waiting}</p>}
        {finds.map((find) => (
          <ReportCard
            key={find.id}
            report={find}
            title={words().today.find}
            to={href({ screen: "seizure", id: find.id, page: "", step: "" })}
          />
        ))}
        {unfinished.map((report) => (
          <ReportCard key={report.id} report={report} {...ofInspection(report)} />
        ))}
      </section>
      {settled.length > 0 && (
        <section class="group">
          <h2>{w.on_server}</h2>
          {settled.map((report) => (
            <ReportCard key={report.id} report={report} {...ofInspection(report)} />
          ))}
        </section>
      )}
      {(unsent(engine.sync.value) > 0 || troubles.length > 0) && <Export />}
    </main>
  );
}

/** What a card needs to know of an inspection or a find. */
type Carded = Pick<Report, "id" | "state" | "number" | "photos" | "photos_total" | "photos_stored" | "is_saved_on_server">;

function ofInspection(report: Report): { title: string; to: string } {
  return { title: titleOf(report), to: href({ screen: "report", id: report.id }) };
}

function isUnfinished(report: Carded): boolean {
  return UNSENT.has(report.state) || report.photos_stored < report.photos_total || !report.is_saved_on_server;
}

function Status() {
  const w = words().sync;
  const state = engine.sync.value;
  const { phase, error, attention, next_in } = state;
  const running = phase !== "idle" && phase !== "pausing";
  const clear = unsent(state) === 0 && attention === 0;
  const doing = error?.code === "offline" ? w.trying : w.phases[phase];
  const said = running ? doing : clear ? w.all_sent : unsentWords(state);
  return (
    <section class="card status">
      <div role="status" class="stack tight">
        <p class="row big">
          <Icon name={running ? "sync" : clear ? "cloud_check" : attention > 0 ? "warn" : error?.code === "offline" ? "cloud_off" : "clock"} />
          {said}
        </p>
        <p class="soft tabular">{lastSynced(state)}</p>
      </div>
      {running && <Meter value={0} most={null} label={w.running} />}
      {error && (
        <Notice tone={error.code === "offline" || error.code === "busy" ? "warn" : "bad"} icon="warn">
          <p>{w.errors[error.code]}</p>
          {error.code === "unexpected" && <p class="mono small">{error.detail}</p>}
          {next_in !== null && next_in > 0 && <p class="small tabular">{w.next_in(format.span(next_in))}</p>}
        </Notice>
      )}
      {error?.code === "sign-in" && <SignIn />}
      <button type="button" class="wide" aria-disabled={running} onClick={() => void engine.syncNow()}>
        <Icon name="sync" />
        {running ? w.running : w.now}
      </button>
    </section>
  );
}

/** What waits, in words: work to be sent, or only decisions to be made. */
function unsentWords({ waiting, photos_waiting, attention }: SyncState): string {
  const isAny = waiting + photos_waiting > 0;
  return isAny ? words().sync.waiting(waiting, photos_waiting) : words().today.need_you(attention);
}

/** One report: its state by the server's word, and each photo that is not there yet. */
function ReportCard({ report, title, to }: { report: Carded; title: string; to: string }) {
  const w = words();
  const state =
    report.state === "draft"
      ? report.is_saved_on_server
        ? w.sync.draft_kept
        : w.sync.draft_only_here
      : w.states[report.state];
  const ids = Object.values(report.photos).flat();
  return (
    <article class="card" aria-label={title}>
      <a class="row between" href={to}>
        <strong>{title}</strong>
        <span class="soft tabular">{report.number ?? ""}</span>
      </a>
      <div class="row">
        <Badge state={report.state} text={state} />
        {report.photos_total > 0 && (
          <span class="soft small tabular">{w.sync.photos_of(report.photos_stored, report.photos_total)}</span>
        )}
      </div>
      {report.photos_stored < report.photos_total && (
        <ul class="stack tight">
          {ids.map((id, index) => (
            <PhotoLine key={id} id={id} number={index + 1} />
          ))}
        </ul>
      )}
    </article>
  );
}

function PhotoLine({ id, number }: { id: string; number: number }) {
  const w = words();
  const photo = engine.photos.value.get(id);
  if (!photo) return null;
  const state = w.photos.states[photo.state];
  const detail =
    photo.sent > 0 && photo.sent < photo.size ? `${format.bytes(photo.sent)} / ${format.bytes(photo.size)}` : format.bytes(photo.size);
  return (
    <li class="stack tight">
      <p class="row between small">
        <span>{w.sync.photo_row(number, state)}</span>
        <span class="soft tabular">{detail}</span>
      </p>
      {photo.state === "sending" && (
        <Meter value={photo.sent} most={photo.size} label={w.sync.photo_row(number, state)} />
      )}
    </li>
  );
}

function SignIn() {
  const w = words().sync;
  const [username, password] = [useSignal(""), useSignal("")];
  const { busy, problem, run } = useCommand();
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void run(async () => {
          await engine.signIn(username.value.trim(), password.value);
          password.value = "";
          await engine.syncNow();
        });
      }}
    >
      <Field
        label={w.username}
        value={username.value}
        onInput={(event) => (username.value = event.currentTarget.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellcheck={false}
      />
      <Field
        label={w.password}
        type="password"
        value={password.value}
        onInput={(event) => (password.value = event.currentTarget.value)}
        autoComplete="current-password"
        fault={problem.value ? wordsFor(problem.value, { "sign-in-refused": w.sign_in_refused }) : ""}
      />
      <button type="submit" class="wide quiet" aria-disabled={busy.value}>
        {w.sign_in}
      </button>
    </form>
  );
}

function Export() {
  const w = words().sync;
  const { busy, problem, run } = useCommand();
  const save = async (): Promise<void> => {
    const file = await engine.exportStuckWork();
    const url = URL.createObjectURL(file);
    const link = document.createElement("a");
    link.href = url;
    link.download = `hai-dang-${new Date().toISOString().slice(0, 16).replaceAll(":", "")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    announce(w.exported);
  };
  return (
    <details class="card fold">
      <summary>
        <Icon name="download" size={20} />
        {w.export}
      </summary>
      <div class="stack">
        <p>{w.export_lead}</p>
        <Notice tone="warn" icon="warn">
          {w.export_warning}
        </Notice>
        {problem.value instanceof EngineError && <Fault>{wordsFor(problem.value)}</Fault>}
        <button type="button" class="wide quiet" aria-disabled={busy.value} onClick={() => void run(save)}>
          {w.export}
        </button>
      </div>
    </details>
  );
}
