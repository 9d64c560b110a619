/** The last page: what the full report still lacks, with the way to each place; what looks odd; and sending. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Goal, Seizure } from "../../engine/index.ts";
import { named, words } from "../../i18n/index.ts";
import { suspicious } from "../../rules/seizure.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { announce } from "../../ui/live.tsx";
import { Fault, Notice } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { insist, missing, pageOf, placeName, placeOf } from "./edit.ts";
import { w } from "./words.ts";

export function SendPage({ seizure }: { seizure: Seizure }) {
  const s = w().send;
  const lacking = missing("submitted", seizure);
  const odd = suspicious(seizure.lines);
  useEffect(() => insist(seizure.id), [seizure.id]);
  return (
    <>
      {lacking.length === 0 ? (
        <Notice tone="good" icon="check">
          <strong>{s.ready}</strong>
          <p>{s.submit_lead}</p>
        </Notice>
      ) : (
        <section class="group" aria-label={s.missing_title(lacking.length)}>
          <h3>{s.missing_title(lacking.length)}</h3>
          <p class="soft">{s.missing_lead}</p>
          <ul class="rows">
            {lacking.map((one) => (
              <li key={`${one.pointer} ${one.code}`}>
                <a
                  class="item lamp slim"
                  href={href({
                    ...{ screen: "seizure", id: seizure.id, page: pageOf(one) },
                    step: placeOf(one).replaceAll("/", "-"),
                  })}
                >
                  <span class="words">
                    <span>{placeName(placeOf(one))}</span>
                    <span class="small soft">{named(w().faults, one.code)}</span>
                  </span>
                  <Icon name="next" />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {odd.length > 0 && (
        <Notice tone="warn" icon="warn">
          <strong>{s.review_warnings}</strong>
          {odd.map((code) => (
            <p key={code}>{named(s.suspicious, code)}</p>
          ))}
        </Notice>
      )}
      <SendBar seizure={seizure} isComplete={lacking.length === 0} />
    </>
  );
}

function SendBar({ seizure, isComplete }: { seizure: Seizure; isComplete: boolean }) {
  const s = w().send;
  const { busy, problem, run } = useCommand();
  const asking = useSignal(false);
  const isUnsent = seizure.version === 0 && seizure.goal === null;
  const lesser: Goal = isUnsent && missing("preliminary", seizure).length > 0 ? "flash" : "preliminary";
  const isPossible = missing(lesser, seizure).length === 0 && (isUnsent || seizure.server_state !== "preliminary");
  const send = async (goal: Goal): Promise<void> => {
    asking.value = false;
    if (!(await run(() => engine.finds.send(seizure.id, goal)))) return;
    announce(s.sent);
    go({ screen: "seizure", id: seizure.id, page: "", step: "" }, { replace: true });
  };
  return (
    <div class="bar">
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      <div class="two">
        <a
          class="button quiet square"
          href={href({ screen: "seizure", id: seizure.id, page: "record", step: "" })}
          aria-label={words().form.previous}
        >
          <Icon name="back" />
        </a>
        {isComplete ? (
          <button type="button" aria-disabled={busy.value} onClick={() => (asking.value = true)}>
            <Icon name="send" size={20} />
            {s.submit}
          </button>
        ) : isPossible && seizure.goal !== "preliminary" ? (
          <button type="button" class="quiet" aria-disabled={busy.value} onClick={() => void send(lesser)}>
            <Icon name="send" size={20} />
            {s[lesser]}
          </button>
        ) : (
          <a class="button quiet" href={href({ screen: "seizure", id: seizure.id, page: "", step: "" })}>
            {w().form.back}
          </a>
        )}
      </div>
      {asking.value && (
        <Confirm
          title={s.submit_title}
          lead={s.submit_lead}
          act={s.submit}
          onAct={() => void send("submit")}
          close={() => (asking.value = false)}
        />
      )}
    </div>
  );
}
