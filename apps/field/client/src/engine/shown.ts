/**
 * What screens watch, as signals: reports, photos, checklists, postings, and how far sync is. Made of the opened copy in
 * memory (`mirror.ts`) by the rules of `reports.ts`; nothing here stores or sends anything.
 */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Mirror } from "./mirror.ts";
import { buildChecklists, buildPhotos, buildReport, reportIds } from "./reports.ts";
import type { ChecklistVersion, Lease, Photo, PhotoRule, Posting, Report, SyncState, Trouble } from "./types.ts";

const AT_REST: SyncState = {
  phase: "idle",
  error: null,
  waiting: 0,
  photos_waiting: 0,
  attention: 0,
  last_sync_at: null,
  last_sync_age: null,
  next_in: null,
  first: null,
};

export class Shown {
  readonly reports = signal<Report[]>([]);
  readonly checklists = signal<ChecklistVersion[]>([]);
  readonly photos = signal<ReadonlyMap<string, Photo>>(new Map());
  readonly postings = signal<Posting[]>([]);
  readonly sync = signal<SyncState>(AT_REST);
  readonly troubles = computed<Trouble[]>(() => this.reports.value.flatMap((report) => report.troubles));

  private readonly single = new Map<string, Signal<Report | null>>();
  private readonly built = new Map<string, Report>();
  private firstBegan = 0;

  constructor(
    /** Called with what other tabs should know of sync. */
    private readonly told: (state: Partial<SyncState>) => void,
  ) {}

  /** Whether work is being sent at this moment. */
  get isPushing(): boolean {
    return moves(this.sync.value) === "pushing";
  }

  /** One report, followed; the same signal for the same id. */
  report(id: string): ReadonlySignal<Report | null> {
    let found = this.single.get(id);
    if (!found) {
      found = signal(this.look(id));
      this.single.set(id, found);
    }
    return found;
  }

  /** A report as it is known, also one that is kept from view. */
  look(id: string): Report | null {
    return this.built.get(id) ?? null;
  }

  all(): Report[] {
    return [...this.built.values()];
  }

  rule(report: Pick<Report, "checklist_version">, step: string): PhotoRule | null {
    const version = this.checklists.value.find((one) => one.id === report.checklist_version);
    const steps = version?.content.sections.flatMap((section) => section.steps) ?? [];
    return steps.find((one) => one.key === step)?.photos ?? null;
  }

  /** The phone was opened; the first load is a step of its own. */
  begin(isFirst: boolean, heardAt: string | null): void {
    this.firstBegan = performance.now();
    const first = isFirst ? { rows: 0, rows_total: null, bytes: 0, seconds: 0, done: false } : null;
    this.sync.value = { ...AT_REST, first, last_sync_at: heardAt };
  }

  /** Show nothing any more. */
  clear(): void {
    this.built.clear();
    for (const one of this.single.values()) one.value = null;
    this.reports.value = [];
    this.checklists.value = [];
    this.postings.value = [];
    this.photos.value = new Map();
    this.sync.value = AT_REST;
  }

  /** Forget which reports were asked for, too. */
  forget(): void {
    this.single.clear();
  }

  /** Make anew what looks different: these reports, or (null) everything; `ofFinds`: troubles that are none of reports. */
  rebuild(mirror: Mirror, ids: string[] | null, lease: Lease, ofFinds = 0): void {
    const moving = moves(this.sync.value);
    const wanted = ids ?? new Set([...reportIds(mirror), ...this.built.keys()]);
    for (const id of wanted) {
      const report = buildReport(mirror, id, moving === "pushing");
      if (report) this.built.set(id, report);
      else this.built.delete(id);
      const watched = this.single.get(id);
      if (watched) watched.value = allowed(report, lease);
    }
    this.photos.value = buildPhotos(mirror, moving === "photos");
    if (!ids) {
      this.checklists.value = buildChecklists(mirror);
      this.postings.value = [...mirror.posting.values()].map(({ body }) => body as unknown as Posting);
    }
    this.reports.value = this.all()
      .flatMap((report) => allowed(report, lease) ?? [])
      .sort(newestFirst);
    this.note(counts(mirror, this.built, ofFinds));
  }

  /** Note something of sync; other tabs hear of it. */
  note(change: Partial<SyncState>): void {
    const next = { ...this.sync.value, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.sync.value)) return;
    this.sync.value = next;
    const { phase, error, last_sync_at, next_in } = next;
    this.told({ phase, error, last_sync_at, next_in });
  }

  /** Tell how far the first load is: so many rows more, of so many where that is known. */
  noteFirst(rows: number, bytes = 0, all: number | null = null): void {
    const { first } = this.sync.value;
    if (!first) return;
    const seconds = (performance.now() - this.firstBegan) / 1000;
    const rows_total = all === null ? first.rows_total : Math.max(first.rows_total ?? 0, all);
    this.note({ first: { ...first, rows: first.rows + rows, rows_total, bytes, seconds } });
  }
}

/** A phone that has not heard of the server for 14 days shows unsent work only. */
function allowed(report: Report | null, lease: Lease): Report | null {
  return report && lease === "all_locked" && report.is_saved_on_server ? null : report;
}

/** What moves now: nothing, as far as is known, while there is no network or the last try did not get through. */
function moves({ phase, error }: SyncState): SyncState["phase"] | null {
  return globalThis.navigator?.onLine === false || error?.code === "offline" ? null : phase;
}

function counts(mirror: Mirror, reports: ReadonlyMap<string, Report>, ofFinds: number): Partial<SyncState> {
  const rows = [...mirror.outbox.values()].flat();
  const photos = [...mirror.photos.values()];
  return {
    waiting: rows.filter((row) => row.state === "waiting" || row.state === "sent").length + mirror.unsaved.size + mirror.unsavedSeizures.size,
    photos_waiting: photos.filter((one) => one.state !== "stored" && one.state !== "attention" && one.chunks > 0).length,
    attention: [...reports.values()].reduce((sum, report) => sum + report.troubles.length, ofFinds),
  };
}

function newestFirst(one: Report, other: Report): number {
  const [mine, theirs] = [moment(one) + one.id, moment(other) + other.id];
  return mine < theirs ? 1 : mine > theirs ? -1 : 0;
}

const moment = (report: Report) => report.changed_on_device_at ?? report.submitted_at ?? "";
