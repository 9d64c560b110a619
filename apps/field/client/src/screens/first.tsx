/** The first sync: a step of its own, with size and time, and the two things the phone should be asked for meanwhile. */

import { computed, signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import * as format from "../i18n/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Meter, Notice } from "../ui/parts.tsx";
import { DoorHead } from "./enrol.tsx";
import { InstallHint } from "./install.tsx";

/** Set when this phone is being enrolled; its officer then goes through this step even when it is quickly done. */
export const enrolledNow = signal(false);
const goneOn = signal(false);

/** Whether to show this step: the first load is not complete, and the officer has not gone on to work. */
export const isSettingUp = computed(() => {
  const { first } = engine.sync.value;
  return !goneOn.value && (enrolledNow.value || (first !== null && !first.done));
});

export function First() {
  const { first: loading, error } = engine.sync.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const w = words().first;
  const done = loading === null || loading.done;
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    void engine.syncNow();
    void engine.refreshStorage();
  }, []);
  return (
    <main id="content" class="door">
      <DoorHead />
      <p class="steps">{words().enrol.step(3, 3)}</p>
      <h1 ref={heading} tabIndex={-1}>
        {done ? w.ready : w.title}
      </h1>
      <div class="stack tight" role="status">
        {done ? (
          <Notice tone="good" icon="cloud_check">
            {w.ready_lead(engine.checklists.value.filter((one) => one.status === "published").length)}
          </Notice>
        ) : (
          <>
            <p>{w.lead}</p>
            <Meter value={loading.rows} most={loading.rows_total} label={w.title} />
            <p class="tabular">
              {w.rows(format.number(loading.rows), loading.rows_total === null ? null : format.number(loading.rows_total))}
            </p>
            <p class="soft tabular">{w.amount(format.bytes(loading.bytes), format.span(loading.seconds))}</p>
          </>
        )}
        {!done && error?.code === "offline" && (
          <Notice tone="warn" icon="cloud_off">
            {w.offline}
          </Notice>
        )}
      </div>
      <InstallHint />
      <button type="button" class={done ? "wide" : "wide quiet"} onClick={() => (goneOn.value = true)}>
        {done && <Icon name="check" />}
        {done ? w.start : w.later}
      </button>
    </main>
  );
}
