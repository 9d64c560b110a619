/**
 * The base tables: what the server said, and the rules by which a page of a pull enters them (docs/sync.md).
 *
 * A page and its cursor are one local transaction. A stream that loads anew gets a new generation; the old rows are
 * swept when count and digest of the new ones agree with the server's, and never otherwise. Unsent work is elsewhere.
 */

import type { Bytes } from "./bytes.ts";
import type { BaseRow, Db, RowKey, Transaction } from "./db.ts";
import { rowDigest, sumDigests } from "./digest.ts";
import { noteLoads } from "./loads.ts";
import type { Json } from "./types.ts";
import type { Vault } from "./vault.ts";

export type Body = { [key: string]: Json };
export interface Change {
  s: string;
  k: string;
  id: string;
  rev?: number;
  op: "put" | "del";
  body?: Body;
}
export interface Page {
  epoch: string;
  cursor: string;
  more: boolean;
  drop: string[];
  reset: string[];
  snapshot?: string[];
  changes: Change[];
  complete: Record<string, { seq?: number; n: number; h: number }>;
}
export interface BaseRecord {
  id: string;
  kind: string;
  rev: number;
  body: Body;
}

/** A change that brings a record. */
export type Line = Pick<Change, "k" | "id" | "rev" | "body">;
interface Put {
  row: Omit<BaseRow, "g">;
  body: Bytes;
}

const TABLES = ["meta", "base", "body", "stream", "photo", "snapshot", "part"] as const;
/** Sorts after every text: the end of all keys that begin alike. */
const END: IDBValidKey = [];

/** Write a page with its cursor; gives the streams whose self-check failed. */
export async function takePage(db: Db, vault: Vault, page: Page): Promise<string[]> {
  const puts = await Promise.all(page.changes.map((change) => (change.op === "put" ? seal(vault, change) : null)));
  return db.write([...TABLES], async (tx) => {
    const cursor = await tx.objectStore("meta").get("cursor");
    if (!cursor) await dropUnnamed(tx, new Set(page.reset));
    for (const stream of page.drop) await drop(tx, stream);
    for (const stream of page.reset) await beginLoad(tx, stream);
    const loads = await generations(tx);
    for (const { s } of page.changes)
      if (!loads.has(s)) {
        loads.set(s, 0);
        await tx.objectStore("stream").put({ s, g: 0 });
      }
    await Promise.all(page.changes.map((change, i) => enter(tx, change, puts[i] ?? null, loads)));
    const touched = new Set(page.changes.map((change) => change.s));
    const wrong: string[] = [];
    for (const [stream, told] of Object.entries(page.complete)) {
      const agreed = await agrees(tx, stream, told, touched.has(stream) || page.reset.includes(stream));
      if (agreed) await sweep(tx, stream, loads.get(stream) ?? 0);
      else wrong.push(stream);
    }
    await noteLoads(tx, page);
    const meta = tx.objectStore("meta");
    await meta.put(page.cursor, "cursor");
    await meta.put(page.epoch, "epoch");
    return wrong;
  });
}

/** Rows with their sealed bodies, as they lie in the store. */
export type Sealed = (readonly [BaseRow, Bytes | undefined])[];

/** Read the records of one kind without opening them, which needs no key. */
export async function sealedRecords(db: Db, kind: string): Promise<Sealed> {
  return db.read(["base", "body", "stream"], async (tx) => {
    const streams = await tx.objectStore("stream").getAllKeys();
    return (await Promise.all(streams.map((stream) => pairs(tx, [stream, kind])))).flat();
  });
}

/** Read and open the records of one kind; a record that stands in two streams is given once, at its newest. */
export async function records(db: Db, vault: Vault, kind: string): Promise<BaseRecord[]> {
  return opened(vault, await sealedRecords(db, kind));
}

/** Read and open the records of one stream. */
export async function recordsOfStream(db: Db, vault: Vault, stream: string): Promise<BaseRecord[]> {
  return opened(vault, await db.read(["base", "body"], (tx) => pairs(tx, [stream])));
}

/** Rows and their sealed bodies, of all keys that begin so; both tables have the same keys in the same order. */
async function pairs(tx: Transaction<"readonly">, begin: string[]): Promise<Sealed> {
  const range = IDBKeyRange.bound(begin, [...begin, END]);
  const [rows, bodies] = await Promise.all([
    tx.objectStore("base").getAll(range),
    tx.objectStore("body").getAll(range),
  ]);
  return rows.map((row, i) => [row, bodies[i]] as const);
}

/** Read and open single records, by id; those that are not there any more are missing from the answer. */
export async function recordsById(db: Db, vault: Vault, ids: string[]): Promise<BaseRecord[]> {
  const found = await db.read(["base", "body"], async (tx) => {
    const rows = (await Promise.all(ids.map((id) => tx.objectStore("base").index("id").getAll(id)))).flat();
    const bodies = await Promise.all(rows.map((row) => tx.objectStore("body").get(key(row))));
    return rows.map((row, i) => [row, bodies[i]] as const);
  });
  return opened(vault, found);
}

/** How many rows are held, of all streams. */
export async function countRows(db: Db): Promise<number> {
  return db.read(["base"], (tx) => tx.objectStore("base").count());
}

/** The newest revision of a record that was pulled; 0 when there is none. To be called inside a transaction. */
export async function pulledRev(tx: Transaction<"readonly"> | Transaction, id: string): Promise<number> {
  const rows = await tx.objectStore("base").index("id").getAll(id);
  return rows.reduce((newest, row) => Math.max(newest, row.rev), 0);
}

/** Open records; of those that stand in two streams, the newest. */
export async function opened(vault: Vault, found: Sealed): Promise<BaseRecord[]> {
  const all = await Promise.all(
    found.map(async ([row, body]) =>
      body ? { id: row.id, kind: row.k, rev: row.rev, body: await vault.open<Body>(body, about(row)) } : null,
    ),
  );
  const newest = new Map<string, BaseRecord>();
  for (const record of all) {
    const held = record && newest.get(`${record.kind}|${record.id}`);
    if (record && !(held && held.rev > record.rev)) newest.set(`${record.kind}|${record.id}`, record);
  }
  return [...newest.values()];
}

/** Seal a record for its place in the base. */
export async function seal(vault: Vault, change: Line & { s: string }): Promise<Put> {
  const rev = change.rev ?? 0;
  const row = { s: change.s, k: change.k, id: change.id, rev, h: await rowDigest(change.k, change.id, rev) };
  return { row, body: await vault.seal(change.body ?? {}, about(row)) };
}

async function enter(tx: Transaction, change: Change, put: Put | null, loads: Map<string, number>): Promise<void> {
  const at: RowKey = [change.s, change.k, change.id];
  if (!put) {
    await Promise.all([tx.objectStore("base").delete(at), tx.objectStore("body").delete(at)]);
    return;
  }
  const g = loads.get(change.s) ?? 0;
  await Promise.all([tx.objectStore("base").put({ ...put.row, g }), tx.objectStore("body").put(put.body, at)]);
  if (change.k === "attachment") await noteStored(tx, change);
}

/** Note that the server has a photo: it has said `stored` with the same hash. Nothing else frees the copy. */
async function noteStored(tx: Transaction, change: Change): Promise<void> {
  if (change.body?.state !== "stored") return;
  const photos = tx.objectStore("photo");
  const mine = await photos.get(change.id);
  if (mine && mine.sha256 === change.body?.sha256) await photos.put({ ...mine, state: "stored", sent: mine.size });
}

/** A load of everything names all streams of this phone: one that is held and not named has been taken away. */
async function dropUnnamed(tx: Transaction, named: Set<string>): Promise<void> {
  const held = new Set(await tx.objectStore("stream").getAllKeys());
  for (const row of await tx.objectStore("base").index("load").getAllKeys()) held.add((row as unknown as RowKey)[0]);
  for (const stream of held) if (!named.has(stream)) await drop(tx, stream);
}

async function drop(tx: Transaction, stream: string): Promise<void> {
  const range = IDBKeyRange.bound([stream], [stream, END]);
  await Promise.all([
    tx.objectStore("base").delete(range),
    tx.objectStore("body").delete(range),
    tx.objectStore("stream").delete(stream),
  ]);
}

async function beginLoad(tx: Transaction, stream: string): Promise<void> {
  const streams = tx.objectStore("stream");
  const held = await streams.get(stream);
  await streams.put({ s: stream, g: (held?.g ?? 0) + 1 });
}

async function generations(tx: Transaction): Promise<Map<string, number>> {
  return new Map((await tx.objectStore("stream").getAll()).map((row) => [row.s, row.g]));
}

/** Compare the newest load of a stream with the server's count and digest; what has not changed since is as it was. */
async function agrees(
  tx: Transaction,
  stream: string,
  told: { n: number; h: number },
  mayDiffer: boolean,
): Promise<boolean> {
  const streams = tx.objectStore("stream");
  const held = (await streams.get(stream)) ?? { s: stream, g: 0 };
  if (!mayDiffer && held.n === told.n && held.h === told.h) return true;
  const rows = await tx.objectStore("base").index("load").getAll([stream, held.g]);
  const is = { n: rows.length, h: sumDigests(rows.map((row) => row.h)) };
  await streams.put({ s: stream, g: held.g, ...is });
  return is.n === told.n && is.h === told.h;
}

async function sweep(tx: Transaction, stream: string, load: number): Promise<void> {
  const older = IDBKeyRange.bound([stream, -1], [stream, load], false, true);
  const keys = await tx.objectStore("base").index("load").getAllKeys(older);
  await Promise.all(keys.flatMap((at) => [tx.objectStore("base").delete(at), tx.objectStore("body").delete(at)]));
}

const key = (row: { s: string; k: string; id: string }): RowKey => [row.s, row.k, row.id];
const about = (row: { s: string; k: string; id: string }): string => `base|${row.s}|${row.k}|${row.id}`;
