/**
 * The outbox and the journal: what the officer did, until the server has said its last word, and 14 days longer.
 *
 * Strict order per object: one mutation of an object at a time. A mutation names the revision that the officer saw when
 * making it, is numbered when it is first sent, and repeated as it was. Nothing leaves the outbox without the officer's word.
 */

import { pulledRev } from "./base.ts";
import { uuid7 } from "./bytes.ts";
import type { Db, JournalRow, OutboxRow, Transaction } from "./db.ts";
import type { Fields } from "./overlay.ts";
import type { Json } from "./types.ts";
import type { Vault } from "./vault.ts";

export const JOURNAL_SECONDS = 14 * 86_400;
/** Mutations that say on which revision they were made. */
const NAMES_ITS_BASE = /^(inspection|seizure|exhibit)\./;

export interface Work {
  fields: Fields;
  made_at: string;
}
/** The server's word on one mutation. */
export interface Verdict {
  id?: string;
  status: string;
  original_status?: string;
  code?: string;
  rev?: number;
  warnings?: string[];
  fields?: string[];
  current?: Json;
  errors?: { pointer: string; code: string; detail?: string }[];
  retry_after?: number;
  [key: string]: unknown;
}
export interface Mutation {
  id: string;
  device_seq: number;
  type: string;
  object: string;
  base_rev: number | null;
  fields: Fields;
  depends_on: string[];
  made_on_device_at: string;
}
/** A row with what it says. */
export interface Opened extends OutboxRow, Work {
  result: Verdict | null;
}

export const about = (row: { id: string }): string => `outbox|${row.id}`;
const aboutVerdict = (row: { id: string }): string => `verdict|${row.id}`;
const aboutJournal = (row: { id: string }): string => `journal|${row.id}`;

/**
 * Give what may be sent now, in order: one mutation per object, none before one it depends on.
 *
 * What was put off waits for its time; a clock that jumped back cannot make it wait longer than `longest`. Edits of a
 * record whose creation was refused wait for the officer's word, and so does what depends on something refused.
 */
export function ready<Row extends OutboxRow>(rows: Row[], most: number, now: number, longest: number): Row[] {
  const pending = (row: Row) => row.state === "waiting" || row.state === "sent";
  const byId = new Map(rows.map((row) => [row.id, row]));
  const held = new Set<string>();
  const given: Row[] = [];
  for (const row of rows) {
    if (pending(row) && !held.has(row.object) && !isPutOff(row, now, longest)) {
      const waitsFor = row.depends.map((id) => byId.get(id)).filter((one) => one !== undefined);
      const isFree = !waitsFor.some((one) => one.state === "attention" || (pending(one) && order(one) > order(row)));
      if (isFree) given.push(row);
    }
    if (pending(row) || (row.state === "attention" && row.base_rev === 0)) held.add(row.object);
  }
  return given.slice(0, most);
}

const isPutOff = (row: OutboxRow, now: number, longest: number) => row.retry_at > now && row.retry_at <= now + longest;
const order = (row: OutboxRow) => row.seq ?? 0;

export class Outbox {
  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
  ) {}

  /** Make a row on the revision that the officer sees (0: the server has none yet); it is not stored yet. */
  async make(
    type: string,
    object: string,
    work: Work,
    base_rev: number | null,
    depends: string[] = [],
  ): Promise<OutboxRow> {
    const id = uuid7();
    return {
      id,
      type,
      object,
      state: "waiting",
      base_rev,
      depends,
      device_seq: null,
      tries: 0,
      retry_at: 0,
      rev: null,
      work: await this.vault.seal(work, about({ id })),
      verdict: null,
    };
  }

  async add(type: string, object: string, work: Work, base_rev = 0, depends: string[] = []): Promise<OutboxRow> {
    const row = await this.make(type, object, work, base_rev, depends);
    await this.db.write(["outbox"], async (tx) => {
      if (!(await tx.objectStore("outbox").index("id").get(row.id))) await tx.objectStore("outbox").add(row);
    });
    return row;
  }

  /** All rows with what they say, in order. */
  async all(): Promise<Opened[]> {
    return this.open(await this.db.read(["outbox"], (tx) => tx.objectStore("outbox").getAll()));
  }

  async open(rows: OutboxRow[]): Promise<Opened[]> {
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        ...(await this.vault.open<Work>(row.work, about(row))),
        result: row.verdict ? await this.vault.open<Verdict>(row.verdict, aboutVerdict(row)) : null,
      })),
    );
  }

  async seal(id: string, work: Work): Promise<OutboxRow["work"]> {
    return this.vault.seal(work, about({ id }));
  }

  /** Give what may be sent now as it is sent, numbered, and note that it is on its way. */
  async take(most: number, now: number, longest: number): Promise<Mutation[]> {
    const rows = await this.db.write(["outbox", "base", "journal", "meta"], async (tx) => {
      const outbox = tx.objectStore("outbox");
      const all = await outbox.getAll();
      const chosen = ready(all, most, now, longest);
      const meta = tx.objectStore("meta");
      let number = Number((await meta.get("device_seq")) ?? 0);
      for (const row of chosen) {
        if (row.device_seq === null) {
          row.device_seq = ++number;
          if (NAMES_ITS_BASE.test(row.type)) row.base_rev = await baseRev(tx, row);
        }
        row.state = "sent";
        await outbox.put(row);
      }
      // A store that was just erased stays empty.
      if (chosen.length) await meta.put(number, "device_seq");
      return chosen;
    });
    return Promise.all(rows.map((row) => this.mutation(row)));
  }

  private async mutation(row: OutboxRow): Promise<Mutation> {
    const { fields, made_at } = await this.vault.open<Work>(row.work, about(row));
    return {
      id: row.id,
      device_seq: row.device_seq ?? 0,
      type: row.type,
      object: row.object,
      base_rev: row.base_rev || null,
      fields,
      depends_on: row.depends,
      made_on_device_at: made_at,
    };
  }

  /** Note a verdict: a new state, and the verdict itself for the officer to read. */
  async settle(id: string, verdict: Verdict, change: Partial<OutboxRow>): Promise<void> {
    const sealed = await this.vault.seal(verdict, aboutVerdict({ id }));
    await this.db.write(["outbox"], async (tx) => {
      const row = await tx.objectStore("outbox").index("id").get(id);
      if (row) await tx.objectStore("outbox").put({ ...row, ...change, verdict: sealed });
    });
  }

  /**
   * Note that a mutation was applied, and keep it in the journal, in one transaction.
   *
   * What is older than 14 days by the server's clock is let go, unless the server may still need it (`letsGo`). A photo
   * stays for as long as its declaration stands in the journal, so that a restored server can have its bytes again, and
   * the declaration for as long as there is no receipt for the photo.
   */
  async applied(mutation: Mutation, verdict: Verdict, serverNow: number, letsGo: boolean): Promise<void> {
    const rev = verdict.rev ?? null;
    const [said, body] = await Promise.all([
      this.vault.seal(verdict, aboutVerdict(mutation)),
      this.vault.seal(mutation, aboutJournal(mutation)),
    ]);
    await this.db.write(["outbox", "journal", "photo", "chunk"], async (tx) => {
      const outbox = tx.objectStore("outbox");
      const row = await outbox.index("id").get(mutation.id);
      if (row) await outbox.put({ ...row, state: "done", rev, verdict: said });
      const journal = tx.objectStore("journal");
      if (!(await journal.index("id").get(mutation.id)))
        await journal.add({ id: mutation.id, object: mutation.object, rev, made_on: mutation.base_rev, acked_at: serverNow, body });
      if (letsGo) await letGo(tx, serverNow - JOURNAL_SECONDS);
      if (mutation.type === "attachment.create") await declared(tx, mutation.object);
    });
  }

  /** The journal as it is sent again, in the order of its acceptance; of one record, or whole. */
  async journal(object?: string): Promise<Mutation[]> {
    const rows = await this.db.read(["journal"], (tx) => {
      const journal = tx.objectStore("journal");
      return object ? journal.index("object").getAll(object) : journal.getAll();
    });
    return Promise.all(rows.map((row) => this.vault.open<Mutation>(row.body, aboutJournal(row))));
  }

  /**
   * Make what a restored server refused into new mutations, to be sent after the journal; what waits for them follows.
   * Edits are cut off from the revisions they were made on: the numbers mean something else now.
   */
  async renew(refused: string[], tx: Transaction, fresh: Map<string, OutboxRow>): Promise<void> {
    const outbox = tx.objectStore("outbox");
    const names = new Map(refused.map((old) => [old, fresh.get(old)?.id ?? old]));
    for (const row of await outbox.getAll()) {
      const renewed = fresh.get(row.id);
      const depends = row.depends.map((id) => names.get(id) ?? id);
      const isUnsent = row.state === "attention" || (row.state === "waiting" && row.device_seq === null);
      const base_rev = isUnsent && row.base_rev ? null : row.base_rev;
      if (renewed) await outbox.put({ ...renewed, depends, seq: row.seq as number });
      else if (depends.join() !== row.depends.join() || base_rev !== row.base_rev)
        await outbox.put({ ...row, depends, base_rev });
    }
  }

  /** Mutations that were applied and still lie on top. */
  async doneIds(): Promise<string[]> {
    const rows = await this.db.read(["outbox"], (tx) => tx.objectStore("outbox").index("state").getAll("done"));
    return rows.map((row) => row.id);
  }

  /** Forget applied mutations: the journal has them, and the base shows what they did. */
  async prune(ids: string[]): Promise<void> {
    if (!ids.length) return;
    await this.db.write(["outbox"], async (tx) => {
      for (const id of ids) {
        const row = await tx.objectStore("outbox").index("id").get(id);
        if (row?.state === "done") await tx.objectStore("outbox").delete(row.seq as number);
      }
    });
  }

  /** Forget what the officer has decided about, once nothing of the same record waits any more. */
  async forgetAnswered(): Promise<void> {
    await this.db.write(["outbox"], async (tx) => {
      const table = tx.objectStore("outbox");
      for (const row of await table.index("state").getAll("answered")) {
        const others = await table.index("object").getAll(row.object);
        if (others.every((one) => one.state === "answered" || one.state === "done")) await table.delete(row.seq as number);
      }
    });
  }

  /** Give the same work a new id, to be sent as if for the first time, made on `base_rev`. */
  async copy(row: OutboxRow, base_rev: number | null): Promise<OutboxRow> {
    const work = await this.vault.open<Work>(row.work, about(row));
    return this.make(row.type, row.object, work, base_rev, row.depends);
  }

  async row(id: string): Promise<OutboxRow | undefined> {
    return this.db.read(["outbox"], (tx) => tx.objectStore("outbox").index("id").get(id));
  }

  /** The revision that a refusal has shown the officer, on which a repetition is made. */
  async shownRev(row: OutboxRow): Promise<number | null> {
    if (row.base_rev === null || !row.verdict) return row.base_rev;
    const verdict = await this.vault.open<Verdict>(row.verdict, aboutVerdict(row));
    if ((verdict.original_status ?? verdict.status) !== "conflict") return row.base_rev;
    const pulled = await this.db.read(["base"], (tx) => pulledRev(tx, row.object));
    return Math.max(row.base_rev, verdict.rev ?? pulled);
  }
}

/**
 * The revision that an edit names: that on which it was made.
 *
 * One made before the server had the record names the revision of its creation, and one made after the record had left the
 * phone the revision that its own earlier edits were made on: what the server merged them with was never seen here. One
 * that a restore has cut off from its revision names what is known now.
 */
async function baseRev(tx: Transaction, row: OutboxRow): Promise<number> {
  if (row.base_rev) return row.base_rev;
  const known = (await tx.objectStore("journal").index("object").getAll(row.object)).filter(({ rev }) => rev !== null);
  const told = known.map(({ rev }) => rev as number);
  if (row.base_rev === null) return Math.max(await pulledRev(tx, row.object), ...told);
  return told.length ? Math.min(...told, ...known.flatMap(({ made_on }) => made_on ?? [])) : 0;
}

async function letGo(tx: Transaction, before: number): Promise<void> {
  const journal = tx.objectStore("journal");
  const old = (await journal.getAll()).filter((row) => row.acked_at < before);
  for (const row of old) {
    const photo = await tx.objectStore("photo").get(row.object);
    if (!photo?.chunks || photo.receipt) await journal.delete(row.seq as number);
  }
}

async function declared(tx: Transaction, id: string): Promise<void> {
  const photos = tx.objectStore("photo");
  const photo = await photos.get(id);
  if (photo?.state === "waiting") await photos.put({ ...photo, state: "declared" });
}

/** Free the bytes of photos that have a receipt and whose declaration has left the journal; gives how many. */
export async function freePhotos(db: Db): Promise<number> {
  return db.write(["photo", "chunk", "journal"], async (tx) => {
    const kept = new Set((await tx.objectStore("journal").getAll()).map((row: JournalRow) => row.object));
    const photos = tx.objectStore("photo");
    const free = (await photos.index("state").getAll("stored")).filter(
      (one) => one.receipt === true && one.chunks > 0 && !kept.has(one.id),
    );
    for (const photo of free) {
      await tx.objectStore("chunk").delete(IDBKeyRange.bound([photo.id, 0], [photo.id, photo.chunks]));
      await photos.put({ ...photo, chunks: 0 });
    }
    return free.length;
  });
}
