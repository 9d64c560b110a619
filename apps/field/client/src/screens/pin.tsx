/** Choosing a PIN: at enrolment, and later in its own sheet. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { EngineError } from "../engine/types.ts";
import { words } from "../i18n/index.ts";
import { useCommand, wordsFor } from "../ui/commands.ts";
import { Sheet } from "../ui/dialog.tsx";
import { announce } from "../ui/live.tsx";
import { Notice, PinField } from "../ui/parts.tsx";

const SHORTEST = 6;

/** Say what is wrong with a PIN given twice; the engine judges what is too easy. */
function pinFault(pin: string, again: string): string {
  const w = words().pin;
  if (!/^[0-9]+$/.test(pin) || pin.length < SHORTEST) return w.short;
  return pin === again ? "" : w.different;
}

/** Words for what the engine said of a PIN. */
export function pinProblem(error: unknown): string {
  const w = words().pin;
  const { failures, wait_seconds } = engine.lock.value;
  if (error instanceof EngineError && error.code === "wrong-pin") {
    return [w.wrong(failures), wait_seconds > 0 ? w.wait(wait_seconds) : ""].filter(Boolean).join(" ");
  }
  return wordsFor(error, { "weak-pin": w.weak, "pin-wait": w.wait(wait_seconds) });
}

export function ChoosePin({ finish, back }: { finish: (pin: string) => Promise<void>; back: () => void }) {
  const [pin, again, fault] = [useSignal(""), useSignal(""), useSignal("")];
  const { busy, problem, run } = useCommand();
  const heading = useRef<HTMLHeadingElement>(null);
  const w = words().pin;
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        fault.value = pinFault(pin.value, again.value);
        if (!fault.value) void run(() => finish(pin.value));
      }}
    >
      <h1 ref={heading} tabIndex={-1}>
        {w.title}
      </h1>
      <Notice tone="ready" icon="lock">
        {w.lead}
      </Notice>
      <PinField label={w.label} value={pin.value} onInput={(event) => (pin.value = event.currentTarget.value)} />
      <PinField
        label={w.again}
        value={again.value}
        onInput={(event) => (again.value = event.currentTarget.value)}
        fault={fault.value || (problem.value ? pinProblem(problem.value) : "")}
      />
      <button type="submit" class="wide" aria-disabled={busy.value}>
        {busy.value ? w.working : w.finish}
      </button>
      <button type="button" class="wide quiet" onClick={back}>
        {words().common.back}
      </button>
    </form>
  );
}

export function ChangePin({ close }: { close: () => void }) {
  const [old, pin, again, fault] = [useSignal(""), useSignal(""), useSignal(""), useSignal("")];
  const { busy, problem, run } = useCommand();
  const w = words().pin;
  const change = async (): Promise<void> => {
    fault.value = pinFault(pin.value, again.value);
    if (fault.value || !(await run(() => engine.changePin(old.value, pin.value)))) return;
    announce(w.changed);
    close();
  };
  const isOld = problem.value instanceof EngineError && ["wrong-pin", "pin-wait"].includes(problem.value.code);
  const said = problem.value ? pinProblem(problem.value) : "";
  return (
    <Sheet title={w.change_title} close={close}>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        <PinField
          label={w.old}
          value={old.value}
          onInput={(event) => (old.value = event.currentTarget.value)}
          fault={isOld ? said : ""}
        />
        <PinField label={w.fresh} value={pin.value} onInput={(event) => (pin.value = event.currentTarget.value)} />
        <PinField
          label={w.again}
          value={again.value}
          onInput={(event) => (again.value = event.currentTarget.value)}
          fault={fault.value || (isOld ? "" : said)}
        />
        <button type="submit" class="wide" aria-disabled={busy.value}>
          {w.change}
        </button>
      </form>
    </Sheet>
  );
}
