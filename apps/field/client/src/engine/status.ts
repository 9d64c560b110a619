/** The server's own account of this phone's reports and photos: what the sync centre compares with. */

import type { Db } from "./db.ts";
import type { Wire } from "./wire.ts";

export interface Status {
  server_time: string;
  reports: { id: string; number: string | null; state: string; rev: number; photos: Record<string, string> }[];
  uploads: { id: string; attachment: string | null; offset: number; length: number }[];
}

/**
 * Ask, and put right what this phone believed too early: a photo whose bytes were all sent, but which the server still
 * expects and has no upload of, is sent again. Gives how many there were.
 */
export async function reconcile(db: Db, wire: Wire): Promise<number> {
  const told = await wire.call<Status>("GET", "/sync/status");
  const expected = new Set<string>();
  for (const report of told.reports)
    for (const [photo, state] of Object.entries(report.photos)) if (state === "expected") expected.add(photo);
  const underWay = new Set(told.uploads.map((upload) => upload.attachment));
  return db.write(["photo"], async (tx) => {
    const photos = tx.objectStore("photo");
    const wrong = (await photos.index("state").getAll("sent")).filter(
      (photo) => photo.chunks > 0 && expected.has(photo.id) && !underWay.has(photo.id),
    );
    for (const photo of wrong) await photos.put({ ...photo, state: "declared", location: null, sent: 0 });
    return wrong.length;
  });
}
