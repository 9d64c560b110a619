/**
 * Snapshots: the parts of a large stream, fetched instead of a hundred pages, and resumed by part (docs/sync.md).
 *
 * Each part is checked by its hash and written in one transaction together with the note that it is here, so a load that is
 * cut goes on with the next part, also after a restart. The manifest is kept until the server has let go of its parts; what
 * is the same in a newer one need not come again.
 */

import { type Line, seal } from "./base.ts";
import { type Bytes, hex, sha256 } from "./bytes.ts";
import type { Db, Manifest, ManifestPart } from "./db.ts";
import { forgetLoad, forgetRows } from "./loads.ts";
import type { Vault } from "./vault.ts";
import type { Wire } from "./wire.ts";

const TOGETHER = 8;
const MANIFESTS = 3;

/** A part does not have the hash it is named by. */
export class PartDamaged extends Error {}

/** What a pull says of snapshots: streams that were loaded, and those that still are. */
export interface Wish {
  loaded?: Record<string, number>;
  later?: string[];
}

export class Snapshots {
  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
    private readonly wire: Wire,
    /** Called after each part with how many rows it brought, and how many the stream has. */
    private readonly brought: (rows: number, all: number) => void = () => undefined,
  ) {}

  async wish(): Promise<Wish> {
    const rows = await this.db.read(["snapshot"], (tx) => tx.objectStore("snapshot").getAll());
    if (!rows.length) return {};
    const loaded = rows.flatMap(({ s, loaded }) => (loaded === null ? [] : [[s, loaded] as const]));
    return { loaded: Object.fromEntries(loaded), later: rows.filter((row) => row.loaded === null).map((row) => row.s) };
  }

  /** Load every stream that waits for it; gives their names. */
  async load(): Promise<string[]> {
    const rows = await this.db.read(["snapshot"], (tx) => tx.objectStore("snapshot").getAll());
    const waiting = rows.filter((row) => row.loaded === null);
    for (const { s, manifest } of waiting) if (!(await this.loadStream(s, manifest))) await this.giveUp(s);
    return waiting.map((row) => row.s);
  }

  private async loadStream(stream: string, held: Manifest | null): Promise<boolean> {
    let manifest = held;
    for (let tries = 0; tries < MANIFESTS; tries++) {
      manifest ??= await this.manifest(stream);
      if (!manifest) return false;
      if (await this.fetch(stream, manifest)) {
        await this.db.write(["snapshot"], (tx) =>
          tx.objectStore("snapshot").put({ s: stream, manifest, loaded: (manifest as Manifest).seq }),
        );
        return true;
      }
      manifest = null; // it has grown old while its parts were fetched
    }
    return false;
  }

  /** Take a manifest: what an older one brought stays where the same part is named, and goes where another is. */
  private async manifest(stream: string): Promise<Manifest | null> {
    const got = await this.wire.bytes(`/snapshots/${stream}`);
    if (got.status !== 200 || got.isCut) return null;
    const manifest = JSON.parse(new TextDecoder().decode(got.bytes)) as Manifest;
    await this.db.write(["snapshot", "part", "base", "body", "stream"], async (tx) => {
      const parts = tx.objectStore("part");
      const named = new Set(manifest.parts.map((part) => part.sha256));
      const here = await parts.index("s").getAll(stream);
      const stale = here.filter((part) => !named.has(part.sha256));
      if (stale.length) {
        const kept = here.filter((part) => named.has(part.sha256));
        await forgetRows(tx, stream, (byte) => !kept.some((part) => part.from <= byte && byte < part.to));
        for (const part of stale) await parts.delete([stream, part.sha256]);
      }
      await tx.objectStore("snapshot").put({ s: stream, manifest, loaded: null });
    });
    return manifest;
  }

  /** See to it that all parts are here, several per request; false when the server has let go of one. */
  private async fetch(stream: string, manifest: Manifest): Promise<boolean> {
    const rows = await this.db.read(["part"], (tx) => tx.objectStore("part").index("s").getAll(stream));
    const here = new Set(rows.map((row) => row.sha256));
    const spans = spansOf(manifest.parts);
    let missing = manifest.parts.filter((part) => !here.has(part.sha256));
    while (missing.length) {
      const wanted = missing.slice(0, TOGETHER);
      const names = wanted.map((part) => part.sha256).join(",");
      const got = await this.wire.bytes(`/snapshots/${stream}/parts?names=${names}`);
      if (got.status !== 200) return false;
      const kept = await this.keep(stream, manifest, wanted, spans, got.bytes); // what came whole need not come again
      if (got.isCut) throw got.isCut;
      if (!kept) throw new PartDamaged((wanted[0] as ManifestPart).sha256);
      missing = missing.slice(kept);
    }
    return true;
  }

  /** Write the whole parts at the beginning of an answer; gives how many there were. */
  private async keep(
    stream: string,
    manifest: Manifest,
    parts: ManifestPart[],
    spans: ReadonlyMap<string, readonly [number, number]>,
    data: Bytes,
  ): Promise<number> {
    let [kept, at] = [0, 0];
    for (const part of parts) {
      const mine = data.subarray(at, at + part.bytes);
      if (mine.length < part.bytes) break;
      if (hex(await sha256(mine)) !== part.sha256) throw new PartDamaged(part.sha256);
      const lines = (await gunzip(mine)).split("\n").filter(Boolean);
      const puts = await Promise.all(lines.map((line) => seal(this.vault, { ...(JSON.parse(line) as Line), s: stream })));
      const [from, to] = spans.get(part.sha256) as readonly [number, number];
      await this.db.write(["base", "body", "stream", "part"], async (tx) => {
        const g = (await tx.objectStore("stream").get(stream))?.g ?? 0;
        await Promise.all(
          puts.map(({ row, body }) =>
            Promise.all([tx.objectStore("base").put({ ...row, g }), tx.objectStore("body").put(body, [row.s, row.k, row.id])]),
          ),
        );
        await tx.objectStore("part").put({ s: stream, sha256: part.sha256, from, to });
      });
      this.brought(puts.length, manifest.n);
      kept += 1;
      at += part.bytes;
    }
    return kept;
  }

  /** There is no snapshot (any more): the stream comes page by page, into a clean load. */
  private async giveUp(stream: string): Promise<void> {
    await this.db.write(["base", "body", "stream", "snapshot", "part"], async (tx) => {
      await forgetRows(tx, stream, () => true);
      await forgetLoad(tx, stream);
    });
  }
}

/** Which last bytes of ids each part has: from its own up to that of the next. */
function spansOf(parts: ManifestPart[]): ReadonlyMap<string, readonly [number, number]> {
  return new Map(parts.map((part, i) => [part.sha256, [i ? part.byte : 0, parts[i + 1]?.byte ?? 256] as const]));
}

async function gunzip(packed: Bytes): Promise<string> {
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
