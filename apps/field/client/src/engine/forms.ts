/** Half-filled custody forms: kept sealed like everything else, so that a killed tab comes back with them. */

import type { Db } from "./db.ts";
import type { SeizurePatch } from "./find-types.ts";
import type { Mirror } from "./mirror.ts";
import { type Clock, claimed } from "./patience.ts";
import type { EngineError } from "./types.ts";
import { storageFault } from "./work.ts";

export class Forms {
  private readonly dirty = new Set<string>();
  private storing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Db,
    private readonly mirror: Mirror,
    private readonly clock: Clock,
    private readonly failed: (fault: EngineError) => void,
  ) {}

  of(form: string): SeizurePatch | null {
    return this.mirror.local.get(form)?.form ?? null;
  }

  /** Keep what is entered by now; null lets go of it. Writes follow each other, and the last word is what is stored. */
  keep(form: string, said: SeizurePatch | null): void {
    if (said) this.mirror.local.set(form, { begun_at: null, changed_at: claimed(this.clock), form: said });
    else if (!this.mirror.local.delete(form)) return;
    this.dirty.add(form);
    this.storing = this.storing.then(() => this.store(form)).catch((error: unknown) => this.failed(storageFault(error)));
  }

  async flush(): Promise<void> {
    await this.storing;
  }

  private async store(form: string): Promise<void> {
    if (!this.dirty.delete(form)) return;
    const local = this.mirror.local.get(form);
    const sealed = local && (await this.mirror.sealLocal(form, local));
    await this.db.write(["local"], async (tx) => {
      const table = tx.objectStore("local");
      await (sealed ? table.put(sealed, form) : table.delete(form));
    });
  }
}
