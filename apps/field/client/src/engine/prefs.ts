/** What an officer likes: language, size of text, light or dark. No content, so it may lie in plain view. */

import type { Prefs } from "./types.ts";

const KEY = "haidang-prefs";
const USUAL: Prefs = { lang: "vi", text_size: "normal", theme: "system" };

export function readPrefs(): Prefs {
  try {
    return { ...USUAL, ...(JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "{}") as Partial<Prefs>) };
  } catch {
    return USUAL;
  }
}

export function writePrefs(prefs: Prefs): void {
  try {
    globalThis.localStorage?.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // a browser that keeps nothing keeps no likings either
  }
}
