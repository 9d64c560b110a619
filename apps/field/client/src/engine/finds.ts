/** Seizures and custody for the screens: signals to watch and commands to give. The engine owns it and tells it to rebuild. */

import { computed, signal } from "@preact/signals";
import { uuid7 } from "./bytes.ts";
import { buildExhibit, buildHandOver, custodyIds } from "./custody.ts";
import type { Exhibit, Finds, Goal, HandOver, Seizure, SeizurePatch } from "./find-types.ts";
import { buildSeizure, seizureIds } from "./seizures.ts";
import type { Session } from "./session.ts";
import { EngineError } from "./types.ts";

/** What the engine lends. */
interface Lent {
  opened(): Session;
  officer(): string | null;
  only_posting(): string | null;
  touch(): void;
  failed(error: unknown): void;
}

export class FindsOf implements Finds {
  readonly seizures = signal<Seizure[]>([]);
  readonly exhibits = signal<Exhibit[]>([]);
  readonly hand_overs = signal<HandOver[]>([]);
  readonly troubles = computed(() =>
    [...this.seizures.value, ...this.exhibits.value, ...this.hand_overs.value].flatMap((one) => one.troubles),
  );

  constructor(private readonly lent: Lent) {}

  /** Make anew what looks different; `isShut`: a phone that has not heard of the server for long shows unsent work only. */
  rebuild(session: Session, ids: Iterable<string> | null, isPushing: boolean, isShut: boolean): void {
    const { mirror } = session;
    const all = seizureIds(mirror);
    if (ids && ![...ids].some((id) => all.has(id) || this.seizures.value.some((one) => one.id === id))) return;
    const seen = <T extends { is_saved_on_server: boolean }>(found: Iterable<T | null>): T[] =>
      [...found].filter((one): one is T => one !== null && !(isShut && one.is_saved_on_server));
    this.seizures.value = seen([...all].map((id) => buildSeizure(mirror, id, isPushing))).sort(newestFirst);
    if (ids) return;
    this.exhibits.value = seen([...custodyIds(mirror, "exhibit")].map((id) => buildExhibit(mirror, id))).sort(byNumber);
    const me = this.lent.officer();
    this.hand_overs.value = seen([...custodyIds(mirror, "hand_over")].map((id) => buildHandOver(mirror, id, me)));
  }

  clear(): void {
    this.seizures.value = [];
    this.exhibits.value = [];
    this.hand_overs.value = [];
  }

  begin(fields: SeizurePatch, posting?: string): string {
    this.lent.touch();
    return this.lent.opened().finds.open(posting ?? this.lent.only_posting(), fields);
  }

  save(seizure: string, patch: SeizurePatch): void {
    this.lent.touch();
    this.lent.opened().finds.change(this.known(seizure), patch);
  }

  async send(seizure: string, goal: Goal, patch: SeizurePatch = {}): Promise<void> {
    this.lent.touch();
    await this.lent.opened().finds.sendOn(this.known(seizure), goal, patch);
  }

  async discard(seizure: string): Promise<void> {
    await this.lent.opened().finds.discard(this.known(seizure));
  }

  async addPhoto(seizure: string, picture: Blob, source: "camera" | "gallery"): Promise<string> {
    this.lent.touch();
    const known = this.known(seizure);
    if (!known.is_editable) throw new EngineError("not-editable");
    const version = String(known.fields.checklist_version ?? "");
    const owner = { ...known, checklist_version: version, content_hash: "", kind: "seizure" as const };
    return this.lent.opened().addPhoto(owner, "", picture, source);
  }

  removePhoto(seizure: string, photo: string): void {
    const { finds } = this.lent.opened();
    void finds.removePhoto(this.known(seizure), "", photo).catch((error: unknown) => this.lent.failed(error));
  }

  async act(type: string, object: string | null, fields: SeizurePatch, after: string[] = []): Promise<string> {
    this.lent.touch();
    const id = object ?? uuid7();
    await this.lent.opened().act(type, id, fields, after);
    return id;
  }

  private known(id: string): Seizure {
    const found = this.seizures.value.find((one) => one.id === id);
    if (!found) throw new EngineError("unknown-report");
    return found;
  }
}

const moment = (one: Seizure) => one.changed_on_device_at ?? one.received_at ?? "";
const newestFirst = (one: Seizure, other: Seizure) => (moment(one) + one.id < moment(other) + other.id ? 1 : -1);
const byNumber = (one: Exhibit, other: Exhibit) => (one.number ?? 1e9) - (other.number ?? 1e9);
