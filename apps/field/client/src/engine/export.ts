/** Everything unsent as one readable file, for the day when nothing else helps. It leaves the phone's protection. */

import { base64 } from "./bytes.ts";
import { type Clock, claimed } from "./patience.ts";
import type { Session } from "./session.ts";
import type { DeviceFacts } from "./types.ts";

/** Give the file: mutations that were not accepted for good, and photos that are not confirmed. */
export async function exported(session: Session, device: DeviceFacts | null, clock: Clock): Promise<Blob> {
  const rows = (await session.outbox.all()).filter((row) => row.state !== "done" && row.state !== "answered");
  const mutations = rows.map(({ id, type, object, base_rev, device_seq, fields, made_at, state, result }) => ({
    ...{ id, type, object, base_rev, device_seq, fields, made_on_device_at: made_at },
    state,
    result,
  }));
  const parts: BlobPart[] = [
    JSON.stringify({
      kind: "haidang-unsent-work",
      v: 1,
      made_on_device_at: claimed(clock),
      device_id: device?.device_id ?? null,
      officer: device?.officer ?? null,
      mutations,
    }).slice(0, -1),
    ',"photos":[',
  ];
  const photos = (await session.photos.all()).filter((photo) => photo.state !== "stored" && photo.chunks > 0);
  for (const [i, { id, report, step, sha256, mime, size }] of photos.entries()) {
    const picture = await session.photos.picture(id);
    const bytes = picture ? base64(await picture.arrayBuffer()) : null;
    parts.push(i ? "," : "", JSON.stringify({ id, report, step, sha256, mime, size, bytes }));
  }
  parts.push("]}");
  return new Blob(parts, { type: "application/json" });
}
