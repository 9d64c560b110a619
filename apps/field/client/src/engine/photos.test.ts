/** Photos by tus against a small server in memory: resumed at the byte, created anew when gone, freed when confirmed. */

import { beforeEach, expect, test } from "vitest";
import { openPhone, type TestPhone } from "../testing/phone.ts";
import { takePage } from "./base.ts";
import { type Bytes, concat, hex, random, sha256 } from "./bytes.ts";
import type { PhotoRow } from "./db.ts";
import { freePhotos } from "./outbox.ts";
import { CHUNK, Photos } from "./photos.ts";
import { Wire } from "./wire.ts";

const ID = "0192f0c1-8a00-7d2b-8c11-5a0c6a1f2e33";
const FACTS = {
  step: "s1",
  mime: "image/jpeg",
  capture_mode: "in_app" as const,
  captured_on_device_at: "2026-11-21T08:00:00Z",
  width: 1,
  height: 1,
};
const SIZE = 2 * CHUNK + 1000;

/** Uploads in memory; `faults` happen to the next bytes: lost after they were kept, half kept, gone, refused, others faster. */
class Uploads {
  kept: Bytes = new Uint8Array();
  created = 0;
  offsets: number[] = [];
  asked: string[] = [];
  faults: ("lost" | "half" | "gone" | "refused" | "faster")[] = [];
  isGone = false;
  isUnknown = false;

  readonly fetcher = async (_path: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    this.asked.push(init.method ?? "");
    if (init.method === "POST") {
      if (this.isUnknown) return new Response(JSON.stringify({ code: "not-found" }), { status: 404 });
      if (this.isGone || !this.created) {
        this.created += 1;
        this.kept = new Uint8Array();
        this.isGone = false;
      }
      const place = { Location: "http://host/mobile/v1/uploads/u1" };
      if (!init.body || this.kept.length) return this.told(201, place);
      return (await this.take(init)) ?? this.told(201, place);
    }
    if (this.isGone) return new Response(null, { status: 410 });
    if (init.method === "HEAD") return this.told(200);
    this.offsets.push(Number(headers.get("Upload-Offset")));
    if (Number(headers.get("Upload-Offset")) !== this.kept.length) return this.told(409);
    return (await this.take(init)) ?? this.told(204);
  };

  /** Keep bytes as the next fault has it; gives the answer when it is a refusal. */
  private async take(init: RequestInit): Promise<Response | null> {
    const fault = this.faults.shift();
    if (fault === "gone") {
      this.isGone = true;
      return new Response(null, { status: 410 });
    }
    if (fault === "refused") return new Response(JSON.stringify({ code: "unsupported-media" }), { status: 415 });
    if (fault === "faster") return new Response(null, { status: 409 });
    const bytes = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
    this.kept = concat(this.kept, bytes.subarray(0, fault === "half" ? bytes.length >> 1 : bytes.length));
    if (fault) throw new TypeError("cut");
    return null;
  }

  private told(status: number, more: Record<string, string> = {}): Response {
    return new Response(null, { status, headers: { "Upload-Offset": String(this.kept.length), ...more } });
  }
}

let phone: TestPhone;
let uploads: Uploads;
let photos: Photos;
let picture: Uint8Array<ArrayBuffer>;
let digest: string;

beforeEach(async () => {
  phone = await openPhone();
  uploads = new Uploads();
  const { db, vault, clock } = phone;
  photos = new Photos(db, vault, new Wire(db, vault, clock, async () => undefined, uploads.fetcher));
  picture = random(50_000);
  picture = new Uint8Array(await new Blob(Array.from({ length: 11 }, () => picture)).arrayBuffer()).slice(0, SIZE);
  digest = hex(await sha256(picture));
  const { row, chunks } = await photos.sealed({ id: ID, report: "r", sha256: digest }, FACTS, new Blob([picture]), null);
  await db.write(["photo", "chunk"], async (tx) => {
    await tx.objectStore("photo").put({ ...row, state: "declared" });
    for (const [n, chunk] of chunks.entries()) await tx.objectStore("chunk").put(chunk, [ID, n]);
  });
});

const row = () => phone.db.read(["photo"], (tx) => tx.objectStore("photo").get(ID));
const arrived = async () => hex(await sha256(uploads.kept));

test("it is sent in pieces and kept until it is confirmed", async () => {
  expect(await photos.send()).toBe(1);
  expect(uploads.offsets).toEqual([CHUNK, 2 * CHUNK]);
  expect(await arrived()).toBe(digest);
  expect(await row()).toMatchObject({ state: "sent", sent: SIZE, chunks: 3 });
  expect(await freePhotos(phone.db)).toBe(0);
  await told("stored", "0".repeat(64));
  expect((await row())?.state).toBe("sent");
  await told("stored", digest);
  expect(await freePhotos(phone.db)).toBe(0);
  await receipted();
  expect(await freePhotos(phone.db)).toBe(1);
  expect(await row()).toMatchObject({ state: "stored", chunks: 0 });
  expect(await phone.db.read(["chunk"], (tx) => tx.objectStore("chunk").count())).toBe(0);
});

test("a photo of the usual size goes in one request", async () => {
  await phone.db.write(["photo", "chunk"], async (tx) => {
    const small = { ...((await tx.objectStore("photo").get(ID)) as PhotoRow), size: 2 * CHUNK, chunks: 2 };
    await tx.objectStore("photo").put(small);
    await tx.objectStore("chunk").delete([ID, 2]);
  });
  expect(await photos.send()).toBe(1);
  expect(uploads.asked).toEqual(["POST"]);
  expect(await arrived()).toBe(hex(await sha256(picture.slice(0, 2 * CHUNK))));
});

test("another connection may be faster: where the upload stands is asked", async () => {
  uploads.faults = ["faster"];
  expect(await photos.send()).toBe(1);
  expect(uploads.asked).toEqual(["POST", "POST", "PATCH", "PATCH", "PATCH"]);
  expect(await arrived()).toBe(digest);
});

/** As when a receipt was checked (`receipts.test.ts`). */
async function receipted(): Promise<void> {
  await phone.db.write(["photo"], async (tx) => {
    await tx.objectStore("photo").put({ ...((await tx.objectStore("photo").get(ID)) as PhotoRow), receipt: true });
  });
}

async function told(state: string, hash: string): Promise<void> {
  const body = { state, sha256: hash };
  const change = { s: "post:a", k: "attachment", id: ID, rev: 2, op: "put" as const, body };
  const page = { epoch: "e", cursor: "c", more: true, drop: [], reset: ["post:a"], changes: [change], complete: {} };
  await takePage(phone.db, phone.vault, page);
}

test("bytes that are stored while the answer is lost are not sent again", async () => {
  uploads.faults = ["lost", "half"];
  await expect(photos.send()).rejects.toThrow();
  await expect(photos.send()).rejects.toThrow();
  expect(await photos.send()).toBe(1);
  expect(uploads.offsets).toEqual([CHUNK, CHUNK + CHUNK / 2, 2 * CHUNK]);
  expect([uploads.created, await arrived()]).toEqual([1, digest]);
});

test("an upload that has expired is created again", async () => {
  uploads.faults = ["lost", "gone"];
  await expect(photos.send()).rejects.toThrow();
  await expect(photos.send()).rejects.toThrow();
  expect(await photos.send()).toBe(1);
  expect([uploads.created, await arrived()]).toEqual([2, digest]);
});

test("one that is refused is kept for the officer, with the reason", async () => {
  uploads.faults = ["refused"];
  expect(await photos.send()).toBe(0);
  const kept = await row();
  expect(kept).toMatchObject({ state: "attention", chunks: 3 });
  if (kept) expect(await photos.refusal(kept)).toMatchObject({ code: "unsupported-media" });
  expect(await photos.send()).toBe(0);
});

test("one that the server does not know is declared again, then kept for the officer", async () => {
  uploads.isUnknown = true;
  expect(await photos.send()).toBe(0);
  expect([(await row())?.state, await phone.db.get("replay")]).toEqual(["sending", "1"]);
  expect(await photos.send()).toBe(0);
  expect((await row())?.state).toBe("sending"); // the journal has not been sent yet
  await phone.db.put({ replay: undefined });
  expect(await photos.send()).toBe(0);
  const kept = await row();
  expect(kept).toMatchObject({ state: "attention", chunks: 3 });
  if (kept) expect(await photos.refusal(kept)).toMatchObject({ code: "not-found" });
});

test("a photo without a receipt holds on to its declaration", async () => {
  const mutation = { id: "m", device_seq: 1, type: "attachment.create", object: ID, base_rev: null, fields: {}, depends_on: [], made_on_device_at: "" };
  const later = (id: string) => ({ ...mutation, id, object: id, type: "inspection.save" });
  const known = async () => (await phone.outbox.journal()).map((one) => one.id);
  await phone.outbox.applied(mutation, { status: "applied", rev: 1 }, 1000, true);
  await phone.outbox.applied(later("n"), { status: "applied", rev: 1 }, 1000 + 15 * 86_400, true);
  expect(await known()).toEqual(["m", "n"]);
  await told("stored", digest);
  await receipted();
  await phone.outbox.applied(later("o"), { status: "applied", rev: 1 }, 1000 + 15 * 86_400, true);
  expect(await known()).toEqual(["n", "o"]);
});

test("its declaration in the journal holds on to the bytes", async () => {
  const mutation = { id: "m", device_seq: 1, type: "attachment.create", object: ID, base_rev: null, fields: {}, depends_on: [], made_on_device_at: "" };
  await phone.outbox.applied(mutation, { status: "applied", rev: 1 }, 1000, true);
  await told("stored", digest);
  await receipted();
  expect(await freePhotos(phone.db)).toBe(0);
  const later = { ...mutation, id: "n", object: "x", type: "inspection.save" };
  await phone.outbox.applied(later, { status: "applied", rev: 1 }, 1000 + 15 * 86_400, true);
  expect(await freePhotos(phone.db)).toBe(1);
});
