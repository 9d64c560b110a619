/**
 * When and in which order the phone speaks to the server: push, pull, photos; one tab at a time; never a hot loop.
 *
 * While the app is open and in the foreground it holds a long poll, so that news comes at once; work that waits breaks
 * the poll off. After a failure it pauses, longer each time and never to the second. Nothing relies on Background Sync.
 */

import type { Db } from "./db.ts";
import { codeOf } from "./faults.ts";
import { alone, OUTBOX, SYNC } from "./locks.ts";
import { freePhotos, type Outbox } from "./outbox.ts";
import { delay } from "./patience.ts";
import type { Photos } from "./photos.ts";
import { OutOfStep, type Pull } from "./pull.ts";
import type { Push } from "./push.ts";
import type { Receipts } from "./receipts.ts";
import type { SyncErrorCode, SyncState } from "./types.ts";
import { type Wire, Wiped } from "./wire.ts";

const LONG_POLL = 25;
/** How long after the last stroke a draft is sent. */
const CALM_MS = 4000;
/** Least time between two polls, whatever the server answers. */
const BREATH_MS = 1000;

export type Phase = SyncState["phase"];
export interface Parts {
  db: Db;
  wire: Wire;
  outbox: Outbox;
  push: Push;
  pull: Pull;
  photos: Photos;
  receipts: Receipts;
}
export interface Watcher {
  phase(phase: Phase, nextIn?: number | null): void;
  failed(code: SyncErrorCode, detail: string): void;
  /** Push, pull and photos have all ended well. */
  done(serverTime: string | null): Promise<void>;
  /** Rows of the outbox or photos have moved on. */
  changed(): Promise<void>;
  wiped(): void;
}

export class Sync {
  private failures = 0;
  private isOn = false;
  private asked = false;
  private calm: ReturnType<typeof setTimeout> | undefined;
  private stopWaiting = new AbortController();
  private loop: Promise<void> | null = null;

  constructor(
    private readonly parts: Parts,
    private readonly watch: Watcher,
  ) {}

  /** Keep in step while the page is in the foreground; does nothing when it does so already. */
  start(): void {
    this.isOn = true;
    this.loop ??= this.run().finally(() => {
      this.loop = null;
      if (this.isOn) this.start();
    });
  }

  /** Leave off at the next opportunity; another tab may go on. */
  async stop(): Promise<void> {
    this.isOn = false;
    clearTimeout(this.calm);
    this.wake();
    await this.loop;
  }

  /** Something waits to be sent: at once, or when the officer pauses. */
  waits(atOnce: boolean): void {
    clearTimeout(this.calm);
    if (atOnce) this.kick();
    else this.calm = setTimeout(() => this.kick(), CALM_MS);
  }

  /** Sync now, whatever pause is under way. */
  kick(): void {
    this.asked = true;
    this.wake();
  }

  /** One whole round; throws what went wrong. */
  async once(): Promise<void> {
    const { db, wire, outbox, push, pull, photos, receipts } = this.parts;
    await rest(await wire.pause(), this.stopWaiting.signal);
    await db.put({ not_before: undefined });
    const known = await db.get<string>("epoch");
    this.watch.phase("pulling");
    await push.run(() => this.watch.phase("pushing"));
    this.watch.phase("pulling");
    let trouble: OutOfStep | null = null;
    try {
      await this.pullAll();
      if ((await db.get("replay")) || (known && (await db.get("epoch")) !== known)) {
        await push.run(); // the server has gone back in time
        await this.pullAll();
      }
    } catch (error) {
      if (!(error instanceof OutOfStep)) throw error;
      trouble = error;
    }
    let sent = await photos.send(() => this.watch.phase("photos"));
    if (await db.get("replay")) {
      await push.run(); // the server did not know of some of them
      sent += await photos.send();
    }
    if (sent && !trouble) await pull.run();
    await receipts.check();
    await freePhotos(db);
    await outbox.forgetAnswered();
    await this.watch.changed();
    if (trouble) throw trouble;
    await this.watch.done(wire.serverTime);
  }

  private async pullAll(): Promise<void> {
    const { outbox, pull } = this.parts;
    const done = await outbox.doneIds();
    await pull.run();
    await alone(OUTBOX, () => outbox.prune(done)); // what was applied before this pull is now in the base, or not ours
  }

  private async run(): Promise<void> {
    const leave = this.stopWaiting.signal;
    await alone(SYNC, () => this.lead(), leave).catch((error: unknown) => {
      if (!leave.aborted) throw error;
    });
  }

  /** Be the tab that speaks to the server, until the page leaves the foreground. */
  private async lead(): Promise<void> {
    while (this.isOn) {
      this.asked = false;
      try {
        await this.once();
        this.failures = 0;
        this.watch.phase("idle");
        await this.listen();
      } catch (error) {
        if (error instanceof Wiped) {
          this.isOn = false;
          this.watch.wiped();
          return;
        }
        if (!this.isOn || isAbort(error)) continue;
        await this.pauseAfter(error);
      }
    }
    this.watch.phase("idle");
  }

  /** Wait for news with a long poll, until something waits here or the page leaves the foreground. */
  private async listen(): Promise<void> {
    while (this.isOn && !this.asked) {
      const began = performance.now();
      const news = await this.parts.pull.run(LONG_POLL, this.stopWaiting.signal);
      if (news) return; // a whole round: photos may be confirmed, dropped records forgotten
      await this.watch.done(this.parts.wire.serverTime);
      await rest(Math.max(0, BREATH_MS - (performance.now() - began)) / 1000, this.stopWaiting.signal);
    }
  }

  private async pauseAfter(error: unknown): Promise<void> {
    const [code, detail] = codeOf(error);
    const asked = await this.parts.wire.pause().catch(() => 0);
    const pause = code === "upgrade" || code === "sign-in" ? 300 : asked || delay(this.failures);
    this.failures += 1;
    this.watch.failed(code, detail);
    this.watch.phase("pausing", pause);
    await this.watch.changed().catch(() => undefined);
    if (!this.asked) await rest(pause, this.stopWaiting.signal).catch(() => undefined);
  }

  private wake(): void {
    this.stopWaiting.abort();
    this.stopWaiting = new AbortController();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Let time pass; ends early, with an AbortError, when the signal says so. */
function rest(seconds: number, signal: AbortSignal): Promise<void> {
  if (seconds <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("woken", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}
