/**
 * Sheets that rise from the bottom, within reach of a thumb. Native dialogs: the rest of the page is out of reach while
 * one is open, Escape and the phone's back gesture close it, focus returns to where it was.
 */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../i18n/index.ts";
import { Icon } from "./icons.tsx";

interface SheetProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
  /** Fills the screen: pictures, the camera. */
  readonly full?: boolean;
}

export function Sheet({ title, close, children, full = false }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={full ? "sheet full" : "sheet"}
      aria-labelledby={name}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="sheet-body">
        <div class="sheet-head">
          <h2 id={name}>{title}</h2>
          <button type="button" class="quiet square" onClick={close} aria-label={words().common.close}>
            <Icon name="cross" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly lead: string;
  readonly act: string;
  readonly onAct: () => void;
  readonly close: () => void;
}

/** Ask before something that cannot be taken back. */
export function Confirm({ title, lead, act, onAct, close }: ConfirmProps) {
  return (
    <Sheet title={title} close={close}>
      <p>{lead}</p>
      <div class="stack">
        <button type="button" class="danger wide" onClick={onAct}>
          {act}
        </button>
        <button type="button" class="quiet wide" onClick={close}>
          {words().common.cancel}
        </button>
      </div>
    </Sheet>
  );
}
