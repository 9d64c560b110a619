/** One exhibit: where it is, how it is sealed, who holds it, what waits to be sent, and the steps that may follow. */

import { engine } from "../../engine/index.ts";
import type { Exhibit } from "../../engine/index.ts";
import { named } from "../../i18n/index.ts";
import { type Step, stepsFrom } from "../../rules/custody.ts";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Badge, Head, Notice } from "../../ui/parts.tsx";
import { href } from "../../ui/router.ts";
import { TroubleCard } from "../trouble-card.tsx";
import { amountText, exhibitName, exhibitState, HandOverRow, sealsText } from "./row.tsx";
import { w } from "./words.ts";

const ICONS: Readonly<Record<Step, IconName>> = {
  seal: "seal",
  reseal: "seal",
  unseal: "cross",
  store: "download",
  move: "next",
  offer: "send",
  sample: "plus",
  receive: "download",
  correct: "pen",
};
const KEEPERS = new Set(["custodian", "leader"]);

/** Whether this officer may take a step with it, as far as the phone knows. */
export function mayHandle(exhibit: Exhibit): boolean {
  if (exhibit.outside) return exhibit.state === "at_lab" && engine.postings.value.some(({ unit }) => unit.id === exhibit.unit);
  const isMine = exhibit.holder === null || exhibit.holder === engine.device.value?.officer.id;
  return isMine || engine.postings.value.some(({ role }) => KEEPERS.has(role));
}

export function ExhibitPage({ exhibit }: { exhibit: Exhibit }) {
  const c = w().custody;
  const isStopped = exhibit.stop.length > 0;
  const offer = engine.finds.hand_overs.value.find((one) => one.id === exhibit.offer) ?? null;
  const isKnown = engine.finds.seizures.value.some((one) => one.id === exhibit.report);
  const up = isKnown ? href({ screen: "seizure", id: exhibit.report, page: "", step: "" }) : href({ screen: "finds" });
  const steps = isStopped || exhibit.offer !== null || !mayHandle(exhibit) ? [] : stepsFrom(exhibit.state);
  return (
    <main id="content">
      <Head title={exhibitName(exhibit)} up={up} />
      <div class="row">
        <Badge state={isStopped ? "attention" : "received"} text={exhibitState(exhibit)} />
        <span class="soft small">{exhibit.waiting.length > 0 ? c.waiting(exhibit.waiting.length) : c.saved}</span>
      </div>
      {exhibit.troubles.map((trouble) => (
        <TroubleCard key={trouble.id} trouble={trouble} />
      ))}
      {isStopped && (
        <Notice tone="bad" icon="warn">
          <strong>{c.stopped}</strong>
          <p>{exhibit.stop.map((code) => named(w().warnings, code)).join(", ")}</p>
          <p>{c.stopped_lead}</p>
        </Notice>
      )}
      <Facts exhibit={exhibit} />
      {offer && (
        <section class="group">
          <h2>{c.offered}</h2>
          <HandOverRow offer={offer} />
        </section>
      )}
      {steps.length > 0 && (
        <section class="group">
          <h2>{c.steps}</h2>
          {steps.map((step) => (
            <a
              key={step}
              class="button wide quiet"
              href={
                step === "offer"
                  ? href({ screen: "offer", id: exhibit.report, page: "", step: "" })
                  : href({ screen: "exhibit", id: exhibit.id, page: step, step: "" })
              }
            >
              <Icon name={ICONS[step]} size={20} />
              {c.step[step]}
            </a>
          ))}
        </section>
      )}
      {steps.length === 0 && !offer && !isStopped && <p class="soft">{c.no_steps}</p>}
    </main>
  );
}

function Facts({ exhibit }: { exhibit: Exhibit }) {
  const c = w().custody;
  const isMine = exhibit.holder === null || exhibit.holder === engine.device.value?.officer.id;
  const from = engine.finds.exhibits.value.find((one) => one.id === exhibit.parent);
  const facts = [
    [c.line, exhibit.mark],
    [c.sample_of, from ? exhibitName(from) : ""],
    [c.description, exhibit.description],
    [c.mass, amountText({ gross_mass_g: exhibit.gross_mass_g, volume_ml: exhibit.volume_ml, count: exhibit.count, count_unit: exhibit.count_unit })],
    [c.seals, sealsText(exhibit) || c.no_seals],
    [c.place, exhibit.place],
    [c.holder, exhibit.outside ? c.outside(exhibit.outside) : isMine ? c.held_by_me : c.held_by_other],
  ] as const;
  return (
    <section class="card">
      <dl class="facts">
        {facts.map(([name, text]) =>
          text ? (
            <>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </>
          ) : null,
        )}
      </dl>
    </section>
  );
}
