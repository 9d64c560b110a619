/** Reads the vectors that all phones share (`tests/vectors/sync/*.json`; `tests/phone.py` runs them too). */

import { readFileSync } from "node:fs";

export function vectors<T>(name: string, part: string): T[] {
  const file = new URL(`../../../../../tests/vectors/sync/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as Record<string, T[]>)[part] ?? [];
}
