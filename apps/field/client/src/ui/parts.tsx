/** Small pieces that several screens use: the head of a screen, badges, meters, fields, faults. */

import type { ComponentChildren, PartialInputHTMLAttributes } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PhotoState, ReportState } from "../engine/types.ts";
import { words } from "../i18n/index.ts";
import { Icon, type IconName } from "./icons.tsx";

interface HeadProps {
  readonly title: string;
  /** Where "back" leads. */
  readonly up?: string;
  readonly children?: ComponentChildren;
}

/** The head of a screen. Its heading takes the focus when the screen is entered, so that it is read out first. */
export function Head({ title, up, children }: HeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Hải Đăng`;
  }, [title]);
  // With the screen, not after its first painting: keys pressed meanwhile would go to what is gone.
  useLayoutEffect(() => {
    scrollTo({ top: 0 });
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header class="head">
      {up && (
        <a class="square quiet button" href={up} aria-label={words().common.back}>
          <Icon name="back" />
        </a>
      )}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </header>
  );
}

const TONES: Readonly<Record<ReportState | PhotoState, [tone: string, icon: IconName]>> = {
  draft: ["off", "pen"],
  waiting: ["wait", "clock"],
  sending: ["ready", "send"],
  received: ["ready", "cloud"],
  media_pending: ["wait", "camera"],
  complete: ["ready", "cloud_check"],
  under_review: ["ready", "eye"],
  returned: ["warn", "returned"],
  approved: ["good", "check"],
  locked: ["good", "lock"],
  voided: ["off", "cross"],
  attention: ["bad", "warn"],
  processing: ["off", "clock"],
  kept: ["off", "phone"],
  sent: ["ready", "cloud"],
  stored: ["good", "cloud_check"],
};

/** How far something has come: a sign, a word and a colour, never colour alone. */
export function Badge({ state, text }: { state: ReportState | PhotoState; text: string }) {
  const [tone, icon] = TONES[state];
  return (
    <span class={`badge ${tone}`}>
      <Icon name={icon} size={16} />
      {text}
    </span>
  );
}

/** Progress as a bar; the words beside it say the same. */
export function Meter({ value, most, label }: { value: number; most: number | null; label: string }) {
  return <progress class="meter" aria-label={label} max={most ?? undefined} value={most === null ? undefined : value} />;
}

export function Fault({ id, children }: { id?: string; children: ComponentChildren }) {
  return (
    <p class="fault" id={id}>
      <Icon name="warn" size={18} />
      <span>{children}</span>
    </p>
  );
}

interface NoticeProps {
  readonly tone: "ready" | "warn" | "bad" | "good";
  readonly icon: IconName;
  readonly children: ComponentChildren;
}

export function Notice({ tone, icon, children }: NoticeProps) {
  return (
    <div class={`notice ${tone}`}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}

interface FieldProps extends Omit<PartialInputHTMLAttributes<HTMLInputElement>, "label" | "role"> {
  readonly label: string;
  readonly hint?: string;
  readonly fault?: string | null;
  readonly children?: ComponentChildren;
}

/** A labelled input with its hint and its fault. */
export function Field({ label, hint, fault, children, ...input }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", fault ? `${id}-fault` : ""].filter(Boolean).join(" ");
  const props = {
    ...input,
    id,
    "aria-describedby": described || undefined,
    "aria-invalid": fault ? "true" : undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <div class="joined">
        <input {...(props as object)} />
        {children}
      </div>
      {fault && <Fault id={`${id}-fault`}>{fault}</Fault>}
    </div>
  );
}

/** A PIN: digits, hidden unless asked for. */
export function PinField({ label, autofocus, ...rest }: Omit<FieldProps, "type"> & { autofocus?: boolean }) {
  const [shown, setShown] = useState(false);
  const words_ = words().pin;
  return (
    <Field
      {...rest}
      label={label}
      type={shown ? "text" : "password"}
      inputMode="numeric"
      autoComplete="off"
      maxLength={12}
      autoFocus={autofocus}
      class="pin"
    >
      <button type="button" class="quiet square" aria-pressed={shown} aria-label={shown ? words_.hide : words_.show} onClick={() => setShown(!shown)}>
        <Icon name="eye" />
      </button>
    </Field>
  );
}

interface ChoicesProps {
  readonly legend: string;
  readonly hidden?: boolean;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly chosen: readonly string[];
  readonly many?: boolean;
  readonly choose: (value: string) => void;
  readonly describedBy?: string | undefined;
  readonly faulty?: boolean;
  readonly class?: string;
}

/** Options as rows that a gloved thumb can hit. Radio buttons or check boxes underneath, so every key works. */
export function Choices(props: ChoicesProps) {
  const { legend, options, chosen, many = false, choose } = props;
  const group = useId();
  return (
    <fieldset
      class={`choices ${props.class ?? ""}`}
      aria-describedby={props.describedBy}
      aria-invalid={props.faulty ? "true" : undefined}
    >
      <legend class={props.hidden ? "unseen" : ""}>{legend}</legend>
      {options.map(({ value, label }) => (
        <label key={value} class="choice">
          <input
            type={many ? "checkbox" : "radio"}
            name={group}
            checked={chosen.includes(value)}
            onChange={() => choose(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
