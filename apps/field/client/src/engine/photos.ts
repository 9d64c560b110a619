/**
 * Photos: kept sealed in pieces, sent by tus 1.0.0 from the byte the server has, freed when it has confirmed their hash.
 * Most go in one request, with the creation of their upload.
 *
 * A piece of the store is a chunk of the upload, so that memory holds one piece at a time.
 */

import { base64, type Bytes, concat, sha256, utf8 } from "./bytes.ts";
import type { Db, PhotoRow } from "./db.ts";
import type { Fields } from "./overlay.ts";
import type { Vault } from "./vault.ts";
import { type Answer, API, Refused, type Wire } from "./wire.ts";

export const CHUNK = 256 * 1024;
/** A photo up to this size goes with the request that opens its upload, of a larger one its first piece. */
const AT_ONCE = 2 * CHUNK;
const NEVER_TAKEN = new Set([413, 415, 422]);

export interface PhotoFacts {
  step: string;
  mime: string;
  capture_mode: "in_app" | "import";
  purpose?: string;
  captured_on_device_at: string;
  width: number;
  height: number;
}
export interface OpenedPhoto extends PhotoRow, PhotoFacts {}

const aboutFacts = (id: string) => `photo|${id}`;
const aboutChunk = (id: string, n: number) => `chunk|${id}|${n}`;
const aboutThumbnail = (id: string) => `thumbnail|${id}`;

export class Photos {
  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
    private readonly wire: Wire,
    /** Called when a photo has moved on, with the bytes the server has. */
    private readonly moved: (id: string, change: Partial<PhotoRow>) => void = () => undefined,
  ) {}

  /** Seal a photo and its thumbnail; gives the rows, which the caller writes together with the declaration. */
  async sealed(
    row: Pick<PhotoRow, "id" | "report" | "sha256">,
    facts: PhotoFacts,
    picture: Blob,
    thumbnail: Blob | null,
  ): Promise<{ row: PhotoRow; chunks: Bytes[] }> {
    const chunks: Bytes[] = [];
    for (let at = 0; at < picture.size; at += CHUNK) {
      const piece = await picture.slice(at, at + CHUNK).arrayBuffer();
      chunks.push(await this.vault.sealBytes(piece, aboutChunk(row.id, chunks.length)));
    }
    const small = thumbnail && (await this.vault.sealBytes(await thumbnail.arrayBuffer(), aboutThumbnail(row.id)));
    return {
      row: {
        ...row,
        state: "waiting",
        size: picture.size,
        sent: 0,
        location: null,
        chunks: chunks.length,
        facts: await this.vault.seal(facts, aboutFacts(row.id)),
        thumbnail: small,
        verdict: null,
      },
      chunks,
    };
  }

  async all(): Promise<OpenedPhoto[]> {
    const rows = await this.db.read(["photo"], (tx) => tx.objectStore("photo").getAll());
    return Promise.all(rows.map((row) => this.opened(row)));
  }

  async opened(row: PhotoRow): Promise<OpenedPhoto> {
    return { ...row, ...(await this.vault.open<PhotoFacts>(row.facts, aboutFacts(row.id))) };
  }

  async thumbnail(id: string): Promise<Blob | null> {
    const row = await this.row(id);
    if (!row?.thumbnail) return null;
    return new Blob([await this.vault.openBytes(row.thumbnail, aboutThumbnail(id))], { type: "image/jpeg" });
  }

  async picture(id: string): Promise<Blob | null> {
    const row = await this.row(id);
    if (!row?.chunks) return null;
    const { mime } = await this.opened(row);
    const pieces: Bytes[] = [];
    for (let n = 0; n < row.chunks; n++) pieces.push(await this.piece(id, n));
    return new Blob(pieces, { type: mime });
  }

  /** The verdict of the server on a photo that it does not take. */
  async refusal(row: PhotoRow): Promise<Fields> {
    return row.verdict ? this.vault.open<Fields>(row.verdict, `refusal|${row.id}`) : {};
  }

  /**
   * Send the bytes of declared photos; gives how many were finished. One that is refused lets the others go on.
   *
   * One that the server does not know of is declared again with the journal (a restored server may have forgotten it);
   * when that has not helped, it is the officer's.
   */
  async send(begins: () => void = () => undefined): Promise<number> {
    const waiting = await this.db.read(["photo"], (tx) => tx.objectStore("photo").getAll());
    let finished = 0;
    for (const photo of waiting) {
      if ((photo.state !== "declared" && photo.state !== "sending") || !photo.chunks) continue;
      begins();
      try {
        await this.sendOne(photo);
        finished += 1;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const isUnknown = error.status === 404;
        if (!isUnknown && !NEVER_TAKEN.has(error.status)) throw error;
        if (isUnknown && (!photo.missed || (await this.db.get("replay")))) {
          await this.note(photo.id, { missed: true });
          await this.db.put({ replay: "1" });
          continue;
        }
        const { code = "", errors = [] } = error.problem;
        const verdict = await this.vault.seal({ code, errors }, `refusal|${photo.id}`);
        await this.note(photo.id, { state: "attention", verdict });
      }
    }
    return finished;
  }

  private async sendOne(photo: PhotoRow): Promise<void> {
    let location = photo.location;
    let offset = location ? await this.offset(location) : null;
    if (!location || offset === null) {
      // What was begun before is asked about first: the server may have bytes already.
      const body = photo.state === "declared" ? await this.beginning(photo) : null;
      await this.note(photo.id, { state: "sending" });
      [location, offset] = await this.create(photo, body);
    }
    await this.note(photo.id, { state: "sending", location, sent: offset, missed: false });
    while (offset < photo.size) {
      const bytes: Bytes = (await this.piece(photo.id, Math.floor(offset / CHUNK))).subarray(offset % CHUNK);
      const answer = await this.patch(location, offset, bytes);
      if (answer.status === 409) offset = (await this.offset(location)) ?? 0;
      else {
        await this.wire.obey(answer);
        offset = Number(answer.headers.get("Upload-Offset"));
      }
      await this.note(photo.id, { sent: offset });
    }
    await this.db.write(["photo"], async (tx) => {
      const row = await tx.objectStore("photo").get(photo.id);
      if (row?.state === "sending") await tx.objectStore("photo").put({ ...row, state: "sent" });
    });
    this.moved(photo.id, { state: "sent" });
  }

  private async patch(location: string, offset: number, body: Bytes): Promise<Answer> {
    return this.tus("PATCH", location, body, { "Upload-Offset": String(offset), ...(await describing(body)) });
  }

  /** Open an upload, or find the one that is open; gives its place and how many bytes the server has. */
  private async create(photo: PhotoRow, body: Bytes | null): Promise<[location: string, offset: number]> {
    const metadata = `attachment_id ${base64(utf8(photo.id))}`;
    const about = { "Upload-Length": String(photo.size), "Upload-Metadata": metadata };
    const answer = await this.tus("POST", `${API}/uploads`, body, { ...about, ...(body ? await describing(body) : {}) });
    if (answer.status === 409 && body) return this.create(photo, null);
    await this.wire.obey(answer);
    const location = (answer.headers.get("Location") ?? "").replace(/^[a-z]+:\/\/[^/]+/, "");
    return [location, Number(answer.headers.get("Upload-Offset"))];
  }

  private async beginning(photo: PhotoRow): Promise<Bytes> {
    const pieces: Bytes[] = [];
    const count = photo.size <= AT_ONCE ? photo.chunks : 1;
    for (let n = 0; n < count; n++) pieces.push(await this.piece(photo.id, n));
    return concat(...pieces);
  }

  /** Ask how far an upload is; null when the server does not have it any more. */
  private async offset(location: string): Promise<number | null> {
    const answer = await this.tus("HEAD", location, null, {});
    if (answer.status === 404 || answer.status === 410) return null;
    await this.wire.obey(answer);
    return Number(answer.headers.get("Upload-Offset"));
  }

  private async tus(method: string, path: string, body: Bytes | null, headers: Record<string, string>): Promise<Answer> {
    const own = { "Tus-Resumable": "1.0.0", Accept: "application/json", ...headers };
    return this.wire.signedIn({ method, path, headers: own, body, seconds: 120 });
  }

  private async piece(id: string, n: number): Promise<Bytes> {
    const sealed = await this.db.read(["chunk"], (tx) => tx.objectStore("chunk").get([id, n]));
    return sealed ? this.vault.openBytes(sealed, aboutChunk(id, n)) : concat();
  }

  private async row(id: string): Promise<PhotoRow | undefined> {
    return this.db.read(["photo"], (tx) => tx.objectStore("photo").get(id));
  }

  async note(id: string, change: Partial<PhotoRow>): Promise<void> {
    await this.db.write(["photo"], async (tx) => {
      const row = await tx.objectStore("photo").get(id);
      if (row && row.state !== "stored") await tx.objectStore("photo").put({ ...row, ...change });
    });
    this.moved(id, change);
  }
}

/** What is said of bytes that are sent. */
async function describing(bytes: Bytes): Promise<Record<string, string>> {
  const sum = base64(await sha256(bytes));
  return { "Content-Type": "application/offset+octet-stream", "Upload-Checksum": `sha256 ${sum}` };
}
