/**
 * Tells the officer after the app has ended in the middle of a form (a tab that was killed, a battery that ran out) that
 * what was entered is still there. Which form is open stands in the browser's own store: an id, and nothing of its content.
 */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import { Notice } from "../ui/parts.tsx";
import { href } from "../ui/router.ts";
import { titleOf } from "./report-row.tsx";

const PLACE = "haidang-form";

/** The form that was open when the app ended the last time; null once the officer has been there again. */
const left = signal(localStorage.getItem(PLACE));

/** Note that a form is open, as long as it is. */
export function useFormOpen(id: string): void {
  useEffect(() => {
    localStorage.setItem(PLACE, id);
    return () => {
      localStorage.removeItem(PLACE);
      left.value = null;
    };
  }, [id]);
}

/** On Today: what was being filled in, and the way back to it. */
export function LeftOver() {
  const w = words().recovery;
  const report = left.value ? engine.report(left.value).value : null;
  if (!report?.is_editable) return null;
  return (
    <Notice tone="ready" icon="pen">
      <p>
        <strong>{titleOf(report)}</strong>
      </p>
      <p>{w.lead}</p>
      <a class="button" href={href({ screen: "fill", id: report.id, page: "general", step: "" })}>
        {w.go_on}
      </a>
    </Notice>
  );
}

/** In the form itself: that nothing is lost. */
export function Recovered({ id }: { id: string }) {
  if (left.value !== id) return null;
  return (
    <Notice tone="good" icon="check">
      {words().recovery.here}
    </Notice>
  );
}
