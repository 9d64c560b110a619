/** The words of these screens in the chosen language, and what codes are called: by the lists that the server sends. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { ReferenceEntry } from "../../engine/types.ts";
import { type Widened, lang, named, say } from "../../i18n/index.ts";
import { en } from "./en.ts";
import { vi } from "./vi.ts";

export type FindWords = Widened<typeof vi>;

export function w(): FindWords {
  return lang() === "en" ? en : vi;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}
const lists = signal<ReadonlyMap<string, readonly ReferenceEntry[]>>(new Map());
const USED = ["vocabularies", "substances", "countries", "units"] as const;

/** Open the lists these screens use; once more whenever a sync has ended. */
export function useLists(): void {
  const synced = engine.sync.value.last_sync_at;
  useEffect(() => {
    for (const slug of USED)
      void engine
        .reference(slug)
        .then((entries) => (lists.value = new Map(lists.value).set(slug, entries)))
        .catch(() => undefined); // locked meanwhile
  }, [synced]);
}

/** Whether the lists are here at all. */
export function hasLists(): boolean {
  return (list("substances").length > 0 && list("vocabularies").length > 0) || lists.value.size < USED.length;
}

export function list(slug: (typeof USED)[number]): readonly ReferenceEntry[] {
  return lists.value.get(slug) ?? [];
}

/** The codes of a vocabulary that can be chosen, in their order, and the chosen one whatever became of it. */
export function vocabulary(name: string, chosen: readonly string[] = []): Choice[] {
  return list("vocabularies")
    .filter(({ data, valid }) => data.vocabulary === name && (valid || chosen.includes(String(data.code))))
    .toSorted((one, other) => Number(one.data.order) - Number(other.data.order))
    .map(({ data, label }) => ({ value: String(data.code), label: say(label) }));
}

/** What a code is called. */
export function called(name: string, code: string): string {
  const entry = list("vocabularies").find(({ key }) => key === `${name}.${code}`);
  return entry ? say(entry.label) : named({}, code);
}

/** The force of each unit that is known here, by code; the officer's own are customs. */
export function forces(): ReadonlyMap<string, string> {
  const own = engine.postings.value.map(({ unit }) => [unit.code, "customs"] as const);
  const known = list("units").flatMap(({ key, data }) => (data.force ? [[key, String(data.force)] as const] : []));
  return new Map([...own, ...known]);
}

export function substance(key: string): string {
  const entry = list("substances").find((one) => one.key === key);
  return entry ? say(entry.label) : key;
}

export function country(code: string): string {
  const entry = list("countries").find((one) => one.key === code);
  return entry ? say(entry.label) : code;
}
