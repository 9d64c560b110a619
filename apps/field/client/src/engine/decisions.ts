/**
 * What becomes of an edit that was refused: sent again at the officer's word, or let go.
 *
 * A conflict is about single fields. Where the officer gives way, only these are given up; the rest of the edit, which the
 * server has not taken either, is sent again. What the officer has said anew since is never replaced by something older, and a
 * conflict about nothing else is no question any more.
 */

import type { Db, OutboxRow } from "./db.ts";
import type { Mutation, Opened, Outbox } from "./outbox.ts";
import { type Fields, flatten, without } from "./overlay.ts";
import { flatSeizure } from "./seizures.ts";
import { EngineError } from "./types.ts";

/** Edits of a record of which some fields can be kept while others are given up. */
const IN_PARTS = /^(inspection|seizure)\.(save|submit|flash|preliminary)$/;
const SAVE = /\.save$/;

/** Send a refused edit again on what its refusal showed. What waited for the refused one waits for the new one. */
export async function insist(db: Db, outbox: Outbox, id: string): Promise<void> {
  const row = await opened(outbox, id);
  if (!row) throw new EngineError("unknown-report");
  const fields = IN_PARTS.test(row.type) ? without(row.fields, await saidSince(db, outbox, row)) : row.fields;
  const isOvertaken = SAVE.test(row.type) && !Object.keys(fields).length;
  await replace(db, id, isOvertaken ? null : await again(outbox, row, row.type, fields));
}

/** Leave the server's version of what is in conflict; the text stays in the outbox, answered. */
export async function giveWay(db: Db, outbox: Outbox, id: string): Promise<void> {
  const row = await opened(outbox, id);
  if (!row) return;
  const isInParts = IN_PARTS.test(row.type) && row.result?.code === "field-conflict";
  const given_up = [...(row.result?.fields ?? []), ...(isInParts ? await saidSince(db, outbox, row) : [])];
  const rest = isInParts ? without(row.fields, new Set(given_up)) : {};
  const save = row.type.replace(/\.\w+$/, ".save");
  await replace(db, id, Object.keys(rest).length ? await again(outbox, row, save, rest) : null);
}

/** Answer the conflicts of a record in which every field has been said anew since. */
export async function settleOvertaken(db: Db, outbox: Outbox, object: string): Promise<void> {
  const rows = await db.read(["outbox"], (tx) => tx.objectStore("outbox").index("object").getAll(object));
  for (const row of await outbox.open(rows.filter((one) => one.state === "attention" && SAVE.test(one.type)))) {
    const fields = row.result?.code === "field-conflict" ? (row.result.fields ?? []) : [];
    if (!fields.length) continue;
    const said = await saidSince(db, outbox, row);
    if (fields.every((field) => said.has(field))) await giveWay(db, outbox, row.id);
  }
}

/** The single fields of its record that the officer has edited again since, sent or not. */
async function saidSince(db: Db, outbox: Outbox, row: Opened): Promise<Set<string>> {
  const rows = await db.read(["outbox"], (tx) => tx.objectStore("outbox").index("object").getAll(row.object));
  const later = rows.filter((one) => one.state !== "answered" && (one.seq ?? 0) > (row.seq ?? 0));
  const sent = (await outbox.journal(row.object)).filter((one) => one.device_seq > (row.device_seq ?? 0));
  return new Set([...(await outbox.open(later)), ...sent].filter((one) => IN_PARTS.test(one.type)).flatMap(fieldsOf));
}

const fieldsOf = ({ type, fields }: Opened | Mutation): string[] =>
  Object.keys(type.startsWith("seizure.") ? flatSeizure(fields) : flatten(fields));

async function opened(outbox: Outbox, id: string): Promise<Opened | undefined> {
  const row = await outbox.row(id);
  return row && (await outbox.open([row]))[0];
}

async function again(outbox: Outbox, row: Opened, type: string, fields: Fields): Promise<OutboxRow> {
  return outbox.make(type, row.object, { fields, made_at: row.made_at }, await outbox.shownRev(row), row.depends);
}

async function replace(db: Db, id: string, fresh: OutboxRow | null): Promise<void> {
  await db.write(["outbox"], async (tx) => {
    const table = tx.objectStore("outbox");
    const refused = await table.index("id").get(id);
    if (refused?.state !== "attention") return;
    await table.put({ ...refused, state: "answered" });
    if (!fresh) return;
    await table.add(fresh);
    for (const row of await table.getAll())
      if (row.state === "waiting" && row.depends.includes(id))
        await table.put({ ...row, depends: row.depends.map((one) => (one === id ? fresh.id : one)) });
  });
}
