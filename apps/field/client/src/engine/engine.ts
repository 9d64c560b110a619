/** The engine itself: one object that screens watch and command. It joins door, session and sync; rules live there. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Db, NAME } from "./db.ts";
import { Door, type EnrolAnswer, type Failures } from "./door.ts";
import { exported } from "./export.ts";
import { codeOf, commandFault } from "./faults.ts";
import { FindsDoor } from "./finds-door.ts";
import { Line } from "./locks.ts";
import { warmPosition } from "./manifest.ts";
import { type ReadAhead, readAhead } from "./mirror.ts";
import { type Clock, phoneClock } from "./patience.ts";
import { readPrefs, writePrefs } from "./prefs.ts";
import { type Listener, Session } from "./session.ts";
import { Shown } from "./shown.ts";
import { reconcile } from "./status.ts";
import {
  type Answer,
  type ChecklistVersion,
  type DeviceFacts,
  type Engine,
  EngineError,
  type Header,
  type Lease,
  type Lock,
  type Prefs,
  type ReferenceEntry,
  type Report,
  type SignOut,
  type StorageState,
  type SyncState,
  type Trouble,
} from "./types.ts";
import type { Vault } from "./vault.ts";
import { Wire } from "./wire.ts";
import { applyUpdate, lookForUpdate, updateReady } from "./worker.ts";

export const IDLE_SECONDS = 15 * 60;
const TICK_MS = 1000;
const LEASE_EVERY = 60;
const WORD_EVERY_MS = 300;

export interface Setting {
  name?: string;
  fetcher?: typeof fetch;
  clock?: Clock;
  /** Of the PIN's derivation; tests take fewer. */
  iterations?: number;
  idle_seconds?: number;
}

export class PhoneEngine implements Engine {
  readonly lock = signal<Lock>({ state: "starting", failures: 0, wait_seconds: 0 });
  readonly lease = signal<Lease>("fresh");
  private readonly shown = new Shown((state) => this.line.tell({ kind: "sync", state }));
  readonly reports = this.shown.reports;
  readonly checklists = this.shown.checklists;
  readonly photos = this.shown.photos;
  readonly postings = this.shown.postings;
  readonly sync = this.shown.sync;
  readonly storage = signal<StorageState>({ used: 0, quota: 0, persisted: false, photo_bytes: 0 });
  readonly device = signal<DeviceFacts | null>(null);
  readonly prefs = signal<Prefs>(readPrefs());
  readonly finds = new FindsDoor({
    opened: () => this.opened(),
    officer: () => this.device.value?.officer.id ?? null,
    only_posting: () => this.postings.value[0]?.id ?? null,
    touch: () => this.touch(),
    failed: (error) => this.failed(error),
    arrived: () => this.rebuild(null),
  });
  readonly troubles = computed<Trouble[]>(() => [...this.shown.troubles.value, ...this.finds.troubles.value]);
  readonly update_ready: ReadonlySignal<boolean> = updateReady;

  private readonly db: Db;
  private readonly door: Door;
  private readonly clock: Clock;
  private readonly line: Line;
  private session: Session | null = null;
  private lastTouch = performance.now();
  private lastHeard: { at: string; wall: number } | null = null;
  private leaseTicks = 0;
  private word: ReturnType<typeof setTimeout> | undefined;
  private reloading: Promise<void> | null = null;

  constructor(private readonly setting: Setting = {}) {
    this.clock = setting.clock ?? phoneClock;
    this.db = new Db(setting.name ?? NAME);
    this.door = new Door(this.db, this.clock, setting.iterations);
    this.line = new Line((told) => {
      if (told.kind === "changed") void this.reload();
      if (told.kind === "kick") this.session?.sync.kick();
      if (told.kind === "wiped") void this.shutOut();
      if (told.kind === "locked") this.close("locked");
      if (told.kind === "sync" && this.session) this.sync.value = { ...this.sync.value, ...(told.state as SyncState) };
    });
  }

  // ---- The door ---------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    try {
      const state = await this.door.state();
      this.lock.value = { state, ...(await this.door.failures()) };
    } catch {
      this.lock.value = { ...this.lock.value, state: "broken" };
      return;
    }
    setInterval(() => void this.tick(), TICK_MS);
    if (typeof document === "undefined") return;
    document.addEventListener("visibilitychange", () => this.inFront());
    window.addEventListener("online", () => this.session?.sync.kick());
    window.addEventListener("pagehide", () => void this.session?.flush().catch(() => undefined));
  }

  async enrol(code: string, pin: string, name = ""): Promise<void> {
    void globalThis.navigator?.storage?.persist?.();
    const asked = new Wire(this.db, null as unknown as Vault, this.clock, async () => undefined, this.setting.fetcher);
    try {
      const vault = await this.door.enrol(code, pin, name, (body) => asked.stranger<EnrolAnswer>("/devices/enrol", body));
      await this.open(vault, readAhead(this.db));
    } catch (error) {
      throw commandFault(error);
    }
  }

  async unlock(pin: string): Promise<void> {
    if (this.session) return;
    try {
      const read = readAhead(this.db);
      await this.open(await this.door.unlock(pin), read);
    } catch (error) {
      this.lock.value = { state: this.lock.value.state, ...(await this.door.failures()) };
      throw commandFault(error);
    }
  }

  async changePin(old: string, fresh: string): Promise<void> {
    try {
      await this.door.changePin(old, fresh);
    } catch (error) {
      throw commandFault(error);
    } finally {
      this.lock.value = { state: this.lock.value.state, ...(await this.door.failures()) };
    }
  }

  lockNow(): void {
    if (!this.session) return;
    void this.session.flush().then(
      () => this.close("locked"),
      () => this.close("locked"),
    );
    this.line.tell({ kind: "locked" });
  }

  touch(): void {
    this.lastTouch = performance.now();
  }

  async signIn(username: string, password: string): Promise<void> {
    const { wire } = this.opened();
    const device_id = (await this.db.get<string>("device_id")) ?? "";
    try {
      const { challenge } = await wire.stranger<{ challenge: string }>("/sessions/challenge", { device_id });
      const signature = await wire.sign(`session|${device_id}|${username}|${challenge}`);
      const body = { device_id, username, password, challenge, signature };
      await wire.keepTokens(await wire.stranger("/sessions", body));
    } catch (error) {
      throw commandFault(error);
    }
    this.session?.sync.kick();
  }

  async signOut(): Promise<SignOut> {
    const session = this.opened();
    await session.flush();
    this.rebuild(null);
    const { waiting, photos_waiting, attention } = this.sync.value;
    if (waiting || photos_waiting || attention) return { done: false, waiting, photos: photos_waiting, attention };
    await session.wire.call("DELETE", "/sessions").catch(() => undefined); // without a network the token just runs out
    this.close("none");
    await this.door.wipe(false);
    this.line.tell({ kind: "wiped" });
    this.lock.value = { state: "none", failures: 0, wait_seconds: 0 };
    return { done: true };
  }

  // ---- What screens watch -----------------------------------------------------------------------------------------

  report(id: string): ReadonlySignal<Report | null> {
    return this.shown.report(id);
  }

  checklist(versionId: string): ChecklistVersion | null {
    return this.checklists.value.find((version) => version.id === versionId) ?? null;
  }

  async reference(slug: string): Promise<ReferenceEntry[]> {
    return this.opened().reference(slug);
  }

  // ---- Work -------------------------------------------------------------------------------------------------------

  beginReport(versionId: string, header: Header = {}, posting?: string): string {
    const version = this.checklist(versionId);
    if (!version) throw new EngineError("unknown-checklist");
    const [only] = this.postings.value;
    return this.opened().work.begin(version, posting ?? only?.id ?? null, header);
  }

  saveAnswer(report: string, step: string, answer: Answer | null): void {
    this.touch();
    this.opened().work.saveAnswer(this.known(report), step, answer);
  }

  keepUnfinished(report: string, step: string, answer: Answer | null): void {
    this.touch();
    this.opened().work.keepUnfinished(this.known(report), step, answer);
  }

  saveHeader(report: string, header: Partial<Header>): void {
    this.touch();
    this.opened().work.saveHeader(this.known(report), header);
  }

  async flush(): Promise<void> {
    await this.session?.flush();
  }

  async addPhoto(report: string, step: string, picture: Blob, source: "camera" | "gallery"): Promise<string> {
    this.touch();
    const known = this.known(report);
    if (!known.is_editable) throw new EngineError("not-editable");
    return this.opened().addPhoto(known, step, picture, source);
  }

  removePhoto(report: string, step: string, photo: string): void {
    const { work } = this.opened();
    void work.removePhoto(this.known(report), step, photo).catch((error: unknown) => this.failed(error));
  }

  async thumbnail(photo: string): Promise<Blob | null> {
    return this.opened().photos.thumbnail(photo);
  }

  async picture(photo: string): Promise<Blob | null> {
    return this.opened().photos.picture(photo);
  }

  warmPosition(): void {
    warmPosition();
  }

  async submit(report: string, header: Partial<Header> = {}): Promise<void> {
    this.touch();
    await this.opened().work.submit(this.known(report), header);
  }

  async discard(report: string): Promise<void> {
    await this.opened().work.discard(this.known(report));
  }

  async decide(trouble: string, how: "insist" | "give_way"): Promise<void> {
    const { work, photos } = this.opened();
    const photo = trouble.startsWith("photo:") ? trouble.slice(6) : null;
    if (photo && how === "give_way") await work.forgetPhotos([photo]);
    else if (photo) await photos.note(photo, { state: "declared", location: null, sent: 0, verdict: null, missed: false });
    else if (how === "insist") await work.insist(trouble);
    else await work.giveWay(trouble);
    await this.session?.mirror.loadPhotos();
    this.rebuild(null);
    this.session?.sync.kick();
  }

  async retry(trouble: string): Promise<void> {
    await this.decide(trouble, "insist");
  }

  async exportStuckWork(): Promise<Blob> {
    const session = this.opened();
    await session.flush();
    return exported(session, this.device.value, this.clock);
  }

  // ---- Sync and the rest ------------------------------------------------------------------------------------------

  async syncNow(): Promise<void> {
    const { wire, sync } = this.opened();
    const { phase } = this.sync.value;
    if (phase === "idle" || phase === "pausing") this.shown.note({ phase: "pulling", next_in: null }); // from this moment on
    sync.kick();
    this.line.tell({ kind: "kick" });
    void lookForUpdate();
    if (await reconcile(this.db, wire).catch(() => 0)) {
      await this.session?.mirror.loadPhotos();
      sync.kick();
    }
  }

  setPrefs(prefs: Partial<Prefs>): void {
    this.prefs.value = { ...this.prefs.value, ...prefs };
    writePrefs(this.prefs.value);
  }

  async refreshStorage(): Promise<void> {
    const manager = globalThis.navigator?.storage;
    const [estimate, persisted] = await Promise.all([manager?.estimate?.(), manager?.persisted?.()]);
    const here = [...(this.session?.mirror.photos.values() ?? [])].filter((photo) => photo.chunks > 0);
    this.storage.value = {
      used: estimate?.usage ?? 0,
      quota: estimate?.quota ?? 0,
      persisted: persisted ?? false,
      photo_bytes: here.reduce((sum, photo) => sum + photo.size, 0),
    };
  }

  async applyUpdate(): Promise<void> {
    await this.flush();
    await applyUpdate();
  }

  // ---- Inside -----------------------------------------------------------------------------------------------------

  /** Open the door: the first screen stands when this is over; older reports and the server come right after. */
  private async open(vault: Vault, read: ReadAhead): Promise<void> {
    const session = new Session(this.db, vault, this.clock, this.listener(), this.setting.fetcher);
    const rest = await session.mirror.loadFirst(read);
    this.session = session;
    this.device.value = await this.door.facts(vault);
    this.lease.value = await this.door.lease();
    const heard = await this.db.get<{ at: string; wall: number }>("heard");
    this.lastHeard = heard ?? null;
    this.shown.begin(!heard, heard?.at ?? null);
    this.touch();
    this.rebuild(null);
    this.lock.value = { state: "open", failures: 0, wait_seconds: 0 };
    void this.refreshStorage();
    void rest()
      .then(() => {
        if (this.session !== session) return;
        this.rebuild(null);
        if (typeof document === "undefined" || !document.hidden) session.sync.start();
      })
      .catch((error: unknown) => this.failed(error));
  }

  private close(state: Lock["state"]): void {
    void this.session?.sync.stop();
    this.session = null;
    this.shown.clear();
    this.finds.clear();
    this.device.value = null;
    this.lock.value = { ...this.lock.value, state };
  }

  private listener(): Listener {
    return {
      look: (id) => this.shown.look(id),
      rule: (report, step) => this.shown.rule(report, step),
      reports: (ids) => {
        this.rebuild(ids);
        this.tellOthers();
      },
      page: (page) => this.shown.noteFirst(page.changes.length, this.session?.wire.received),
      brought: (rows, all) => this.shown.noteFirst(rows, this.session?.wire.received, all),
      waits: () => this.line.tell({ kind: "kick" }),
      heard: () => {
        if (this.sync.value.error?.code === "offline") this.shown.note({ error: null });
      },
      failed: (fault) => this.failed(fault),
      wipe: () => this.wipe(),
      watcher: {
        phase: (phase, nextIn = null) => this.shown.note({ phase, next_in: nextIn }),
        failed: (code, detail) => this.shown.note({ error: { code, detail } }),
        done: (serverTime) => this.heardFromServer(serverTime),
        changed: async () => {
          await Promise.all([this.session?.mirror.loadOutbox(), this.session?.mirror.loadPhotos()]);
          this.rebuild(null);
          await this.tidy();
          this.tellOthers();
        },
        wiped: () => undefined,
      },
    };
  }

  /** Everything is in step: note when, by the server's word. */
  private async heardFromServer(serverTime: string | null): Promise<void> {
    const at = serverTime ?? this.lastHeard?.at ?? "";
    this.lastHeard = { at, wall: this.clock.now() };
    await this.db.put({ heard: this.lastHeard });
    this.lease.value = await this.door.heard();
    const first = this.sync.value.first ? { ...this.sync.value.first, done: true } : null;
    this.shown.note({ error: null, last_sync_at: at, last_sync_age: 0, first });
  }

  private async wipe(): Promise<void> {
    const erased = this.door.wipe(true); // its mark is set at once, so an erasure that is cut short ends at the next start
    this.close("wiped");
    await erased;
    await this.shutOut();
    this.line.tell({ kind: "wiped" });
  }

  private async shutOut(): Promise<void> {
    this.close("wiped");
    this.shown.forget();
    const state = await this.door.state().catch(() => "wiped" as const);
    this.lock.value = { state: state === "none" ? "none" : "wiped", failures: 0, wait_seconds: 0 };
  }

  private rebuild(ids: string[] | null): void {
    const { session } = this;
    if (!session) return;
    this.finds.rebuild(session, ids, this.shown.isPushing, this.lease.value === "all_locked");
    this.shown.rebuild(session.mirror, ids, this.lease.value, this.finds.troubles.value.length);
  }

  private async tidy(): Promise<void> {
    const { session } = this;
    if (!session?.mirror.isWhole || !(await this.finds.isReady())) return;
    const reports = this.shown.all();
    const finds = this.finds.ids(session);
    if (!finds || session !== this.session) return;
    const unfinished = reports.filter((report) => report.is_editable || !report.is_saved_on_server);
    await session.mirror.tidy(
      new Set(unfinished.map((report) => report.checklist_version)),
      new Set([...session.mirror.unsaved.keys(), ...reports.map((report) => report.id), ...finds]),
    );
    for (const report of unfinished) {
      const version = this.checklist(report.checklist_version);
      if (version) await session.mirror.keep(version);
    }
  }

  /** Tell other tabs, not for every stroke. */
  private tellOthers(): void {
    this.word ??= setTimeout(() => {
      this.word = undefined;
      this.line.tell({ kind: "changed" });
    }, WORD_EVERY_MS);
  }

  /** Another tab has written. */
  private async reload(): Promise<void> {
    const { session } = this;
    if (!session || this.reloading) return;
    this.reloading = session.reload().finally(() => {
      this.reloading = null;
    });
    await this.reloading;
  }

  private failed(error: unknown): void {
    const [code, detail] = error instanceof EngineError ? (["storage", error.code] as const) : codeOf(error);
    this.shown.note({ error: { code, detail } });
  }

  private async tick(): Promise<void> {
    const { lock, session } = this;
    if (lock.value.wait_seconds > 0) {
      const left: Failures = await this.door.waited(1);
      lock.value = { ...lock.value, ...left };
    }
    if (!session) return;
    const { next_in } = this.sync.value;
    if (next_in !== null) this.sync.value = { ...this.sync.value, next_in: Math.max(0, next_in - 1) };
    if (this.lastHeard && !(this.leaseTicks % 10))
      this.sync.value = { ...this.sync.value, last_sync_age: Math.max(0, this.clock.now() - this.lastHeard.wall) };
    const idle = (performance.now() - this.lastTouch) / 1000;
    if (idle >= (this.setting.idle_seconds ?? IDLE_SECONDS)) this.lockNow();
    this.leaseTicks += 1;
    if (this.leaseTicks % LEASE_EVERY === 0) {
      const lease = await this.door.lease();
      if (lease !== this.lease.value) {
        this.lease.value = lease;
        this.rebuild(null);
      }
    }
  }

  private inFront(): void {
    if (!this.session) return;
    if (document.hidden) {
      void this.session.flush().catch(() => undefined);
      void this.session.sync.stop();
    } else {
      if (this.session.mirror.isWhole) this.session.sync.start();
      void lookForUpdate();
    }
  }

  private opened(): Session {
    if (!this.session) throw new EngineError("locked");
    return this.session;
  }

  private known(id: string): Report {
    const report = this.shown.look(id);
    if (!report) throw new EngineError("unknown-report");
    return report;
  }
}
