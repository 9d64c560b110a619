/** Nothing is believed of a receipt without a signature by a trusted key, and without the hash this phone took itself. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openPhone, type TestPhone } from "../testing/phone.ts";
import { takePage } from "./base.ts";
import { base64, type Bytes, utf8 } from "./bytes.ts";
import type { PhotoRow } from "./db.ts";
import { freePhotos } from "./outbox.ts";
import { keyId, Receipts, trusted } from "./receipts.ts";

interface Server {
  id: string;
  public_key: string;
  sign(said: object): Promise<{ statement: string; signature: string }>;
}
const [REPORT, PHOTO, OTHER] = ["01930000-0000-7000-8000-0000000000aa", "photo-1", "photo-2"];
const HASHES: Record<string, string> = { [PHOTO]: "a".repeat(64), [OTHER]: "b".repeat(64) };
let phone: TestPhone;
let server: Server;

async function newServer(): Promise<Server> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    id: await keyId(raw),
    public_key: base64(raw),
    async sign(said) {
      const bytes = utf8(JSON.stringify(said));
      const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, bytes);
      return { statement: base64(bytes), signature: base64(signature) };
    },
  };
}

const photo = (id: string): PhotoRow => ({
  ...{ id, report: REPORT, state: "stored", sha256: HASHES[id] as string, size: 5, sent: 5, location: null, chunks: 1 },
  ...{ facts: utf8("{}") as Bytes, thumbnail: null, verdict: null },
});

beforeEach(async () => {
  phone = await openPhone();
  server = await newServer();
  const statement = await phone.vault.seal({ public_key: server.public_key, key_id: server.id }, "statement");
  await phone.db.put({ statement, cursor: "c" });
  await phone.db.write(["photo", "chunk"], async (tx) => {
    for (const id of [PHOTO, OTHER]) {
      await tx.objectStore("photo").put(photo(id));
      await tx.objectStore("chunk").put(utf8("bytes") as Bytes, [id, 0]);
    }
  });
});
afterEach(() => vi.restoreAllMocks());

const named = (id: string, changed: object = {}) => ({ id, sha256: HASHES[id], size: 5, ...changed });

async function receipt(by: Server, photos: object[], changed: object = {}) {
  const { statement, signature } = await by.sign({ v: 1, kind: "receipt", record_id: REPORT, photos, key_id: by.id });
  return { record_kind: "inspection", record_id: REPORT, version: 1, receipt: statement, signature, key_id: by.id, ...changed };
}

async function arrives(k: string, body: object, id: string = crypto.randomUUID()): Promise<void> {
  const change = { s: k === "receipt" ? "post:1" : "ref", k, id, rev: 1, op: "put" as const, body: body as never };
  const page = { epoch: "e", cursor: "c", more: false, drop: [], reset: [], changes: [change], complete: {} };
  await takePage(phone.db, phone.vault, page);
}

/** What is left on the phone after a look at the receipts: the photos whose bytes are here. */
async function kept(): Promise<string[]> {
  await new Receipts(phone.db, phone.vault).check();
  await freePhotos(phone.db);
  const keys = await phone.db.read(["chunk"], (tx) => tx.objectStore("chunk").getAllKeys());
  return keys.map(([id]) => id).sort();
}

test("a photo that is stored stays until its receipt has come", async () => {
  expect(await kept()).toEqual([PHOTO, OTHER]);
  await arrives("receipt", await receipt(server, [named(PHOTO)]));
  expect(await kept()).toEqual([OTHER]);
});

test("the small library judges as the browser does", async () => {
  const real = crypto.subtle.importKey.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, "importKey").mockImplementation(((format: never, key: never, how: never, ...rest: [never, never]) => {
    if ((how as unknown) === "Ed25519") throw new DOMException("too old", "NotSupportedError");
    return real(format, key, how, ...rest);
  }) as never);
  const sound = await receipt(server, [named(PHOTO)]);
  const other = await receipt(server, [named(OTHER)]);
  await arrives("receipt", { ...other, signature: sound.signature });
  expect(await kept()).toEqual([PHOTO, OTHER]);
  await arrives("receipt", sound);
  expect(await kept()).toEqual([OTHER]);
});

test.each([
  ["the signature of another receipt", async () => ({ signature: (await receipt(server, [])).signature })],
  ["no signature", async () => ({ signature: "" })],
  ["rubbish for a signature", async () => ({ signature: "%%%" })],
  ["one bit of the signature changed", async () => ({ signature: (await receipt(server, [named(PHOTO)])).signature.replace(/^./, (c) => (c === "A" ? "B" : "A")) })],
  ["a key nobody knows", async () => await receipt(await newServer(), [named(PHOTO)])],
  ["the name of a key that did not sign", async () => ({ ...(await receipt(await newServer(), [named(PHOTO)])), key_id: server.id })],
])("a receipt with %s frees nothing", async (_, changes) => {
  await arrives("receipt", { ...(await receipt(server, [named(PHOTO)])), ...(await changes()) });
  expect(await kept()).toEqual([PHOTO, OTHER]);
});

test.each([
  ["another hash", { sha256: "c".repeat(64) }],
  ["another length", { size: 6 }],
  ["the hash of the other photo", { sha256: "b".repeat(64) }],
])("a receipt that names %s frees nothing", async (_, changed) => {
  await arrives("receipt", await receipt(server, [named(PHOTO, changed)]));
  expect(await kept()).toEqual([PHOTO, OTHER]);
});

describe("a photo that was taken out of its report", () => {
  const unnamed = async (changed: object = {}) => {
    const said = { v: 1, kind: "receipt", record_id: REPORT, photos: [named(PHOTO)], unnamed: [named(OTHER, changed)] };
    const { statement, signature } = await server.sign(said);
    return { record_kind: "seizure", record_id: REPORT, version: 2, receipt: statement, signature, key_id: server.id };
  };
  const seizure = (photos: string[]) => arrives("seizure", { fields: { photos }, version: 2 }, REPORT);
  const inspection = (photos: string[]) => arrives("inspection", { photos: { step_1: photos }, version: 2 }, REPORT);

  test.each([
    ["a seizure", seizure],
    ["an inspection", inspection],
  ])("goes once the server has signed that it keeps it: %s", async (_, report) => {
    await arrives("receipt", await unnamed());
    expect(await kept()).toEqual([OTHER]); // the report is not here
    await report([PHOTO, OTHER]);
    expect(await kept()).toEqual([OTHER]); // a later word names it
    await report([PHOTO]);
    expect(await kept()).toEqual([]);
  });

  test("stays when the server has another hash of it", async () => {
    await seizure([PHOTO]);
    await arrives("receipt", await unnamed({ sha256: "c".repeat(64) }));
    expect(await kept()).toEqual([OTHER]);
  });

  test("stays while the report is being worked on", async () => {
    await seizure([PHOTO]);
    await arrives("receipt", await unnamed());
    const row = await phone.outbox.make("seizure.save", REPORT, { fields: {}, made_at: "" }, 1);
    await phone.db.write(["outbox"], (tx) => tx.objectStore("outbox").put(row));
    expect(await kept()).toEqual([OTHER]);
  });
});

test("receipts of two reports that were swapped free nothing", async () => {
  const elsewhere = "01930000-0000-7000-8000-0000000000bb";
  const foreign = await server.sign({ v: 1, kind: "receipt", record_id: elsewhere, photos: [{ id: "photo-9", sha256: "d".repeat(64), size: 5 }] });
  await arrives("receipt", await receipt(server, [], { receipt: foreign.statement, signature: foreign.signature }));
  expect(await kept()).toEqual([PHOTO, OTHER]);
});

test("something else the server signed is no receipt", async () => {
  const head = await server.sign({ v: 1, kind: "ledger-head", photos: [named(PHOTO)] });
  await arrives("receipt", await receipt(server, [], { receipt: head.statement, signature: head.signature }));
  expect(await kept()).toEqual([PHOTO, OTHER]);
});

test("a later key is believed when a trusted one announces it, whichever comes first", async () => {
  const next = await newServer();
  await arrives("receipt", await receipt(next, [named(PHOTO)]));
  expect(await kept()).toEqual([PHOTO, OTHER]);
  const said = await server.sign({ v: 1, kind: "server-key", key_id: next.id, public_key: next.public_key });
  await arrives("server_key", { ...said, key_id: next.id, signed_by: server.id, revoked: null });
  expect(await kept()).toEqual([OTHER]);
});

test("a key that announces itself, or that was revoked, is not believed", async () => {
  const next = await newServer();
  const itself = await next.sign({ v: 1, kind: "server-key", key_id: next.id, public_key: next.public_key });
  expect([...(await trusted(server.public_key, [{ ...itself, signed_by: next.id, revoked: null }])).keys()]).toEqual([server.id]);
  const said = await server.sign({ v: 1, kind: "server-key", key_id: next.id, public_key: next.public_key });
  const word = { ...(await next.sign({ v: 1, kind: "server-key-revoked", key_id: server.id })), signed_by: next.id };
  const told = [
    { ...said, key_id: next.id, signed_by: server.id, revoked: null },
    { statement: "", signature: "", key_id: server.id, signed_by: server.id, revoked: word },
  ];
  expect([...(await trusted(server.public_key, told)).keys()]).toEqual([next.id]);
});
