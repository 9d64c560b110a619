/** The words of the chosen language. Components read `words()`; a change of language shows at once. */

import { effect, signal } from "@preact/signals";
import { engine } from "../engine/index.ts";
import type { Lang, Say } from "../engine/types.ts";
import { vi } from "./vi.ts";
import type { behind } from "./vi-behind.ts";

type Behind = Widened<typeof behind>;
/** What a dictionary must have: every key of the Vietnamese one. */
export type Words = Widened<typeof vi> & Behind;

export type Widened<T> = {
  [K in keyof T]: T[K] extends (...given: infer Given) => string
    ? (...given: Given) => string
    : T[K] extends string
      ? string
      : T[K] extends readonly string[]
        ? readonly string[]
        : Widened<T[K]>;
};

/** English comes in a file of its own (kept offline too): most phones never need it. */
const english = signal<Words | null>(null);

/** Vietnamese as far as it is here. */
let vietnamese = vi as Widened<typeof vi> & Partial<Behind>;

/** Take in the words of the screens behind Today: called where those screens are loaded, before any of them is shown. */
export function learn(words: Behind): void {
  vietnamese = { ...vi, ...words };
}

/** Fetch the words of the chosen language where they are not here yet. */
export async function loadWords(): Promise<void> {
  if (engine.prefs.value.lang === "en" && !english.value) english.value = (await import("./en.ts")).en;
}
effect(() => void loadWords());

/** The chosen language, from the moment its words are here. */
export function lang(): Lang {
  return engine.prefs.value.lang === "en" && english.value ? "en" : "vi";
}

/** The words of the chosen language; those of screens behind Today from the moment these are loaded. */
export function words(): Words {
  return (lang() === "en" && english.value) || (vietnamese as Words);
}

/** Choose from a text that comes in both languages. */
export function say(text: Say): string {
  return text[lang()] || text.vi;
}

/** Find the word for a code; what the app does not know yet stays readable. */
export function named(table: object, code: string): string {
  return Object.hasOwn(table, code) ? String((table as Record<string, unknown>)[code]) : code.replaceAll("_", " ");
}
