/** The second door: the PIN, each time the phone was locked. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import { useCommand } from "../ui/commands.ts";
import { Icon } from "../ui/icons.tsx";
import { PinField } from "../ui/parts.tsx";
import { DoorHead } from "./enrol.tsx";
import { pinProblem } from "./pin.tsx";

export function Unlock() {
  const pin = useSignal("");
  const { busy, problem, run } = useCommand();
  const form = useRef<HTMLFormElement>(null);
  const { wait_seconds } = engine.lock.value;
  const w = words().pin;
  useLayoutEffect(() => {
    document.title = `${w.unlock_title} – Hải Đăng`;
    form.current?.querySelector("input")?.focus();
  }, []);
  const unlock = async (): Promise<void> => {
    await run(() => engine.unlock(pin.value));
    if (!problem.value) return;
    pin.value = "";
    form.current?.querySelector("input")?.focus();
  };
  return (
    <main id="content" class="door">
      <DoorHead />
      <form
        ref={form}
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void unlock();
        }}
      >
        <h1>{w.unlock_title}</h1>
        <PinField
          label={w.label}
          value={pin.value}
          onInput={(event) => (pin.value = event.currentTarget.value)}
          fault={problem.value ? pinProblem(problem.value) : wait_seconds > 0 ? w.wait(wait_seconds) : ""}
        />
        <button type="submit" class="wide" aria-disabled={busy.value || wait_seconds > 0}>
          <Icon name="lock" />
          {busy.value ? w.unlocking : w.unlock}
        </button>
      </form>
    </main>
  );
}
