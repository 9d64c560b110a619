/** A large stream comes in parts: each checked, none twice, a cut load goes on, also with a newer manifest. */

import { gzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { openPhone, type TestPhone } from "../testing/phone.ts";
import { recordsOfStream, takePage } from "./base.ts";
import { type Bytes, concat, hex, sha256, utf8 } from "./bytes.ts";
import type { Manifest } from "./db.ts";
import { PartDamaged, Snapshots } from "./snapshots.ts";
import { ConnectionCut, Wire } from "./wire.ts";

const STREAM = "list:places";
interface Row {
  id: string;
  rev: number;
  label: string;
}
const row = (n: number, label = `nơi ${n}`): Row => ({ id: `01930000-0000-7000-8000-0000000000${n.toString(16).padStart(2, "0")}`, rev: 1, label });
const ROWS = Array.from({ length: 256 }, (_, n) => row(n));

/** A server that gives a manifest and parts, and breaks off after so many bytes when it is told to. */
class Shelf {
  manifest: Manifest | null = null;
  parts = new Map<string, Bytes>();
  asked: string[] = [];
  cutAfter = Number.POSITIVE_INFINITY;

  /** Cut rows into parts by the last byte of their ids. */
  async put(rows: Row[], parts = 32, seq = 7): Promise<void> {
    const width = 256 / parts;
    const made: Manifest["parts"] = [];
    for (let byte = 0; byte < 256; byte += width) {
      const mine = rows.filter(({ id }) => Math.floor(Number.parseInt(id.slice(-2), 16) / width) * width === byte);
      const lines = mine.map(({ id, rev, label }) => JSON.stringify({ k: "place", id, rev, body: { label: { vi: label, en: label } } }));
      const packed = new Uint8Array(gzipSync(utf8(lines.map((line) => `${line}\n`).join(""))));
      const name = hex(await sha256(packed));
      this.parts.set(name, packed);
      made.push({ sha256: name, byte, bytes: packed.length, rows: mine.length });
    }
    this.manifest = { seq, n: rows.length, parts: made };
  }

  readonly fetcher = async (path: RequestInfo | URL): Promise<Response> => {
    const names = /names=(.*)$/.exec(String(path))?.[1]?.split(",");
    if (!names) return this.manifest ? new Response(JSON.stringify(this.manifest)) : new Response("{}", { status: 404 });
    if (names.some((name) => !this.parts.has(name))) return new Response("{}", { status: 404 });
    this.asked.push(...names);
    const all = concat(...names.map((name) => this.parts.get(name) as Bytes));
    const sent = all.subarray(0, this.cutAfter);
    const isCut = sent.length < all.length;
    this.cutAfter -= sent.length;
    let given = false;
    const body = new ReadableStream({
      pull(control) {
        if (given) isCut ? control.error(new TypeError("cut")) : control.close();
        else control.enqueue(sent);
        given = true;
      },
    });
    return new Response(body);
  };
}

let phone: TestPhone;
let shelf: Shelf;
let snapshots: Snapshots;

beforeEach(async () => {
  phone = await openPhone();
  shelf = new Shelf();
  snapshots = again();
  await begins();
});

/** As after a restart: nothing but the store. */
function again(): Snapshots {
  const { db, vault, clock } = phone;
  return new Snapshots(db, vault, new Wire(db, vault, clock, async () => undefined, shelf.fetcher));
}

async function begins(): Promise<void> {
  const page = { epoch: "e", cursor: "c", more: false, drop: [], reset: [STREAM], snapshot: [STREAM], changes: [], complete: {} };
  await takePage(phone.db, phone.vault, page);
}

async function held(): Promise<string[]> {
  const found = await recordsOfStream(phone.db, phone.vault, STREAM);
  return found.map(({ body }) => (body.label as { vi: string }).vi).sort();
}

const labels = (rows: Row[]) => rows.map((one) => one.label).sort();

test("all parts are loaded, and the pull is told from where it goes on", async () => {
  await shelf.put(ROWS);
  expect(await snapshots.wish()).toEqual({ loaded: {}, later: [STREAM] });
  expect(await snapshots.load()).toEqual([STREAM]);
  expect(await held()).toEqual(labels(ROWS));
  expect(await snapshots.wish()).toEqual({ loaded: { [STREAM]: 7 }, later: [] });
  expect(await snapshots.load()).toEqual([]);
});

test("a load that is cut goes on with the next part, also after a restart", async () => {
  await shelf.put(ROWS);
  const [first, second] = shelf.manifest?.parts ?? [];
  shelf.cutAfter = (first?.bytes ?? 0) + (second?.bytes ?? 0) + 10;
  await expect(snapshots.load()).rejects.toThrow(ConnectionCut);
  expect(await held()).toHaveLength(16);
  shelf.cutAfter = Number.POSITIVE_INFINITY;
  shelf.asked = [];
  await again().load();
  expect(shelf.asked).not.toContain(first?.sha256);
  expect(shelf.asked).toHaveLength(30);
  expect(await held()).toEqual(labels(ROWS));
});

test("a part with other bytes than its name says is not taken", async () => {
  await shelf.put(ROWS);
  const third = shelf.manifest?.parts[2];
  const damaged = new Uint8Array(shelf.parts.get(third?.sha256 ?? "") as Bytes);
  damaged[damaged.length - 1] = 1 ^ (damaged.at(-1) as number);
  shelf.parts.set(third?.sha256 ?? "", damaged);
  await expect(snapshots.load()).rejects.toThrow(PartDamaged);
  expect(await held()).toHaveLength(16);
});

test("a newer manifest costs only the parts that differ, and nothing of the old ones is left", async () => {
  await shelf.put(ROWS);
  shelf.cutAfter = 3000;
  await expect(snapshots.load()).rejects.toThrow(ConnectionCut);
  const before = await held();
  expect(before.length).toBeGreaterThan(16);
  const old = new Set(shelf.asked);
  // In the first part, which is here, one renamed and one gone; in the last, which is not, one renamed.
  const changed = [row(0, "đổi tên"), ...ROWS.slice(2, 255), row(255, "đổi tên nữa")];
  shelf.parts.clear();
  await shelf.put(changed, 32, 9);
  shelf.cutAfter = Number.POSITIVE_INFINITY;
  shelf.asked = [];
  await again().load();
  expect(await held()).toEqual(labels(changed));
  expect(shelf.asked.length).toBeLessThan(32);
  expect(shelf.asked.filter((name) => old.has(name)).length).toBeLessThanOrEqual(8);
  expect((await again().wish()).loaded).toEqual({ [STREAM]: 9 });
});

test("parts of another width take the place of those before", async () => {
  await shelf.put(ROWS);
  shelf.cutAfter = 3000;
  await expect(snapshots.load()).rejects.toThrow(ConnectionCut);
  shelf.parts.clear();
  await shelf.put(ROWS.slice(4), 64, 9);
  shelf.cutAfter = Number.POSITIVE_INFINITY;
  await again().load();
  expect(await held()).toEqual(labels(ROWS.slice(4)));
});

test("without a snapshot the stream comes by pages, into a clean load", async () => {
  await shelf.put(ROWS);
  shelf.cutAfter = 1000;
  await expect(snapshots.load()).rejects.toThrow(ConnectionCut);
  shelf.manifest = null;
  shelf.parts.clear();
  expect(await again().load()).toEqual([STREAM]);
  expect(await held()).toEqual([]);
  expect(await again().wish()).toEqual({});
});

test("a stream that is taken away is not loaded any more", async () => {
  await shelf.put(ROWS);
  const page = { epoch: "e", cursor: "d", more: false, drop: [STREAM], reset: [], snapshot: [], changes: [], complete: {} };
  await takePage(phone.db, phone.vault, page);
  expect(await again().load()).toEqual([]);
});
