/**
 * The phone's database: its tables, and a connection that is opened once more when the system has taken it away.
 *
 * In plain view stand ids, revisions, states and numbers only; whatever has content is sealed (`vault.ts`). Browsers end
 * a transaction at the first wait for anything else, so callers seal before they write and open after they have read.
 */

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, type StoreNames } from "idb";
import type { Bytes } from "./bytes.ts";

export const NAME = "haidang-field";
const VERSION = 2;

export type RowKey = [stream: string, kind: string, id: string];
export interface BaseRow {
  s: string;
  k: string;
  id: string;
  rev: number;
  /** Digest of kind, id and revision. */
  h: number;
  /** Which load of the stream brought it. */
  g: number;
}
export interface StreamRow {
  s: string;
  g: number;
  /** Count and digest that were right last time. */
  n?: number;
  h?: number;
}
export type OutboxState = "waiting" | "sent" | "done" | "attention" | "answered";
export interface OutboxRow {
  seq?: number;
  id: string;
  type: string;
  object: string;
  state: OutboxState;
  base_rev: number | null;
  depends: string[];
  device_seq: number | null;
  tries: number;
  retry_at: number;
  /** Revision it made, once applied. */
  rev: number | null;
  /** Sealed: `{ fields, made_at }`. */
  work: Bytes;
  /** Sealed: the server's verdict. */
  verdict: Bytes | null;
}
export interface JournalRow {
  seq?: number;
  id: string;
  object: string;
  rev: number | null;
  /** The revision that it named itself; missing on older rows. */
  made_on?: number | null;
  acked_at: number;
  /** Sealed: the mutation as it was sent. */
  body: Bytes;
}
export type PhotoRowState = "waiting" | "declared" | "sending" | "sent" | "stored" | "attention";
export interface PhotoRow {
  id: string;
  report: string;
  state: PhotoRowState;
  sha256: string;
  size: number;
  /** How many bytes the server is known to have. */
  sent: number;
  location: string | null;
  chunks: number;
  /** Sealed: step, mime, mode, time, width, height. */
  facts: Bytes;
  thumbnail: Bytes | null;
  verdict: Bytes | null;
  /** A receipt was checked that names this hash and length; missing on rows older than receipts. */
  receipt?: boolean;
  /** The server did not know of it, and its declaration was asked to be sent again. */
  missed?: boolean;
}

export interface ManifestPart {
  sha256: string;
  /** Records whose id ends in this byte, up to the next part's, are in it. */
  byte: number;
  bytes: number;
  rows: number;
}
export interface Manifest {
  seq: number;
  n: number;
  parts: ManifestPart[];
}
/** A stream that is loaded from a snapshot; `loaded` is the number it stands at, once all parts are here. */
export interface SnapshotRow {
  s: string;
  manifest: Manifest | null;
  loaded: number | null;
}
/** A part that is here, with the last bytes of ids it has: from `from`, below `to`. */
export interface PartRow {
  s: string;
  sha256: string;
  from: number;
  to: number;
}

export interface Tables extends DBSchema {
  meta: { key: string; value: unknown };
  base: { key: RowKey; value: BaseRow; indexes: { id: string; load: [string, number]; kind: string } };
  body: { key: RowKey; value: Bytes };
  stream: { key: string; value: StreamRow };
  outbox: { key: number; value: OutboxRow; indexes: { id: string; object: string; state: string } };
  journal: { key: number; value: JournalRow; indexes: { id: string; object: string } };
  photo: { key: string; value: PhotoRow; indexes: { report: string; state: string } };
  chunk: { key: [photo: string, n: number]; value: Bytes };
  /** Sealed, by report: when it was begun and changed, by this phone's clock. */
  local: { key: string; value: Bytes };
  /** Sealed, by version id: checklists that a report here was begun with. */
  kept: { key: string; value: Bytes };
  snapshot: { key: string; value: SnapshotRow };
  part: { key: [stream: string, sha256: string]; value: PartRow; indexes: { s: string } };
}
export type Table = StoreNames<Tables>;
export const TABLES: Table[] = [
  "meta",
  "base",
  "body",
  "stream",
  "outbox",
  "journal",
  "photo",
  "chunk",
  "local",
  "kept",
  "snapshot",
  "part",
];
export type Transaction<Mode extends IDBTransactionMode = "readwrite"> = IDBPTransaction<Tables, Table[], Mode>;

export class Db {
  private connection: Promise<IDBPDatabase<Tables>> | null = null;
  private erasure: Promise<void> | null = null;
  private isErased = false;

  constructor(private readonly name = NAME) {}

  /** Read in one moment. */
  async read<T>(tables: Table[], work: (tx: Transaction<"readonly">) => Promise<T>): Promise<T> {
    return this.patiently((db) => work(db.transaction(tables, "readonly")));
  }

  /** Write all or nothing; `work` may run twice when the connection was lost, so it must not mind. */
  async write<T>(tables: Table[], work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.patiently(async (db) => {
      const tx = db.transaction(tables, "readwrite", { durability: "strict" });
      try {
        const result = await work(tx);
        await tx.done;
        return result;
      } catch (error) {
        await abort(tx);
        throw error;
      }
    });
  }

  async get<T>(key: string): Promise<T | undefined> {
    if (this.isErased) return undefined;
    return this.read(["meta"], async (tx) => (await tx.objectStore("meta").get(key)) as T | undefined);
  }

  async put(entries: Record<string, unknown>): Promise<void> {
    await this.write(["meta"], async (tx) => {
      const meta = tx.objectStore("meta");
      await Promise.all(
        Object.entries(entries).map(([key, value]) => (value === undefined ? meta.delete(key) : meta.put(value, key))),
      );
    });
  }

  /** Erase every row, then the database itself; whoever comes late writes nothing into it before it is begun again. */
  async erase(): Promise<void> {
    this.erasure ??= this.isErased ? Promise.resolve() : this.eraseAll();
    await this.erasure;
  }

  /** Let an erased database be filled again: another enrolment begins. */
  async begin(): Promise<void> {
    await this.erasure;
    this.isErased = false;
    this.erasure = null;
  }

  private async eraseAll(): Promise<void> {
    await this.write(TABLES, async (tx) => {
      await Promise.all(TABLES.map((table) => tx.objectStore(table).clear()));
    });
    this.isErased = true;
    await this.close();
    await new Promise<void>((resolve) => {
      const asked = indexedDB.deleteDatabase(this.name);
      asked.onsuccess = asked.onerror = asked.onblocked = () => resolve();
    });
  }

  private async close(): Promise<void> {
    (await this.connection?.catch(() => null))?.close();
    this.connection = null;
  }

  private async patiently<T>(work: (db: IDBPDatabase<Tables>) => Promise<T>): Promise<T> {
    try {
      return await work(await this.open());
    } catch (error) {
      if (!isLost(error)) throw error;
      await this.close();
      return work(await this.open());
    }
  }

  private async open(): Promise<IDBPDatabase<Tables>> {
    if (this.isErased) throw new DOMException("erased", "NotFoundError");
    this.connection ??= openDB<Tables>(this.name, VERSION, {
      upgrade,
      blocking: (_old, fresh, event) => {
        this.isErased ||= fresh === null; // by another tab
        (event.target as IDBDatabase).close();
        this.connection = null;
      },
      terminated: () => {
        this.connection = null;
      },
    });
    this.connection.catch(() => {
      this.connection = null;
    });
    return this.connection;
  }
}

function upgrade(db: IDBPDatabase<Tables>, from: number): void {
  if (from < 1) firstTables(db);
  db.createObjectStore("snapshot", { keyPath: "s" });
  db.createObjectStore("part", { keyPath: ["s", "sha256"] }).createIndex("s", "s");
}

function firstTables(db: IDBPDatabase<Tables>): void {
  db.createObjectStore("meta");
  const base = db.createObjectStore("base", { keyPath: ["s", "k", "id"] });
  base.createIndex("id", "id");
  base.createIndex("load", ["s", "g"]);
  base.createIndex("kind", "k");
  db.createObjectStore("body");
  db.createObjectStore("stream", { keyPath: "s" });
  const outbox = db.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true });
  outbox.createIndex("id", "id", { unique: true });
  outbox.createIndex("object", "object");
  outbox.createIndex("state", "state");
  const journal = db.createObjectStore("journal", { keyPath: "seq", autoIncrement: true });
  journal.createIndex("id", "id", { unique: true });
  journal.createIndex("object", "object");
  const photo = db.createObjectStore("photo", { keyPath: "id" });
  photo.createIndex("report", "report");
  photo.createIndex("state", "state");
  db.createObjectStore("chunk");
  db.createObjectStore("local");
  db.createObjectStore("kept");
}

/** iOS takes connections away from pages in the background; others close them when the store is under pressure. */
function isLost(error: unknown): boolean {
  if (!(error instanceof DOMException)) return false;
  if (error.name === "InvalidStateError") return true;
  return error.name === "UnknownError" && /connection|lost/i.test(error.message);
}

async function abort(tx: Transaction): Promise<void> {
  try {
    tx.abort();
  } catch {
    // it has ended already
  }
  await tx.done.catch(() => undefined);
}
