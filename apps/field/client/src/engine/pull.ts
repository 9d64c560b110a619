/** Pull: changes until the head of each stream, the self-check, and what a restored server asks for. */

import { type Page, takePage } from "./base.ts";
import type { Db } from "./db.ts";
import { alone, OUTBOX } from "./locks.ts";
import type { Outbox } from "./outbox.ts";
import type { Clock } from "./patience.ts";
import { afterRestore, isSameServer, type Push } from "./push.ts";
import { Snapshots } from "./snapshots.ts";
import type { Vault } from "./vault.ts";
import { Refused, type Wire } from "./wire.ts";

export const MOST_RESETS = 3;
export const RESET_AGAIN_AFTER = 3600;
const LIMIT = 2000;

/** Streams did not agree with the server after three loads from the start: told to people, not tried for ever. */
export class OutOfStep extends Error {
  constructor(readonly streams: string[]) {
    super(streams.join(", "));
  }
}

type Resets = Record<string, [count: number, last: number]>;

export class Pull {
  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
    private readonly wire: Wire,
    private readonly push: Push,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    /** Called after each page with what it changed. */
    private readonly taken: (page: Page) => Promise<void> = async () => undefined,
    /** Called when streams were loaded from snapshots. */
    private readonly loaded: (streams: string[]) => Promise<void> = async () => undefined,
    private readonly snapshots = new Snapshots(db, vault, wire),
  ) {}

  /** Receive changes until the head of each stream; gives the number of rows. Throws OutOfStep. */
  async run(wait = 0, signal?: AbortSignal): Promise<number> {
    let received = 0;
    let ask: string[] = [];
    for (;;) {
      const page = await this.page(ask, wait, signal);
      if (!page) continue;
      received += page.changes.length;
      const wrong = await takePage(this.db, this.vault, page);
      // For whatever reason; sending the journal once more costs nothing if all of it is there.
      if (wrong.length) await this.db.put({ replay: "1" });
      await this.taken(page);
      ask = await this.judge(page, wrong);
      if (page.more || ask.length) continue;
      const loaded = await this.snapshots.load();
      if (loaded.length) {
        await this.loaded(loaded);
        continue; // what has happened to them since, and whether they agree
      }
      if (wrong.length) throw new OutOfStep(wrong);
      return received;
    }
  }

  /** Streams that did not agree after all resets, for the sync centre. */
  async troubles(): Promise<string[]> {
    const resets = (await this.db.get<Resets>("resets")) ?? {};
    return Object.keys(resets).filter((stream) => (resets[stream]?.[0] ?? 0) >= MOST_RESETS);
  }

  /** Ask for one page; null when the phone had to prepare itself first. */
  private async page(reset: string[], wait: number, signal?: AbortSignal): Promise<Page | null> {
    const cursor = (await this.db.get<string>("cursor")) || null;
    let page: Page;
    try {
      const body = { cursor, limit: LIMIT, wait, reset, ...(await this.snapshots.wish()) };
      page = await this.wire.call<Page>("POST", "/sync/pull", body, signal, 60 + wait);
    } catch (error) {
      if (!(error instanceof Refused) || !cursor) throw error;
      if (error.code === "epoch-changed") await this.beginAgain();
      else if (error.code === "invalid-field") await this.db.put({ cursor: undefined });
      else throw error;
      return null;
    }
    if (await isSameServer(this.db, page.epoch)) return page;
    await this.beginAgain(); // restored while the cursor was null, so nobody has said 410
    return null;
  }

  private async beginAgain(): Promise<void> {
    await alone(OUTBOX, () => afterRestore(this.db, this.outbox));
    await this.push.replayJournal();
  }

  /** Count the loads of each stream that disagrees; the fourth in a row has to wait an hour. */
  private async judge(page: Page, wrong: string[]): Promise<string[]> {
    const resets = { ...((await this.db.get<Resets>("resets")) ?? {}) };
    const before = JSON.stringify(resets);
    for (const stream of Object.keys(page.complete)) if (!wrong.includes(stream)) delete resets[stream];
    const now = this.clock.now();
    const ask = wrong.filter((stream) => {
      const [count, last] = resets[stream] ?? [0, 0];
      if (count >= MOST_RESETS && now - last >= 0 && now - last < RESET_AGAIN_AFTER) return false;
      resets[stream] = [count + 1, now];
      return true;
    });
    if (JSON.stringify(resets) !== before) await this.db.put({ resets });
    return ask;
  }
}
