/** The first door: an enrolment code, by QR or typed, then a PIN. Also what a phone shows that was shut out. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { engine } from "../engine/index.ts";
import { EngineError } from "../engine/types.ts";
import { words } from "../i18n/index.ts";
import { wordsFor } from "../ui/commands.ts";
import { Icon, Lighthouse } from "../ui/icons.tsx";
import { Field, Notice } from "../ui/parts.tsx";
import { codeOf, takeCode } from "../ui/router.ts";
import { enrolledNow } from "./first.tsx";
import { ChoosePin } from "./pin.tsx";
import { ScanSheet } from "./scan/sheet.tsx";

export function Enrol() {
  const code = useSignal("");
  const linked = useSignal(false);
  const name = useSignal("");
  const step = useSignal<"code" | "pin">("code");
  const fault = useSignal("");
  const w = words().enrol;
  useEffect(() => {
    const take = (): void => {
      const given = takeCode();
      if (!given) return;
      code.value = given;
      linked.value = true;
    };
    take();
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  const enrol = async (pin: string): Promise<void> => {
    enrolledNow.value = true;
    try {
      await engine.enrol(code.value.trim(), pin, name.value.trim() || undefined);
    } catch (error) {
      enrolledNow.value = false;
      if (!(error instanceof EngineError) || error.code === "weak-pin") throw error;
      fault.value = wordsFor(error, w.errors);
      step.value = "code";
    }
  };
  return (
    <main id="content" class="door">
      <DoorHead />
      <p class="steps">{w.step(step.value === "code" ? 1 : 2, 3)}</p>
      {step.value === "code" ? (
        <>
          {engine.lock.value.state === "wiped" && (
            <Notice tone="bad" icon="lock">
              <strong>{w.wiped_title}</strong>
              <p>{w.wiped_lead}</p>
            </Notice>
          )}
          <CodeStep code={code} name={name} linked={linked} fault={fault} done={() => (step.value = "pin")} />
        </>
      ) : (
        <ChoosePin finish={enrol} back={() => (step.value = "code")} />
      )}
    </main>
  );
}

export function DoorHead() {
  const { app } = words();
  return (
    <div class="door-head">
      <p class="name">{app.name}</p>
      <p>{app.tagline}</p>
      <Lighthouse lit="all" />
    </div>
  );
}

interface CodeStepProps {
  readonly code: Signal<string>;
  readonly name: Signal<string>;
  readonly linked: Signal<boolean>;
  readonly fault: Signal<string>;
  readonly done: () => void;
}

function CodeStep({ code, name, linked, fault, done }: CodeStepProps) {
  const w = words().enrol;
  const heading = useRef<HTMLHeadingElement>(null);
  const scanning = useSignal(false);
  useLayoutEffect(() => heading.current?.focus(), []);
  const scanned = (text: string): void => {
    const found = codeOf(text);
    scanning.value = false;
    if (found === null) {
      fault.value = w.scan_other;
      return;
    }
    code.value = found;
    fault.value = "";
    done();
  };
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        fault.value = code.value.trim() ? "" : w.errors.empty;
        if (!fault.value) done();
      }}
    >
      <h1 ref={heading} tabIndex={-1}>
        {w.title}
      </h1>
      {linked.value ? (
        <Notice tone="good" icon="check">
          {w.code_from_link}
        </Notice>
      ) : (
        <>
          <p>{w.lead}</p>
          <button type="button" class="wide" onClick={() => (scanning.value = true)}>
            <Icon name="scan" />
            {w.scan}
          </button>
          <p class="soft">{w.or_type}</p>
        </>
      )}
      <Field
        label={w.code}
        hint={linked.value ? undefined : w.code_hint}
        fault={fault.value}
        class="code"
        value={code.value}
        onInput={(event) => {
          code.value = event.currentTarget.value;
          linked.value = false;
        }}
        autoComplete="off"
        autoCapitalize="characters"
        spellcheck={false}
        maxLength={24}
      />
      <Field
        label={w.device_name}
        hint={w.device_name_hint}
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
        autoComplete="off"
        maxLength={80}
      />
      <button type="submit" class={linked.value ? "wide" : "wide quiet"}>
        {w.next}
      </button>
      {scanning.value && (
        <ScanSheet title={w.scan} formats={["qr"]} found={({ text }) => scanned(text)} close={() => (scanning.value = false)} />
      )}
    </form>
  );
}

