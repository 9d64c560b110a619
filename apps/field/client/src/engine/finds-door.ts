/**
 * Seizures and custody as the engine holds them: signals at once, and the code behind them (`finds.ts`) fetched after the
 * first screen stands. What waits to be sent does not need it.
 */

import { computed, signal } from "@preact/signals";
import type { Exhibit, Finds, Goal, HandOver, Seizure, SeizurePatch } from "./find-types.ts";
import type { FindsOf } from "./finds.ts";
import type { Session } from "./session.ts";
import { EngineError } from "./types.ts";

/** What the engine lends. */
export interface Lent {
  opened(): Session;
  officer(): string | null;
  only_posting(): string | null;
  touch(): void;
  failed(error: unknown): void;
  /** The code is here: build what it shows. */
  arrived(): void;
}

export class FindsDoor implements Finds {
  readonly seizures = signal<Seizure[]>([]);
  readonly exhibits = signal<Exhibit[]>([]);
  readonly hand_overs = signal<HandOver[]>([]);
  readonly troubles = computed(() =>
    [...this.seizures.value, ...this.exhibits.value, ...this.hand_overs.value].flatMap((one) => one.troubles),
  );
  private behind: FindsOf | null = null;

  constructor(private readonly lent: Lent) {}

  async ready(): Promise<void> {
    if (this.behind) return;
    const { FindsOf } = await import("./finds.ts");
    this.behind ??= new FindsOf(this, this.lent);
    this.lent.arrived();
  }

  /** Whether the code is here, fetched if need be; offline and never fetched before, it is not. */
  async isReady(): Promise<boolean> {
    try {
      await this.ready();
      return true;
    } catch {
      return false;
    }
  }

  /** Make anew what looks different. */
  rebuild(session: Session, ids: Iterable<string> | null, isPushing: boolean, isShut: boolean): void {
    this.behind?.rebuild(session, ids, isPushing, isShut);
  }

  /** The ids of all seizures; null while nobody here can tell. */
  ids(session: Session): Iterable<string> | null {
    return this.behind?.ids(session) ?? null;
  }

  clear(): void {
    this.seizures.value = [];
    this.exhibits.value = [];
    this.hand_overs.value = [];
  }

  begin(fields: SeizurePatch, posting?: string): string {
    return this.works.begin(fields, posting);
  }

  save(seizure: string, patch: SeizurePatch): void {
    this.works.save(seizure, patch);
  }

  async send(seizure: string, goal: Goal, patch: SeizurePatch = {}): Promise<void> {
    await this.works.send(seizure, goal, patch);
  }

  async discard(seizure: string): Promise<void> {
    await this.works.discard(seizure);
  }

  async addPhoto(seizure: string, picture: Blob, source: "camera" | "gallery", purpose: string): Promise<string> {
    return this.works.addPhoto(seizure, picture, source, purpose);
  }

  removePhoto(seizure: string, photo: string): void {
    this.works.removePhoto(seizure, photo);
  }

  async act(type: string, object: string | null, fields: SeizurePatch, after: string[] = []): Promise<string> {
    return this.works.act(type, object, fields, after);
  }

  halfFilled(form: string): SeizurePatch | null {
    return this.works.halfFilled(form);
  }

  keepHalfFilled(form: string, said: SeizurePatch | null): void {
    this.works.keepHalfFilled(form, said);
  }

  private get works(): FindsOf {
    if (!this.behind) throw new EngineError("unexpected", "finds");
    return this.behind;
  }
}
