/** Runs a command of the engine for a screen and turns what went wrong into words. */

import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { EngineError } from "../engine/types.ts";
import { words } from "../i18n/index.ts";

/** Words for an error of the engine, by a screen's own table first. */
export function wordsFor(error: unknown, own: object = {}): string {
  const code = error instanceof EngineError ? error.code : "unexpected";
  const table = { ...words().problems, ...own } as Record<string, string>;
  return table[code] ?? words().common.unexpected(error instanceof EngineError && error.detail ? error.detail : code);
}

/** What a button needs: whether its command runs, what went wrong, and how to start it. */
export function useCommand() {
  return useMemo(() => {
    const busy = signal(false);
    const problem = signal<unknown>(null);
    const run = async (command: () => Promise<unknown>): Promise<boolean> => {
      if (busy.value) return false;
      busy.value = true;
      problem.value = null;
      try {
        await command();
        return true;
      } catch (error) {
        problem.value = error;
        return false;
      } finally {
        busy.value = false;
      }
    };
    return { busy, problem, run };
  }, []);
}
