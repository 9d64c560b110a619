/**
 * What officers do with reports: begin, answer, submit, take back, decide. Shown at once, stored right behind, in order.
 *
 * Edits pile up in memory (`mirror.unsaved`) and are stored one write at a time, so typing never waits. An edit joins the
 * newest mutation of its report as long as that has never been sent and was made on the same revision; what has been sent
 * is never changed.
 */

import { uuid7 } from "./bytes.ts";
import type { BaseRecord } from "./base.ts";
import type { Db, OutboxRow, PhotoRow } from "./db.ts";
import { giveWay, insist, settleOvertaken } from "./decisions.ts";
import { alone, OUTBOX } from "./locks.ts";
import type { Local, Mirror } from "./mirror.ts";
import type { Opened, Outbox, Work as Said } from "./outbox.ts";
import { type Fields, together } from "./overlay.ts";
import { type Clock, claimed } from "./patience.ts";
import {
  type Answer,
  type ChecklistVersion,
  EngineError,
  type Header,
  type Json,
  type Report,
  type Trouble,
} from "./types.ts";

const PAUSE_MS = 80;

/** In what records differ that are edited alike. */
export interface Way {
  readonly save: string;
  readonly discard: string;
  /** What the server said of them. */
  readonly base: ReadonlyMap<string, BaseRecord>;
  /** Edits in memory. */
  readonly unsaved: Map<string, Fields>;
  /** Put two patches together, the later one on top. */
  together(first: Fields, second: Fields): Fields;
  /** The patch that names a step's photos. */
  naming(step: string, photos: string[]): Fields;
}
/** How inspections are edited. */
export const inspections = (mirror: Mirror): Way => ({
  save: "inspection.save",
  discard: "inspection.discard",
  base: mirror.inspection,
  unsaved: mirror.unsaved,
  together,
  naming: (step, photos) => ({ photos: { [step]: photos } }),
});
/** What is asked of a record before it is edited. */
export interface Editable {
  readonly id: string;
  readonly is_editable: boolean;
  readonly troubles: readonly Trouble[];
  readonly server_state: string | null;
}

/** A photo that is ready to be written together with what names it. */
export interface Addition {
  row: PhotoRow;
  chunks: Uint8Array<ArrayBuffer>[];
  declaration: Fields;
}
interface Plan {
  put: OutboxRow;
  answered: Opened | null;
}

export class Work {
  private saving: Promise<void> = Promise.resolve();
  private isQueued = false;
  /** On which revision the edits in memory were begun. */
  private readonly madeOn = new Map<string, number>();
  /** Reports whose half-said answers are not stored yet. */
  private readonly half = new Set<string>();
  /** Why the last attempt to store edits failed; they stay in memory and are tried again with the next. */
  private fault: EngineError | null = null;

  constructor(
    private readonly db: Db,
    protected readonly mirror: Mirror,
    private readonly outbox: Outbox,
    protected readonly clock: Clock,
    private readonly look: (report: string) => Pick<Report, "photos"> | null,
    /** Called with the reports that look different now. */
    private readonly changed: (reports: string[]) => void,
    /** Called when something new waits to be sent; at once, or when the officer pauses. */
    private readonly waits: (atOnce: boolean) => void,
    private readonly failed: (fault: EngineError) => void = () => undefined,
    private readonly way: Way = inspections(mirror),
  ) {}

  begin(version: ChecklistVersion, posting: string | null, header: Header): string {
    const report = uuid7();
    const now = claimed(this.clock);
    this.mirror.local.set(report, { begun_at: now, changed_at: now });
    void this.mirror.keep(version);
    this.edit(report, {
      checklist_version: version.id,
      content_hash: version.content_hash,
      ...(posting ? { posting } : {}),
      started_on_device_at: now,
      captured_tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(header as Fields),
    });
    return report;
  }

  saveAnswer(report: Report, step: string, answer: Answer | null): void {
    this.editable(report);
    this.edit(report.id, { answers: { [step]: answer as unknown as Json } });
  }

  /** Keep what is half said with what only this phone knows of the report. */
  keepUnfinished(report: Report, step: string, answer: Answer | null): void {
    this.editable(report);
    const { [step]: before, ...rest } = report.unfinished;
    if (!before && !answer) return;
    const unfinished = answer ? { ...rest, [step]: answer } : rest;
    this.mirror.local.set(report.id, { ...this.local(report.id), unfinished });
    this.half.add(report.id);
    this.changed([report.id]);
    this.queue(PAUSE_MS);
  }

  saveHeader(report: Report, header: Partial<Header>): void {
    this.editable(report);
    this.edit(report.id, header as Fields);
  }

  /** Store a developed photo, its declaration, and the report's list that names it: all, or nothing. */
  async addPhoto(report: Editable, step: string, photo: Addition): Promise<void> {
    await this.flush();
    await alone(OUTBOX, async () => {
      const made_at = claimed(this.clock);
      const said = { fields: photo.declaration, made_at };
      const create = await this.outbox.make("attachment.create", photo.row.id, said, 0);
      const names = this.named(report.id, step);
      const patch = this.way.naming(step, [...names, photo.row.id]);
      const plan = await this.plan(report.id, patch, this.way.save, this.shownRev(report.id));
      await this.db.write(["photo", "chunk", "outbox"], async (tx) => {
        await tx.objectStore("photo").put(photo.row);
        for (const [n, chunk] of photo.chunks.entries()) await tx.objectStore("chunk").put(chunk, [photo.row.id, n]);
        if (!(await tx.objectStore("outbox").index("id").get(create.id))) await tx.objectStore("outbox").add(create);
        await this.write(tx.objectStore("outbox"), plan);
      });
      await this.touchLocal(report.id);
      await Promise.all([this.mirror.loadOutbox(), this.mirror.loadPhotos()]);
    });
    this.waits(false);
  }

  /** Take a photo out of a report that can be edited; one that was never sent leaves the phone, at the officer's word. */
  async removePhoto(report: Editable, step: string, photo: string): Promise<void> {
    this.editable(report);
    this.edit(report.id, this.way.naming(step, this.named(report.id, step).filter((id) => id !== photo)));
    await this.flush();
    await alone(OUTBOX, () => this.forgetPhotos([photo]));
    this.changed([report.id]);
  }

  /** Finish a draft or a returned report. What was never sent becomes part of the submission. */
  async submit(report: Report, header: Partial<Header>): Promise<void> {
    const ended: Fields = report.header.ended_on_device_at ? {} : { ended_on_device_at: claimed(this.clock) };
    await this.send(report, "inspection.submit", { ...ended, ...(header as Fields) });
  }

  /** Move a record on by a mutation of this type, with a last patch; what was never sent becomes part of it. */
  async send(report: Editable, type: string, patch: Fields): Promise<void> {
    this.editable(report);
    if (report.troubles.some((trouble) => trouble.kind === "conflict")) throw new EngineError("not-editable");
    await this.flush();
    await alone(OUTBOX, async () => {
      const plan = await this.plan(report.id, patch, type, this.shownRev(report.id));
      await this.db.write(["outbox"], (tx) => this.write(tx.objectStore("outbox"), plan));
      await this.touchLocal(report.id);
      await this.mirror.loadOutbox();
    });
    this.changed([report.id]);
    this.waits(true);
  }

  /** Take back a draft: what the server never heard of is erased here, the rest is told to it. */
  async discard(report: Editable): Promise<void> {
    this.editable(report);
    await this.flush();
    await alone(OUTBOX, async () => {
      const rows = this.mirror.outbox.get(report.id) ?? [];
      const wasSent = report.server_state !== null || rows.some((row) => row.device_seq !== null);
      const said = { fields: {}, made_at: claimed(this.clock) };
      const rev = this.shownRev(report.id);
      const told = wasSent ? await this.outbox.make(this.way.discard, report.id, said, rev) : null;
      await this.db.write(["outbox", "local"], async (tx) => {
        const table = tx.objectStore("outbox");
        for (const row of rows) {
          if (row.state === "waiting" && row.device_seq === null) await table.delete(row.seq as number);
          else if (row.state === "attention") await table.put({ ...stored(row), state: "answered" });
        }
        if (told && !(await table.index("id").get(told.id))) await table.add(told);
        if (!told) await tx.objectStore("local").delete(report.id);
      });
      const photos = [...this.mirror.photos.values()].filter((photo) => photo.report === report.id);
      await this.forgetPhotos(photos.map((photo) => photo.id));
    });
    this.changed([report.id]);
    this.waits(true);
  }

  /** Send a refused edit again, at the officer's word. */
  async insist(id: string): Promise<void> {
    await alone(OUTBOX, async () => {
      await insist(this.db, this.outbox, id);
      await this.mirror.loadOutbox();
    });
    this.waits(true);
  }

  /** Leave the server's version, at the officer's word. */
  async giveWay(id: string): Promise<void> {
    await alone(OUTBOX, async () => {
      await giveWay(this.db, this.outbox, id);
      await this.mirror.loadOutbox();
    });
    this.waits(true);
  }

  /** Take photos off this phone, with declarations that were never sent; the server's own copies are its own. */
  async forgetPhotos(photos: string[]): Promise<void> {
    await this.db.write(["photo", "chunk", "outbox"], async (tx) => {
      for (const id of photos) {
        const row = await tx.objectStore("photo").get(id);
        if (!row || row.state === "stored") continue;
        await tx.objectStore("photo").delete(id);
        await tx.objectStore("chunk").delete(IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]));
        for (const create of await tx.objectStore("outbox").index("object").getAll(id))
          if (create.device_seq === null) await tx.objectStore("outbox").delete(create.seq as number);
          else if (create.state === "attention") await tx.objectStore("outbox").put({ ...create, state: "answered" });
      }
    });
    await Promise.all([this.mirror.loadOutbox(), this.mirror.loadPhotos()]);
  }

  /** Resolves when everything given so far is stored. */
  async flush(): Promise<void> {
    while (this.way.unsaved.size || this.half.size) {
      this.queue(0);
      await this.saving;
      if (this.fault) throw this.fault;
    }
    await this.saving;
  }

  /** The revision of a report that is on the screen now; 0 when the server has none. */
  private shownRev(report: string): number {
    return this.way.base.get(report)?.rev ?? 0;
  }

  protected editable(report: Editable): void {
    if (!report.is_editable) throw new EngineError("not-editable");
  }

  /** The photos that a step names by now, without those still being developed. */
  private named(report: string, step: string): string[] {
    return (this.look(report)?.photos[step] ?? []).filter((photo) => !this.mirror.developing.has(photo));
  }

  protected edit(report: string, patch: Fields): void {
    const before = this.way.unsaved.get(report);
    if (!before) this.madeOn.set(report, this.shownRev(report));
    this.way.unsaved.set(report, before ? this.way.together(before, patch) : patch);
    this.mirror.local.set(report, { ...this.local(report), changed_at: claimed(this.clock) });
    this.changed([report]);
    this.queue(PAUSE_MS);
  }

  private queue(pause: number): void {
    if (this.isQueued && pause) return;
    this.isQueued = true;
    this.saving = this.saving
      .then(() => (pause ? new Promise<void>((resolve) => setTimeout(resolve, pause)) : undefined))
      .then(() => this.store())
      .then(
        () => {
          this.fault = null;
        },
        (error: unknown) => {
          this.fault = storageFault(error);
          this.failed(this.fault);
        },
      );
  }

  private async store(): Promise<void> {
    this.isQueued = false;
    const reports = [...this.way.unsaved.keys()];
    const half = [...this.half];
    this.half.clear();
    try {
      for (const report of half) await this.touchLocal(report);
    } catch (error) {
      for (const report of half) this.half.add(report);
      throw error;
    }
    if (!reports.length) return;
    await alone(OUTBOX, async () => {
      const stored = await Promise.all(reports.map((report) => this.storeOne(report)));
      for (const report of reports)
        if (this.mirror.outbox.get(report)?.some((row) => row.state === "attention"))
          await settleOvertaken(this.db, this.outbox, report);
      await this.mirror.loadOutbox();
      // An edit made meanwhile holds this one too: storing that part twice changes nothing.
      for (const [i, report] of reports.entries())
        if (this.way.unsaved.get(report) === stored[i]) this.way.unsaved.delete(report);
    });
    this.changed(reports);
    this.waits(false);
  }

  private async storeOne(report: string): Promise<Fields | undefined> {
    const patch = this.way.unsaved.get(report);
    if (!patch) return undefined;
    const plan = await this.plan(report, patch, this.way.save, this.madeOn.get(report) ?? this.shownRev(report));
    await this.db.write(["outbox"], (tx) => this.write(tx.objectStore("outbox"), plan));
    await this.touchLocal(report);
    return patch;
  }

  /**
   * Decide where an edit goes: into the newest mutation if that was never sent and was made on the same revision, in the
   * place of one that was refused for its content, otherwise into a new one. Under the outbox's lock, on what the store
   * says, not on memory. `rev` is what the officer saw.
   */
  private async plan(report: string, patch: Fields, type: string, rev: number): Promise<Plan> {
    const rows = await this.db.read(["outbox"], (tx) => tx.objectStore("outbox").index("object").getAll(report));
    const opened = await this.outbox.open(rows.sort((one, other) => (one.seq ?? 0) - (other.seq ?? 0)));
    const last = opened.findLast((row) => row.state !== "answered" && row.state !== "done");
    const made_at = claimed(this.clock);
    const isUnsent = last?.type === this.way.save && last.state === "waiting" && last.device_seq === null;
    if (last && isUnsent && (last.base_rev === null || last.base_rev === rev)) {
      const work: Said = { fields: this.way.together(last.fields, patch), made_at };
      return { put: { ...stored(last), type, work: await this.outbox.seal(last.id, work) }, answered: null };
    }
    const isRefused = last?.state === "attention" && last.type !== this.way.discard && last.result?.status === "rejected";
    const fields = isRefused && last ? this.way.together(last.fields, patch) : patch;
    const base_rev = isRefused && last ? last.base_rev : rev;
    return {
      put: await this.outbox.make(type, report, { fields, made_at }, base_rev),
      answered: isRefused && last ? last : null,
    };
  }

  private async write(
    table: { put(row: OutboxRow): Promise<unknown>; index(name: "id"): { get(id: string): Promise<OutboxRow | undefined> } },
    plan: Plan,
  ): Promise<void> {
    if (plan.answered) await table.put({ ...stored(plan.answered), state: "answered" });
    const there = await table.index("id").get(plan.put.id);
    await table.put(there ? { ...plan.put, seq: there.seq as number } : plan.put);
  }

  private local(report: string): Local {
    return this.mirror.local.get(report) ?? { begun_at: null, changed_at: claimed(this.clock) };
  }

  private async touchLocal(report: string): Promise<void> {
    const sealed = await this.mirror.sealLocal(report, { ...this.local(report), changed_at: claimed(this.clock) });
    await this.db.write(["local"], (tx) => tx.objectStore("local").put(sealed, report));
  }
}

/** What the browser says when there is no room left, in the engine's words. */
export function storageFault(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  return new EngineError(isFull ? "storage-full" : "unexpected", String(error));
}

/** A row as it lies in the store, without what was opened. */
function stored(row: Opened): OutboxRow {
  const { fields: _fields, made_at: _made, result: _result, ...plain } = row;
  return plain;
}
