/**
 * What the phone makes of receipts and of the server's keys: nothing is believed without a signature (docs/evidence.md).
 *
 * The key the phone was enrolled with is pinned. A later key is taken when one that is already trusted announces it; a key
 * that was revoked signs nothing more. A photo has its receipt when what was signed names the hash this phone took itself.
 * One that was taken out of its report has it too, once the server has signed that it keeps the bytes all the same.
 */

import { type BaseRecord, type Body, records, recordsById } from "./base.ts";
import { type Bytes, fromBase64, hex, sha256, text } from "./bytes.ts";
import type { Db } from "./db.ts";
import { isRecord } from "./overlay.ts";
import type { Json } from "./types.ts";
import type { Vault } from "./vault.ts";

export type Keys = ReadonlyMap<string, Bytes>;

export class Receipts {
  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
  ) {}

  /** Look for receipts of photos that are stored and have none yet; gives how many were found. */
  async check(): Promise<number> {
    const waiting = await this.db.read(["photo"], (tx) => tx.objectStore("photo").index("state").getAll("stored"));
    const reports = new Set(waiting.filter((photo) => photo.chunks > 0 && !photo.receipt).map((photo) => photo.report));
    if (!reports.size) return 0;
    const receipts = (await records(this.db, this.vault, "receipt")).map((one) => one.body);
    const about = receipts.filter((body) => reports.has(String(body.record_id)));
    if (!about.length) return 0;
    const keys = await this.keys();
    const signed = await Promise.all(
      about.map((body) => said("receipt", keys, body.key_id, body.receipt, body.signature)),
    );
    const all = (part: "photos" | "unnamed") => signed.flatMap((receipt) => listed(receipt?.[part]));
    const loose = await this.loose(reports);
    return this.note([...all("photos"), ...all("unnamed").filter((one) => isRecord(one) && loose(String(one.id)))]);
  }

  /** Tell which photos no report names by now: reports that are not here, or that are being worked on, let go of none. */
  private async loose(reports: ReadonlySet<string>): Promise<(photo: string) => boolean> {
    const ids = [...reports];
    const here = await recordsById(this.db, this.vault, ids);
    const [photos, busy] = await this.db.read(["photo", "outbox"], async (tx) => [
      await tx.objectStore("photo").index("state").getAll("stored"),
      (await Promise.all(ids.map((id) => tx.objectStore("outbox").index("object").count(id)))).map(Boolean),
    ]);
    const settled = new Map(here.filter(({ id }) => !busy[ids.indexOf(id)]).map((one) => [one.id, namedBy(one)]));
    const free = photos.filter((photo) => settled.get(photo.report)?.has(photo.id) === false);
    return (photo) => free.some((one) => one.id === photo);
  }

  private async keys(): Promise<Keys> {
    const sealed = await this.db.get<Bytes>("statement");
    if (!sealed) return new Map();
    const { public_key } = await this.vault.open<{ public_key: string }>(sealed, "statement");
    const told = await records(this.db, this.vault, "server_key");
    return trusted(public_key, told.map((one) => one.body));
  }

  /** Note the photos that a receipt names with the hash and length they have here. */
  private async note(named: Json[]): Promise<number> {
    return this.db.write(["photo"], async (tx) => {
      const photos = tx.objectStore("photo");
      let found = 0;
      for (const one of named) {
        if (!isRecord(one)) continue;
        const mine = await photos.get(String(one.id));
        if (!mine || mine.receipt || mine.sha256 !== one.sha256 || mine.size !== one.size) continue;
        await photos.put({ ...mine, receipt: true });
        found += 1;
      }
      return found;
    });
  }
}

/** The photos that a report names: an inspection by step, a seizure in one list. */
function namedBy({ body }: BaseRecord): Set<string> {
  const said = isRecord(body.fields) ? body.fields.photos : body.photos;
  return new Set((isRecord(said) ? Object.values(said).flatMap(listed) : listed(said)).map(String));
}

function listed(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** Give the keys that are trusted, by id: the pinned one, and those that follow from it. */
export async function trusted(pinned: string, told: Body[]): Promise<Keys> {
  const first = fromBase64(pinned);
  const keys = new Map([[await keyId(first), first]]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const body of told) {
      const statement = await said("server-key", keys, body.signed_by, body.statement, body.signature);
      if (!statement || keys.has(String(statement.key_id))) continue;
      keys.set(String(statement.key_id), fromBase64(String(statement.public_key)));
      grown = true;
    }
  }
  const revoked: string[] = [];
  for (const { revoked: word } of told) {
    if (!isRecord(word)) continue;
    const statement = await said("server-key-revoked", keys, word.signed_by, word.statement, word.signature);
    if (statement) revoked.push(String(statement.key_id));
  }
  for (const id of revoked) keys.delete(id);
  return keys;
}

type Word = Json | undefined;

/** Read what was signed (base64) if it is of the kind wanted and the signature is by a trusted key; null otherwise. */
export async function said(kind: string, keys: Keys, key: Word, payload: Word, signature: Word): Promise<Body | null> {
  const by = keys.get(String(key));
  if (!by || typeof payload !== "string" || typeof signature !== "string") return null;
  try {
    const message = fromBase64(payload);
    if (!(await isSigned(by, fromBase64(signature), message))) return null;
    const read: unknown = JSON.parse(text(message));
    return isRecord(read) && read.kind === kind ? read : null;
  } catch {
    return null; // not base64, not JSON: not said
  }
}

/** Name a key as the server does. */
export async function keyId(key: Bytes): Promise<string> {
  return hex(await sha256(key)).slice(0, 16);
}

/** Check an Ed25519 signature: by the browser, or by a small library where the browser is older than that. */
async function isSigned(key: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotSupportedError") return false;
    const { verifyAsync } = await import("@noble/ed25519");
    return verifyAsync(signature, message, key, { zip215: false });
  }
}
