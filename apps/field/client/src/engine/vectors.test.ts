/** The rules of docs/sync.md as data (`tests/vectors/sync`): the same files that `tests/phone.py` must pass. */

import { describe, expect, test } from "vitest";
import { NOW, openPhone, type Prepared } from "../testing/phone.ts";
import { vectors } from "../testing/vectors.ts";
import { type Body, type Page, takePage } from "./base.ts";
import { type OutboxRow, TABLES } from "./db.ts";
import { ready } from "./outbox.ts";
import { type Edit, view } from "./overlay.ts";
import { OutOfStep } from "./pull.ts";
import { Refused, Wiped } from "./wire.ts";

interface Scenario {
  name: string;
  steps: { page: Page; rows: unknown[][]; wrong: string[] }[];
}

describe("pages lead to their tables", () => {
  test.each(vectors<Scenario>("pages", "scenarios"))("$name", async ({ steps }) => {
    const { db, vault } = await openPhone();
    for (const step of steps) {
      expect(await takePage(db, vault, step.page)).toEqual(step.wrong);
      const rows = await db.read(["base"], (tx) => tx.objectStore("base").getAll());
      expect(rows.map((row) => [row.s, row.k, row.id, row.rev]).sort()).toEqual(step.rows);
      const bodies = await db.read(["body"], (tx) => tx.objectStore("body").count());
      expect(bodies).toBe(rows.length);
      expect(await db.get("cursor")).toBe(step.page.cursor);
    }
  });
});

interface Overlay {
  name: string;
  base: { rev: number; body: Body } | null;
  edits: (Omit<Edit, "rev"> & { rev?: number })[];
  shown: Body;
}

describe("edits lie over the record", () => {
  test.each(vectors<Overlay>("overlays", "cases"))("$name", ({ base, edits, shown }) => {
    expect(view(base, edits.map((edit) => ({ ...edit, rev: edit.rev ?? null })))).toEqual(shown);
  });
});

interface Order {
  name: string;
  outbox: { id: string; object: string; state: string; depends: string[]; base_rev: number | null; retry_in: number }[];
  ready: string[];
}

describe("mutations go out in order", () => {
  test.each(vectors<Order>("order", "cases"))("$name", ({ outbox, ready: wanted }) => {
    const rows = outbox.map((row, i) => ({ ...row, seq: i + 1, retry_at: row.retry_in ? NOW + row.retry_in : 0 }));
    expect(ready(rows as unknown as OutboxRow[], 50, NOW, 900).map((row) => row.id)).toEqual(wanted);
  });
});

interface Decision {
  name: string;
  do: "push" | "pull";
  answers: Prepared[];
  asked: string[];
  raises?: number;
  wiped?: boolean;
  out_of_step?: boolean;
  waiting?: number;
  attention?: number;
  cursor?: string;
  cursors?: (string | null)[];
  resets?: string[][];
  new_ids?: boolean;
  waits?: [number, number];
}

describe("answers are obeyed", () => {
  test.each(vectors<Decision>("decisions", "cases"))("$name", async (wanted) => {
    const phone = await openPhone(wanted.answers);
    const { db, outbox, wire, asked } = phone;
    await db.put({ cursor: "c0", epoch: "e1" });
    await wire.keepTokens({ access_token: "a", refresh_token: "r" });
    const first = [await save(phone, "o1"), await save(phone, "o2")];
    let raised: unknown = null;
    await phone[wanted.do].run().catch((error: unknown) => {
      raised = error;
    });
    expect(asked.map((one) => one.path)).toEqual(wanted.asked);
    expect(raised instanceof Refused ? raised.status : null).toBe(wanted.raises ?? null);
    expect([raised instanceof Wiped, phone.told.wiped]).toEqual([wanted.wiped ?? false, wanted.wiped ?? false]);
    expect(raised instanceof OutOfStep).toBe(wanted.out_of_step ?? false);
    if (wanted.cursors) expect(asked.map((one) => one.body.cursor ?? null)).toEqual(wanted.cursors);
    if (wanted.resets) expect(asked.map((one) => one.body.reset)).toEqual(wanted.resets);
    if (wanted.wiped) {
      await db.begin();
      const left = await db.read(TABLES, (tx) => Promise.all(TABLES.map((table) => tx.objectStore(table).count())));
      expect(left.every((count) => count === 0)).toBe(true);
      return;
    }
    const rows = await outbox.all();
    if (wanted.waiting !== undefined)
      expect(rows.filter((row) => row.state === "waiting" || row.state === "sent").length).toBe(wanted.waiting);
    expect(rows.filter((row) => row.state === "attention").length).toBe(wanted.attention ?? 0);
    if (wanted.cursor !== undefined) expect((await db.get("cursor")) ?? "").toBe(wanted.cursor);
    if (wanted.new_ids) expect(rows.some((row) => first.includes(row.id))).toBe(false);
    const [least, most] = wanted.waits ?? [0, 0];
    const pause = await wire.pause();
    expect(pause).toBeGreaterThanOrEqual(least);
    expect(pause).toBeLessThanOrEqual(most);
  });
});

async function save({ outbox }: Awaited<ReturnType<typeof openPhone>>, object: string): Promise<string> {
  const row = await outbox.add("inspection.save", object, { fields: { remarks: "x" }, made_at: "2026-11-21T08:00:00Z" });
  return row.id;
}
