/**
 * What is open in memory while the phone is unlocked: base records, outbox, photos, and edits not stored yet.
 *
 * The database is the truth; this is its opened copy, brought up to date after every write of this tab and at the word
 * of another. `reports.ts` makes of it what officers see.
 */

import { type BaseRecord, type Change, opened, records, recordsById, type Sealed, sealedRecords } from "./base.ts";
import type { Db } from "./db.ts";
import type { Opened, Outbox } from "./outbox.ts";
import type { Fields } from "./overlay.ts";
import type { OpenedPhoto, Photos } from "./photos.ts";
import type { Answer, ChecklistVersion } from "./types.ts";
import type { Vault } from "./vault.ts";

/** What only this phone knows of a report: when it was begun and changed, by its own clock, and what is half said. */
export interface Local {
  begun_at: string | null;
  changed_at: string;
  /** Answers that are not in order yet, by step: kept here, never sent. */
  unfinished?: Record<string, Answer>;
  /** A custody form that is half filled in; the key is its record's id, and which form it is. */
  form?: Fields;
}
/** A photo that is being developed. */
export interface Developing {
  id: string;
  report: string;
  step: string;
  purpose: string;
  capture_mode: "in_app" | "import";
  size: number;
  mime: string;
}

const HELD = ["inspection", "seizure", "exhibit", "hand_over", "attachment", "checklist", "posting"] as const;
type Held = (typeof HELD)[number];
/** How many reports the first screen is made of. */
const FIRST = 60;
const aboutLocal = (id: string) => `local|${id}`;
const aboutKept = (id: string) => `kept|${id}`;

/** Records on their way from the store, sealed: read while the PIN is being tried, because neither waits for the other. */
export type ReadAhead = Record<Held, Promise<Sealed>>;

export function readAhead(db: Db): ReadAhead {
  const read = (kind: Held): Promise<Sealed> => {
    const reading = sealedRecords(db, kind);
    reading.catch(() => undefined); // told to whoever awaits it, if the PIN was right
    return reading;
  };
  return Object.fromEntries(HELD.map((kind) => [kind, read(kind)])) as ReadAhead;
}

export class Mirror {
  readonly inspection = new Map<string, BaseRecord>();
  readonly seizure = new Map<string, BaseRecord>();
  readonly exhibit = new Map<string, BaseRecord>();
  readonly hand_over = new Map<string, BaseRecord>();
  readonly attachment = new Map<string, BaseRecord>();
  readonly checklist = new Map<string, BaseRecord>();
  readonly posting = new Map<string, BaseRecord>();
  readonly local = new Map<string, Local>();
  readonly kept = new Map<string, ChecklistVersion>();
  readonly photos = new Map<string, OpenedPhoto>();
  readonly developing = new Map<string, Developing>();
  /** Edits that are not in the outbox yet, by report. */
  readonly unsaved = new Map<string, Fields>();
  readonly unsavedSeizures = new Map<string, Fields>();
  /** Rows of the outbox by the record they are about, in order. */
  outbox = new Map<string, Opened[]>();
  /** Every report that is on the phone is open; before that, none may be missed. */
  isWhole = false;
  refusals = new Map<string, Fields>();
  private readonly begun = new Map<string, number>();
  private readonly shown = new Map<string, number>();

  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
    private readonly out: Outbox,
    private readonly pictures: Photos,
  ) {}

  /** Open everything: whenever another tab has written. */
  async load(): Promise<void> {
    await Promise.all([...HELD.map((kind) => this.loadKind(kind)), this.loadSmall()]);
    this.isWhole = true;
  }

  /**
   * Open, of what was read while the PIN was tried, what the first screen needs: all unsent work, the newest reports (ids
   * are times). Gives the way to open the rest, which nobody who holds the phone has to wait for.
   */
  async loadFirst(read: ReadAhead): Promise<() => Promise<void>> {
    const [inspections] = await Promise.all([read.inspection, this.loadSmall()]);
    const newest = inspections.toSorted(([one], [other]) => (one.id < other.id ? 1 : -1));
    const first = newest.filter(([row], i) => i < FIRST || this.outbox.has(row.id) || this.local.has(row.id));
    await Promise.all([
      ...(["seizure", "exhibit", "hand_over", "checklist", "posting", "attachment"] as const).map((kind) => this.loadKind(kind, read[kind])),
      this.loadKind("inspection", Promise.resolve(first)),
    ]);
    return async () => {
      if (newest.length > first.length) await this.loadKind("inspection");
      this.isWhole = true;
    };
  }

  private async loadSmall(): Promise<void> {
    await Promise.all([this.loadLocal(), this.loadKept(), this.loadOutbox(), this.loadPhotos()]);
  }

  /** Take over what a page has changed. */
  async follow(changes: Change[], isWhole: boolean): Promise<void> {
    if (isWhole) {
      await Promise.all(HELD.map((kind) => this.loadKind(kind)));
    } else {
      const ids = new Set(changes.filter((one) => isHeld(one.k)).map((one) => one.id));
      const found = await recordsById(this.db, this.vault, [...ids]);
      for (const { k, id } of changes) if (isHeld(k)) this[k].delete(id);
      for (const record of found) if (isHeld(record.kind)) this[record.kind].set(record.id, record);
    }
    await this.loadPhotos();
  }

  async loadOutbox(): Promise<void> {
    await this.newest("outbox", this.out.all(), (all) => {
      this.outbox = new Map();
      for (const row of all) {
        const mine = this.outbox.get(row.object);
        if (mine) mine.push(row);
        else this.outbox.set(row.object, [row]);
      }
    });
  }

  async loadPhotos(): Promise<void> {
    await this.newest("photos", this.readPhotos(), ([all, refusals]) => {
      this.photos.clear();
      for (const photo of all) this.photos.set(photo.id, photo);
      this.refusals = new Map(refusals);
    });
  }

  private async readPhotos() {
    const all = await this.pictures.all();
    const refused = all.filter((photo) => photo.state === "attention");
    return [all, await Promise.all(refused.map(async (one) => [one.id, await this.pictures.refusal(one)] as const))] as const;
  }

  /** Take over what was read unless a reading that began later has been taken over: it knows more. */
  private async newest<T>(what: string, reading: Promise<T>, take: (read: T) => void): Promise<void> {
    const mine = (this.begun.get(what) ?? 0) + 1;
    this.begun.set(what, mine);
    const read = await reading;
    if (mine < (this.shown.get(what) ?? 0)) return;
    this.shown.set(what, mine);
    take(read);
  }

  sealLocal(id: string, local: Local) {
    return this.vault.seal(local, aboutLocal(id));
  }

  /** Hold on to a version that a report here was begun with, whatever becomes of it in the stream. */
  async keep(version: ChecklistVersion): Promise<void> {
    if (this.kept.has(version.id)) return;
    this.kept.set(version.id, version);
    const sealed = await this.vault.seal(version, aboutKept(version.id));
    await this.db.write(["kept"], (tx) => tx.objectStore("kept").put(sealed, version.id));
  }

  /** Let go of kept versions and local facts that no report here needs any more. */
  async tidy(versions: Set<string>, reports: Set<string>): Promise<void> {
    const gone = [...this.kept.keys()].filter((id) => !versions.has(id));
    const isHeld = (id: string): boolean => reports.has(id) || HELD.some((kind) => this[kind].has(id)) || this.outbox.has(id);
    const over = [...this.local.keys()].filter((key) => !isHeld(key.split("/", 1)[0] as string));
    if (!gone.length && !over.length) return;
    await this.db.write(["kept", "local"], async (tx) => {
      await Promise.all(gone.map((id) => tx.objectStore("kept").delete(id)));
      await Promise.all(over.map((id) => tx.objectStore("local").delete(id)));
    });
    for (const id of gone) this.kept.delete(id);
    for (const id of over) this.local.delete(id);
  }

  private async loadKind(kind: Held, read?: Promise<Sealed>): Promise<void> {
    const reading = read ? read.then((found) => opened(this.vault, found)) : records(this.db, this.vault, kind);
    await this.newest(kind, reading, (found) => {
      this[kind].clear();
      for (const record of found) this[kind].set(record.id, record);
    });
  }

  private async loadLocal(): Promise<void> {
    const [ids, sealed] = await this.db.read(["local"], async (tx) => {
      const table = tx.objectStore("local");
      return Promise.all([table.getAllKeys(), table.getAll()]);
    });
    this.local.clear();
    const open = ids.map((id, i) => this.vault.open<Local>(sealed[i] as Uint8Array<ArrayBuffer>, aboutLocal(id)));
    for (const [i, local] of (await Promise.all(open)).entries()) this.local.set(ids[i] as string, local);
  }

  private async loadKept(): Promise<void> {
    const [ids, sealed] = await this.db.read(["kept"], async (tx) => {
      const table = tx.objectStore("kept");
      return Promise.all([table.getAllKeys(), table.getAll()]);
    });
    this.kept.clear();
    const open = ids.map((id, i) =>
      this.vault.open<ChecklistVersion>(sealed[i] as Uint8Array<ArrayBuffer>, aboutKept(id)),
    );
    for (const version of await Promise.all(open)) this.kept.set(version.id, version);
  }
}

function isHeld(kind: string): kind is Held {
  return (HELD as readonly string[]).includes(kind);
}
