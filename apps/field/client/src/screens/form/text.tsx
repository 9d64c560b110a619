/**
 * A text input that never fights with the person typing: it shows what was typed, and takes over what the store says only
 * while it has not the focus. (Vietnamese is typed through composition; setting the value would break it.)
 */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface TypedProps {
  readonly text: string;
  readonly typed: (text: string) => void;
  readonly long?: boolean;
  /** Id of a list of what is said most often. */
  readonly list?: string | undefined;
}

type Rest = Omit<JSX.IntrinsicElements["input"] & JSX.IntrinsicElements["textarea"], "value" | "onInput" | "ref">;

export function TextInput({ text, typed, long = false, ...rest }: TypedProps & Rest) {
  const element = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    const input = element.current;
    if (input && document.activeElement !== input && input.value !== text) input.value = text;
  }, [text]);
  const props = {
    ...rest,
    ref: element,
    defaultValue: text,
    onInput: (event: Event) => typed((event.currentTarget as HTMLInputElement).value),
  };
  return long ? <textarea {...(props as object)} /> : <input autoComplete="off" {...(props as object)} />;
}
