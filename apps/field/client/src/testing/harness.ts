/** The engine alone on a page, for `tests/field/test_engine_*.py`: a real Chromium drives it against the real server. */

import { type Page, takePage } from "../engine/base.ts";
import { uuid7 } from "../engine/bytes.ts";
import { PhoneEngine } from "../engine/engine.ts";
import type { Session } from "../engine/session.ts";

declare global {
  interface Window {
    phone: PhoneEngine;
    fill(reports: number): Promise<void>;
  }
}

window.phone = new PhoneEngine();

/** Put so many reports into the store, as a page of a pull would bring them. */
window.fill = async (reports) => {
  const { db, vault } = (window.phone as unknown as { session: Session }).session;
  const [posting] = window.phone.postings.value;
  const [version] = window.phone.checklists.value;
  const answers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`step_${i}`, { value: `Câu trả lời ${i}` }]));
  const body = { state: "approved", version: 1, checklist_version: version?.id ?? "", answers, photos: {}, notes: [] };
  const page: Page = {
    epoch: (await db.get<string>("epoch")) ?? "",
    cursor: (await db.get<string>("cursor")) ?? "",
    more: true,
    drop: [],
    reset: [],
    complete: {},
    changes: Array.from({ length: reports }, (_, i) => ({
      ...{ s: `post:${posting?.id}`, k: "inspection", id: uuid7(), rev: 3, op: "put" as const },
      body: { ...body, number: `IR-2026-NBA-${i}`, submitted_at: new Date(1.79e12 + i * 1000).toISOString() },
    })),
  };
  await takePage(db, vault, page);
};

await window.phone.start();
document.body.dataset.ready = "yes";
