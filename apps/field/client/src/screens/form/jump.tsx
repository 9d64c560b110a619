/** All items of the form at a glance: what is done, what is still due, what a reviewer noted; a tap goes there. */

import { useSignal } from "@preact/signals";
import { say, words } from "../../i18n/index.ts";
import { isGiven, stepOf } from "../../rules/answers.ts";
import { Sheet } from "../../ui/dialog.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { href } from "../../ui/router.ts";
import { notesAt, numberOf, type Sheaf } from "./fill.tsx";

export function JumpSheet({ sheaf, here, close }: { sheaf: Sheaf; here: string; close: () => void }) {
  const w = words().form;
  const onlyOpen = useSignal(false);
  const { version, visible, findings, progress } = sheaf;
  const due = new Set(findings.map(stepOf));
  return (
    <Sheet title={w.jump_title} close={close}>
      <p>{w.unanswered(progress.required - progress.answered)}</p>
      <label class="choice">
        <input type="checkbox" checked={onlyOpen.value} onChange={() => (onlyOpen.value = !onlyOpen.value)} />
        <span>{w.only_open}</span>
      </label>
      <div class="jump">
        <Page sheaf={sheaf} page="general" text={w.general} here={here} close={close} />
        {version.content.sections.map((section) => {
          const steps = section.steps.filter((step) => visible.has(step.key) && (!onlyOpen.value || due.has(step.key)));
          if (steps.length === 0) return null;
          return (
            <section key={section.key} aria-label={say(section.title)}>
              <h3>{say(section.title)}</h3>
              {steps.map((step) => (
                <Item
                  key={step.key}
                  href={href({ screen: "fill", id: sheaf.report.id, page: section.key, step: step.key })}
                  text={`${numberOf(version, step.key)}. ${say(step.text)}`}
                  state={stateOf(sheaf, step.key, due)}
                  close={close}
                />
              ))}
            </section>
          );
        })}
        <Page sheaf={sheaf} page="result" text={w.result} here={here} close={close} />
      </div>
    </Sheet>
  );
}

type ItemState = "done" | "open" | "none" | "noted";
const SIGNS: Readonly<Record<ItemState, IconName>> = { done: "check", open: "warn", none: "minus", noted: "note" };

function stateOf({ report, answers }: Sheaf, key: string, due: ReadonlySet<string>): ItemState {
  if (due.has(key)) return "open";
  if (notesAt(report, key).length > 0) return "noted";
  return isGiven(answers[key]) || (report.photos[key]?.length ?? 0) > 0 ? "done" : "none";
}

interface ItemProps {
  readonly href: string;
  readonly text: string;
  readonly state: ItemState;
  readonly current?: boolean;
  readonly close: () => void;
}

function Item({ href: to, text, state, current = false, close }: ItemProps) {
  const w = words();
  const said = { done: w.common.done, open: w.common.required, none: "", noted: w.form.reviewer_note }[state];
  return (
    <a class={state} href={to} onClick={close} aria-current={current ? "page" : undefined}>
      <Icon name={SIGNS[state]} size={20} />
      <span>
        {text}
        {said && <span class="unseen"> ({said})</span>}
      </span>
    </a>
  );
}

interface PageProps {
  readonly sheaf: Sheaf;
  readonly page: string;
  readonly text: string;
  readonly here: string;
  readonly close: () => void;
}

function Page({ sheaf, page, text, here, close }: PageProps) {
  const to = href({ screen: "fill", id: sheaf.report.id, page, step: "" });
  return <Item href={to} text={text} state="none" current={here === page} close={close} />;
}
