/** Push: what waits goes out in order, and every verdict is acted upon. Halves what is too large; sends a journal again. */

import type { Db } from "./db.ts";
import { settleOvertaken } from "./decisions.ts";
import { alone, OUTBOX } from "./locks.ts";
import type { Mutation, Outbox, Verdict } from "./outbox.ts";
import { type Clock, delay, LONGEST_DELAY } from "./patience.ts";
import { Refused, type Wire } from "./wire.ts";

export const BATCH = 50;

interface PushAnswer {
  server_time: string;
  epoch: string;
  results: Verdict[];
}

export class Push {
  constructor(
    private readonly db: Db,
    private readonly outbox: Outbox,
    private readonly wire: Wire,
    private readonly clock: Clock,
    /** Called after each answer, so that the officer sees it at once. */
    private readonly changed: () => Promise<void> = async () => undefined,
  ) {}

  /** Send what waits, one mutation per object at a time, in order; gives how many were answered. */
  async run(begins: () => void = () => undefined): Promise<number> {
    if (await this.db.get("replay")) await this.replayJournal();
    let answered = 0;
    let size = BATCH;
    for (;;) {
      const batch = await alone(OUTBOX, () => this.outbox.take(size, this.clock.now(), LONGEST_DELAY));
      if (!batch.length) return answered;
      begins();
      await this.changed();
      let answer: PushAnswer;
      try {
        answer = await this.send(batch);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 413) throw error;
        size = await this.halve(error, batch);
        continue;
      }
      size = Math.min(BATCH, size * 2);
      answered += answer.results.length;
      const isRestored = !(await isSameServer(this.db, answer.epoch));
      await alone(OUTBOX, () => this.settleAll(batch, answer, isRestored));
      await this.changed();
      if (isRestored || answer.results.every((result) => result.status === "deferred")) return answered;
    }
  }

  /**
   * Send again what was acknowledged: a server restored from a backup may have lost it.
   *
   * What it does not take any more is told to the officer. A phone that dies on the way begins again.
   */
  async replayJournal(): Promise<void> {
    let left = await this.outbox.journal();
    let size = BATCH;
    while (left.length) {
      const batch = onePerObject(left, size);
      let answer: PushAnswer;
      try {
        answer = await this.send(batch);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 413 || batch.length === 1) throw error;
        size = Math.max(1, batch.length >> 1);
        continue;
      }
      if (!(await isSameServer(this.db, answer.epoch))) {
        await alone(OUTBOX, () => afterRestore(this.db, this.outbox)); // once more: begin again with the next sync
        return;
      }
      const put_off = new Set(answer.results.filter((one) => one.status === "deferred").map((one) => one.id));
      for (const [i, mutation] of batch.entries()) await this.replayed(mutation, answer.results[i] as Verdict);
      if (put_off.size === batch.length) return; // the server is busy; the next sync goes on
      const taken = new Set(batch.map((one) => one.id).filter((id) => !put_off.has(id)));
      left = left.filter((one) => !taken.has(one.id));
    }
    await this.db.write(["photo", "meta"], async (tx) => {
      const photos = tx.objectStore("photo");
      for (const photo of await photos.getAll())
        if (photo.chunks > 0 && photo.state !== "waiting" && photo.state !== "attention")
          await photos.put({ ...photo, state: "declared", location: null, sent: 0, receipt: false });
      await tx.objectStore("meta").delete("replay");
    });
  }

  private async send(mutations: Mutation[]): Promise<PushAnswer> {
    const device_id = (await this.db.get<string>("device_id")) ?? "";
    return this.wire.call<PushAnswer>("POST", "/sync/push", { device_id, mutations });
  }

  /** The batch is beyond the server's limits; a single mutation beyond them goes to the officer. */
  private async halve(refused: Refused, batch: Mutation[]): Promise<number> {
    const [only] = batch;
    if (batch.length === 1 && only)
      await this.outbox.settle(only.id, { status: "rejected", code: "too-large" }, { state: "attention" });
    const allowed = refused.problem.limits?.mutations ?? batch.length;
    return Math.max(1, Math.min(batch.length >> 1, allowed));
  }

  /** Act on the verdicts. What a restored server refuses, it refuses without what the journal holds. */
  private async settleAll(sent: Mutation[], answer: PushAnswer, isRestored: boolean): Promise<void> {
    const byId = new Map(sent.map((mutation) => [mutation.id, mutation]));
    const moment = Date.parse(answer.server_time) / 1000;
    const letsGo = !isRestored && !(await this.db.get("replay"));
    const refused: string[] = [];
    for (const result of answer.results) {
      const mutation = byId.get(result.id ?? "");
      if (!mutation) continue;
      const status = result.original_status ?? result.status;
      if (status === "applied") await this.outbox.applied(mutation, result, moment, letsGo);
      else if (isRestored) refused.push(mutation.id);
      else if (status === "deferred") await this.putOff(mutation.id, result);
      else await this.refuse(mutation, result);
    }
    if (isRestored) await afterRestore(this.db, this.outbox, refused);
  }

  /** Keep what was refused for the officer, unless it has been overtaken by what the officer said since. */
  private async refuse(mutation: Mutation, result: Verdict): Promise<void> {
    await this.outbox.settle(mutation.id, result, { state: "attention" });
    await settleOvertaken(this.db, this.outbox, mutation.object);
  }

  /** Send the same again later: at once when it only waits for another, otherwise after a growing pause. */
  private async putOff(id: string, result: Verdict): Promise<void> {
    const row = await this.db.read(["outbox"], (tx) => tx.objectStore("outbox").index("id").get(id));
    const tries = row?.tries ?? 0;
    const asked = result.retry_after ?? 0;
    const pause = asked ? Math.max(delay(0, asked), delay(tries)) : 0;
    const retry_at = pause ? this.clock.now() + pause : 0;
    await this.outbox.settle(id, result, { state: "waiting", tries: tries + 1, retry_at });
  }

  private async replayed(mutation: Mutation, result: Verdict): Promise<void> {
    const status = result.original_status ?? result.status;
    if (status === "deferred") return;
    const isTaken = status === "applied";
    if (!isTaken) await this.refuse(mutation, result);
    await this.db.write(["journal"], async (tx) => {
      const journal = tx.objectStore("journal");
      const row = await journal.index("id").get(mutation.id);
      if (row && isTaken) await journal.put({ ...row, rev: result.rev ?? null });
      else if (row) await journal.delete(row.seq as number);
    });
  }
}

/** Tell whether this is the server that acknowledged what the journal holds; noted before anything is. */
export async function isSameServer(db: Db, epoch: string): Promise<boolean> {
  const known = await db.get<string>("epoch");
  if (!known) await db.put({ epoch });
  return !known || known === epoch;
}

/**
 * Prepare for a server that has gone back in time: load anew, send the journal, forget its revisions.
 *
 * What it has refused meanwhile is sent again after the journal, as a new mutation.
 */
export async function afterRestore(db: Db, outbox: Outbox, refused: string[] = []): Promise<void> {
  const rows = (await Promise.all(refused.map((id) => outbox.row(id)))).filter((row) => row !== undefined);
  const fresh = new Map(await Promise.all(rows.map(async (row) => [row.id, await outbox.copy(row, null)] as const)));
  await db.write(["meta", "journal", "outbox"], async (tx) => {
    const meta = tx.objectStore("meta");
    await Promise.all([meta.delete("cursor"), meta.delete("epoch"), meta.put("1", "replay")]);
    const journal = tx.objectStore("journal");
    for (const row of await journal.getAll()) await journal.put({ ...row, rev: null });
    await outbox.renew(refused, tx, fresh);
  });
}

/** The first mutation of each object, in order. */
function onePerObject(mutations: Mutation[], most: number): Mutation[] {
  const first = new Map<string, Mutation>();
  for (const mutation of mutations) if (!first.has(mutation.object)) first.set(mutation.object, mutation);
  return [...first.values()].slice(0, most);
}
