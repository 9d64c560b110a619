/** What exists only while the phone is open: the key, the opened records, the officer's work, the line to the server. */

import { countRows, type Page, recordsOfStream } from "./base.ts";
import { uuid7 } from "./bytes.ts";
import { NotAPicture } from "./camera.ts";
import { developed } from "./darkroom.ts";
import type { Db, PhotoRow } from "./db.ts";
import { type Captured, manifestOf, position } from "./manifest.ts";
import { alone, OUTBOX } from "./locks.ts";
import { Mirror, type Developing } from "./mirror.ts";
import { Outbox } from "./outbox.ts";
import type { Fields } from "./overlay.ts";
import { type Clock, claimed } from "./patience.ts";
import { Photos } from "./photos.ts";
import { Pull } from "./pull.ts";
import { Push } from "./push.ts";
import { Receipts } from "./receipts.ts";
import { Snapshots } from "./snapshots.ts";
import type { Forms } from "./forms.ts";
import type { SeizureWork } from "./seizures.ts";
import { Sync, type Watcher } from "./sync.ts";
import { EngineError, type PhotoRule, type ReferenceEntry, type Report } from "./types.ts";
import type { Vault } from "./vault.ts";
import { Wire } from "./wire.ts";
import { type Editable, storageFault, Work } from "./work.ts";

const MOST_PHOTOS = 40;
const PHOTO_BYTES = 25 * 1024 * 1024;

/** What a photo belongs to. */
type Owner = Editable &
  Pick<Report, "posting" | "photos" | "checklist_version" | "content_hash"> & { readonly kind?: "seizure" };

/** Whom edits tell: what looks different, what waits, what could not be stored. */
type Told = [changed: (ids: string[]) => void, waits: (atOnce: boolean) => void, failed: (fault: EngineError) => void];

/** What the session tells the engine. */
export interface Listener {
  look(report: string): Report | null;
  rule(report: Pick<Report, "checklist_version">, step: string): PhotoRule | null;
  /** These reports look different; null: anything may. */
  reports(ids: string[] | null): void;
  page(page: Page): void;
  /** A part of a snapshot has brought rows, of so many. */
  brought(rows: number, all: number): void;
  waits(): void;
  /** The server has answered. */
  heard(): void;
  failed(fault: EngineError): void;
  wipe(): Promise<void>;
  watcher: Watcher;
}

export class Session {
  readonly outbox: Outbox;
  readonly photos: Photos;
  readonly wire: Wire;
  readonly mirror: Mirror;
  readonly work: Work;
  /** The same for seizures, once somebody edits one. */
  finds: SeizureWork | null = null;
  /** Custody forms that are half filled in, once somebody opens one. */
  forms: Forms | null = null;
  readonly pull: Pull;
  readonly sync: Sync;
  private readonly lists = new Map<string, Promise<ReferenceEntry[]>>();

  constructor(
    readonly db: Db,
    readonly vault: Vault,
    private readonly clock: Clock,
    private readonly listener: Listener,
    fetcher?: typeof fetch,
  ) {
    this.wire = new Wire(db, vault, clock, listener.wipe, fetcher);
    this.wire.heard = listener.heard;
    this.outbox = new Outbox(db, vault);
    this.photos = new Photos(db, vault, this.wire, (id, change) => this.photoMoved(id, change));
    this.mirror = new Mirror(db, vault, this.outbox, this.photos);
    const settled = async () => {
      await Promise.all([this.mirror.loadOutbox(), this.mirror.loadPhotos()]);
      listener.reports(null);
    };
    const push = new Push(db, this.outbox, this.wire, clock, settled);
    const snapshots = new Snapshots(db, vault, this.wire, listener.brought);
    const paged = (page: Page) => this.paged(page);
    const loaded = (streams: string[]) => this.loaded(streams);
    this.pull = new Pull(db, vault, this.wire, push, this.outbox, clock, paged, loaded, snapshots);
    const { wire, outbox, pull, photos } = this;
    const receipts = new Receipts(db, vault);
    this.sync = new Sync({ db, wire, outbox, push, pull, photos, receipts }, listener.watcher);
    this.work = this.worker((...[store, mirror, rows, watch, ...rest]) => new Work(store, mirror, rows, watch, listener.look, ...rest));
  }

  /** Make something that edits in this session. */
  worker<T>(make: (...given: [Db, Mirror, Outbox, Clock, ...told: Told]) => T): T {
    const { listener } = this;
    const waits = (atOnce: boolean) => {
      listener.waits();
      this.sync.waits(atOnce);
    };
    return make(this.db, this.mirror, this.outbox, this.clock, (ids) => listener.reports(ids), waits, listener.failed);
  }

  /** Resolves when everything given so far is stored. */
  async flush(): Promise<void> {
    await Promise.all([this.work.flush(), this.finds?.flush(), this.forms?.flush()]);
  }

  /** Keep a custody step on the revision that is on the screen; the newest unsent steps of `after` go before it. */
  async act(type: string, object: string, fields: Fields, after: string[]): Promise<void> {
    await this.flush();
    await alone(OUTBOX, async () => {
      const rev = this.mirror.exhibit.get(object)?.rev ?? 0;
      const depends = after.flatMap((id) => {
        const row = this.mirror.outbox.get(id)?.findLast(({ state }) => state !== "done" && state !== "answered");
        return row ? [row.id] : [];
      });
      await this.outbox.add(type, object, { fields, made_at: claimed(this.clock) }, rev, depends);
      await this.mirror.loadOutbox();
    });
    this.listener.reports(null);
    this.listener.waits();
    this.sync.waits(true);
  }

  /** The entries of a reference list, opened when first asked for. */
  reference(slug: string): Promise<ReferenceEntry[]> {
    const stream = `list:${slug}`;
    let list = this.lists.get(stream);
    if (!list) {
      list = recordsOfStream(this.db, this.vault, stream).then((records) =>
        records
          .map(({ id, body }) => ({ id, ...body }) as unknown as ReferenceEntry)
          .sort((one, other) => one.label.vi.localeCompare(other.label.vi, "vi")),
      );
      this.lists.set(stream, list);
    }
    return list;
  }

  /** Another tab has written: open everything again. */
  async reload(): Promise<void> {
    this.lists.clear();
    await this.mirror.load();
    this.listener.reports(null);
  }

  async rows(): Promise<number> {
    return countRows(this.db);
  }

  /** Develop, sign, seal and keep a photo; it shows as `processing` meanwhile. */
  async addPhoto(report: Owner, step: string, picture: Blob, source: "camera" | "gallery", shows = ""): Promise<string> {
    const rule = report.kind ? null : this.listener.rule(report, step);
    const purpose = rule?.purpose ?? shows;
    const most = Math.min(rule?.max ?? MOST_PHOTOS, MOST_PHOTOS);
    if ((report.photos[step]?.length ?? 0) >= most) throw new EngineError("too-many-photos");
    const id = uuid7();
    const capture_mode = source === "camera" ? "in_app" : "import";
    const { developing } = this.mirror;
    developing.set(id, { id, report: report.id, step, purpose, capture_mode, size: picture.size, mime: picture.type });
    this.listener.reports([report.id]);
    const moment = { time: claimed(this.clock), monotonic: Math.round(performance.now()) };
    try {
      await this.keep(report, { id, step, purpose, capture_mode }, picture, rule?.original === true, moment);
      return id;
    } catch (error) {
      throw error instanceof NotAPicture ? new EngineError("not-a-picture") : storageFault(error);
    } finally {
      developing.delete(id);
      this.listener.reports([report.id]);
    }
  }

  private async keep(
    report: Owner,
    { id, step, purpose, capture_mode }: Pick<Developing, "id" | "step" | "purpose" | "capture_mode">,
    picture: Blob,
    keepOriginal: boolean,
    moment: { time: string; monotonic: number },
  ): Promise<void> {
    const made = await developed({ picture, keepOriginal });
    if (made.picture.size > PHOTO_BYTES) throw new EngineError("too-large");
    const { sha256, mime, width, height } = made;
    const captured: Omit<Captured, "device" | "device_seq"> = {
      report: report.id,
      photos: [
        {
          id,
          step,
          purpose,
          sha256,
          bytes: made.picture.size,
          mime,
          width,
          height,
          original: made.original,
          not_captured_in_app: capture_mode === "import",
        },
      ],
      device_time: moment.time,
      monotonic_ms: moment.monotonic,
      position: position(),
      checklist_version: report.checklist_version,
      content_hash: report.content_hash,
    };
    const facts = { step, purpose, mime, capture_mode, captured_on_device_at: moment.time, width, height };
    const row = { id, report: report.id, sha256 };
    const [signed, kept] = await Promise.all([
      this.signed(captured),
      this.photos.sealed(row, facts, made.picture, made.thumbnail),
    ]);
    const declaration = {
      report: report.id,
      ...(report.kind ? { owner_kind: report.kind } : {}),
      ...(report.posting ? { posting: report.posting } : {}),
      step,
      sha256,
      size: made.picture.size,
      mime,
      purpose,
      capture_mode,
      captured_on_device_at: moment.time,
      ...signed,
    };
    await ((report.kind && this.finds) || this.work).addPhoto(report, step, { ...kept, declaration });
  }

  /** Number and sign what was captured: manifests of a device are numbered without gaps. */
  private async signed(captured: Omit<Captured, "device" | "device_seq">) {
    const [pair, device] = await Promise.all([
      this.db.get<CryptoKeyPair>("device_key"),
      this.db.get<string>("device_id"),
    ]);
    const device_seq = await this.db.write(["meta"], async (tx) => {
      const next = Number((await tx.objectStore("meta").get("manifest_seq")) ?? 0) + 1;
      await tx.objectStore("meta").put(next, "manifest_seq");
      return next;
    });
    return manifestOf((pair as CryptoKeyPair).privateKey, { ...captured, device: device ?? "", device_seq });
  }

  private async paged(page: Page): Promise<void> {
    const isWhole = page.drop.length > 0 || page.reset.length > 0 || page.changes.length > 500;
    for (const { s } of page.changes) this.lists.delete(s);
    for (const stream of page.drop) this.lists.delete(stream);
    await this.mirror.follow(page.changes, isWhole);
    this.listener.page(page);
    this.listener.reports(null);
  }

  private async loaded(streams: string[]): Promise<void> {
    for (const stream of streams) this.lists.delete(stream);
    await this.mirror.follow([], true);
    this.listener.reports(null);
  }

  private photoMoved(id: string, change: Partial<PhotoRow>): void {
    const photo = this.mirror.photos.get(id);
    if (!photo) return;
    this.mirror.photos.set(id, { ...photo, ...change });
    this.listener.reports([photo.report]);
  }
}
