/** The digests of the shared vectors. */

import { expect, test } from "vitest";
import { vectors } from "../testing/vectors.ts";
import { rowDigest, sumDigests } from "./digest.ts";

test("rows have their digests", async () => {
  const rows = vectors<{ kind: string; id: string; rev: number; digest: number }>("digests", "rows");
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(await rowDigest(row.kind, row.id, row.rev)).toBe(row.digest);
});

test("streams have their digests", async () => {
  const streams = vectors<{ rows: [string, string, number][]; n: number; h: number }>("digests", "streams");
  expect(streams.length).toBeGreaterThan(0);
  for (const stream of streams) {
    const rows = await Promise.all(stream.rows.map((row) => rowDigest(...row)));
    expect([rows.length, sumDigests(rows)]).toEqual([stream.n, stream.h]);
  }
});
