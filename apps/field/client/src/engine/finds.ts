/** Seizures and custody for the screens: signals to watch and commands to give. The engine owns it and tells it to rebuild. */

import { uuid7 } from "./bytes.ts";
import { buildExhibit, buildHandOver, custodyIds } from "./custody.ts";
import type { Exhibit, Goal, Seizure, SeizurePatch } from "./find-types.ts";
import type { FindsDoor, Lent } from "./finds-door.ts";
import { Forms } from "./forms.ts";
import { buildSeizure, SeizureWork, seizureIds } from "./seizures.ts";
import type { Session } from "./session.ts";
import { EngineError } from "./types.ts";

export class FindsOf {
  constructor(
    private readonly shown: FindsDoor,
    private readonly lent: Lent,
  ) {}

  ids({ mirror }: Session): Set<string> {
    return seizureIds(mirror);
  }

  /** Make anew what looks different; `isShut`: a phone that has not heard of the server for long shows unsent work only. */
  rebuild(session: Session, ids: Iterable<string> | null, isPushing: boolean, isShut: boolean): void {
    const { mirror } = session;
    const all = seizureIds(mirror);
    if (ids && ![...ids].some((id) => all.has(id) || this.shown.seizures.value.some((one) => one.id === id))) return;
    const seen = <T extends { is_saved_on_server: boolean }>(found: Iterable<T | null>): T[] =>
      [...found].filter((one): one is T => one !== null && !(isShut && one.is_saved_on_server));
    this.shown.seizures.value = seen([...all].map((id) => buildSeizure(mirror, id, isPushing))).sort(newestFirst);
    if (ids) return;
    this.shown.exhibits.value = seen([...custodyIds(mirror, "exhibit")].map((id) => buildExhibit(mirror, id))).sort(byNumber);
    const me = this.lent.officer();
    this.shown.hand_overs.value = seen([...custodyIds(mirror, "hand_over")].map((id) => buildHandOver(mirror, id, me)));
  }

  begin(fields: SeizurePatch, posting?: string): string {
    this.lent.touch();
    return this.work().open(posting ?? this.lent.only_posting(), fields);
  }

  save(seizure: string, patch: SeizurePatch): void {
    this.lent.touch();
    this.work().change(this.known(seizure), patch);
  }

  async send(seizure: string, goal: Goal, patch: SeizurePatch = {}): Promise<void> {
    this.lent.touch();
    await this.work().sendOn(this.known(seizure), goal, patch);
  }

  async discard(seizure: string): Promise<void> {
    await this.work().discard(this.known(seizure));
  }

  async addPhoto(seizure: string, picture: Blob, source: "camera" | "gallery", purpose: string): Promise<string> {
    this.lent.touch();
    this.work();
    const known = this.known(seizure);
    if (!known.is_editable) throw new EngineError("not-editable");
    const version = String(known.fields.checklist_version ?? "");
    const owner = { ...known, checklist_version: version, content_hash: "", kind: "seizure" as const };
    return this.lent.opened().addPhoto(owner, "", picture, source, purpose);
  }

  removePhoto(seizure: string, photo: string): void {
    void this.work().removePhoto(this.known(seizure), "", photo).catch((error: unknown) => this.lent.failed(error));
  }

  async act(type: string, object: string | null, fields: SeizurePatch, after: string[] = []): Promise<string> {
    this.lent.touch();
    const id = object ?? uuid7();
    await this.lent.opened().act(type, id, fields, after);
    return id;
  }

  halfFilled(form: string): SeizurePatch | null {
    return this.forms().of(form);
  }

  keepHalfFilled(form: string, said: SeizurePatch | null): void {
    this.lent.touch();
    this.forms().keep(form, said);
  }

  private forms(): Forms {
    const session = this.lent.opened();
    session.forms ??= session.worker((db, mirror, _outbox, clock, _changed, _waits, failed) => new Forms(db, mirror, clock, failed));
    return session.forms;
  }

  /** Edits of seizures in the open session. */
  private work(): SeizureWork {
    const session = this.lent.opened();
    session.finds ??= session.worker((...given) => new SeizureWork(...given));
    return session.finds;
  }

  private known(id: string): Seizure {
    const found = this.shown.seizures.value.find((one) => one.id === id);
    if (!found) throw new EngineError("unknown-report");
    return found;
  }
}

const moment = (one: Seizure) => one.changed_on_device_at ?? one.received_at ?? "";
const newestFirst = (one: Seizure, other: Seizure) => (moment(one) + one.id < moment(other) + other.id ? 1 : -1);
const byNumber = (one: Exhibit, other: Exhibit) => (one.number ?? 1e9) - (other.number ?? 1e9);
