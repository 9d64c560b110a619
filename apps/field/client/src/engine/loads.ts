/** Which streams are being loaded from a snapshot: begun and ended by pages of a pull, within their transactions. */

import type { Transaction } from "./db.ts";

/** Take from a page which streams are to be loaded from a snapshot, and which loads are over; within its transaction. */
export async function noteLoads(tx: Transaction, page: { drop: string[]; reset: string[]; snapshot?: string[] }): Promise<void> {
  for (const row of await tx.objectStore("snapshot").getAll()) if (row.loaded !== null) await forgetLoad(tx, row.s);
  for (const stream of [...page.drop, ...page.reset]) await forgetLoad(tx, stream);
  if (!("DecompressionStream" in globalThis)) return; // an older phone pulls on, and gets them page by page
  for (const s of page.snapshot ?? []) await tx.objectStore("snapshot").put({ s, loaded: null, manifest: null });
}

/** Forget a load; what it brought stays in the base until the stream loads anew. */
export async function forgetLoad(tx: Transaction, stream: string): Promise<void> {
  await tx.objectStore("snapshot").delete(stream);
  for (const key of await tx.objectStore("part").index("s").getAllKeys(stream)) await tx.objectStore("part").delete(key);
}

/** Take out rows of a stream's newest load, by the last byte of their id. */
export async function forgetRows(tx: Transaction, stream: string, isOver: (byte: number) => boolean): Promise<void> {
  const g = (await tx.objectStore("stream").get(stream))?.g ?? 0;
  const keys = await tx.objectStore("base").index("load").getAllKeys([stream, g]);
  const over = keys.filter(([, , id]) => isOver(Number.parseInt(id.slice(-2), 16)));
  await Promise.all(over.flatMap((at) => [tx.objectStore("base").delete(at), tx.objectStore("body").delete(at)]));
}
