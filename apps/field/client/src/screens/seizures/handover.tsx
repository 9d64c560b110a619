/** Hand-over: offering sealed exhibits, and the receiver's side with the seals and the mass read on each package. */

import { type Signal, useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { HandOver, Item, Seizure } from "../../engine/index.ts";
import type { Json } from "../../engine/types.ts";
import { named } from "../../i18n/index.ts";
import { differences, stepsFrom } from "../../rules/custody.ts";
import { standing } from "../../rules/seizure.ts";
import { Icon } from "../../ui/icons.tsx";
import { toPlaceOf } from "../../ui/focus.ts";
import { announce } from "../../ui/live.tsx";
import { Badge, Choices, Fault, Head, Notice } from "../../ui/parts.tsx";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { go, href } from "../../ui/router.ts";
import { TroubleCard } from "../trouble-card.tsx";
import { mayHandle } from "./custody.tsx";
import { Reason } from "./form.tsx";
import { FieldInput } from "./inputs.tsx";
import { exhibitName, grams, receiverText, sealsText } from "./row.tsx";
import { letGo, now, type SaidOf, StepField, StepFrame, useHalfFilled } from "./steps.tsx";
import { w } from "./words.ts";

const KINDS = ["inside", "police", "lab", "other"] as const;

export function OfferForm({ report }: { report: string }) {
  const h = w().handover;
  const free = engine.finds.exhibits.value.filter(
    (one) => one.report === report && !one.offer && one.stop.length === 0 && mayHandle(one) && stepsFrom(one.state).includes("offer"),
  );
  const chosen = useSignal<readonly string[]>(free.map((one) => one.id));
  const form = `${report}/offer`;
  const said = useHalfFilled<SaidOf>(form, () => ({ kind: "inside" }));
  const insisting = useSignal(false);
  const up = href({ screen: "seizure", id: report, page: "", step: "" });
  const needed = said.value.kind === "inside" ? "badge_no" : "office";
  const fault = (name: string): string | null => (insisting.value && name === needed && !said.value[name] ? w().faults.required : null);
  const offer = async (): Promise<void> => {
    insisting.value = true;
    if (chosen.value.length === 0) return void toPlaceOf("offered");
    if (!said.value[needed]) return void toPlaceOf(`step-${needed}`);
    const exhibits = [...chosen.value];
    const id = await engine.finds.act("hand_over.offer", null, { ...now(), report, exhibits, ...said.value }, exhibits);
    letGo(form);
    announce(h.offered);
    go({ screen: "handover", id, page: "", step: "" }, { replace: true });
  };
  const toggle = (id: string): void => {
    chosen.value = chosen.value.includes(id) ? chosen.value.filter((one) => one !== id) : [...chosen.value, id];
  };
  if (free.length === 0) {
    return (
      <main id="content">
        <Head title={h.offer_title} up={up} />
        <Notice tone="warn" icon="warn">
          {h.none_to_offer}
        </Notice>
      </main>
    );
  }
  return (
    <StepFrame title={h.offer_title} up={up} act={h.offer} command={offer} drop={() => letGo(form)}>
      <p class="soft">{h.offer_lead}</p>
      <div class="card" id="offered" tabIndex={-1}>
        <Choices
          many
          legend={h.which}
          options={free.map((one) => ({ value: one.id, label: `${exhibitName(one)} · ${sealsText(one)}` }))}
          chosen={chosen.value}
          choose={toggle}
        />
        {insisting.value && chosen.value.length === 0 && <Fault>{w().faults.required}</Fault>}
      </div>
      <div class="card">
        <Choices
          class="chips"
          legend={h.to}
          options={KINDS.map((value) => ({ value, label: h.kinds[value] }))}
          chosen={[String(said.value.kind)]}
          choose={(kind) => (said.value = { ...said.value, kind })}
        />
        {said.value.kind === "inside" ? (
          <StepField said={said} name="badge_no" label={h.badge} needed fault={fault("badge_no")} />
        ) : (
          <>
            <p class="hint">{h.outside_lead}</p>
            <StepField said={said} name="office" label={h.office} needed fault={fault("office")} />
            <StepField said={said} name="name" label={h.name} />
          </>
        )}
        <StepField said={said} name="legal_basis" label={h.legal_basis} />
        <StepField said={said} name="documents" label={h.documents} />
        <Along said={said} report={report} part="persons" name="persons" legend={h.persons} />
        <Along said={said} report={report} part="conveyances" name="vehicles" legend={h.vehicles} />
        <StepField said={said} name="place" label={h.place} hint="" />
        <StepField said={said} name="witnesses" label={h.witnesses} hint={h.witnesses_hint} />
      </div>
    </StepFrame>
  );
}

interface AlongProps {
  readonly said: Signal<SaidOf>;
  readonly report: string;
  readonly part: "persons" | "conveyances";
  readonly name: "persons" | "vehicles";
  readonly legend: string;
}

/** People or vehicles of the report that are handed over with the exhibits, where this phone has the report. */
function Along({ said, report, part, name, legend }: AlongProps) {
  const seizure = engine.finds.seizures.value.find((one) => one.id === report);
  const rows = standing(seizure?.[part] ?? {});
  if (rows.length === 0) return null;
  const chosen = Array.isArray(said.value[name]) ? said.value[name].map(String) : [];
  const toggle = (mark: string): void => {
    const now = chosen.includes(mark) ? chosen.filter((one) => one !== mark) : [...chosen, mark];
    said.value = { ...said.value, [name]: now };
  };
  const label = (row: Record<string, Json>): string =>
    ["full_name", "flight_no", "vessel", "plate", "train"].flatMap((key) => (row[key] ? [String(row[key])] : [])).join(", ");
  return (
    <Choices
      many
      legend={legend}
      options={rows.map(([mark, row]) => ({ value: mark, label: [mark, label(row)].filter(Boolean).join(": ") }))}
      chosen={chosen}
      choose={toggle}
    />
  );
}

const formOf = (offer: HandOver): string => `${offer.id}/receipt`;

export function HandOverPage({ offer }: { offer: HandOver }) {
  const h = w().handover;
  const me = engine.device.value?.officer.id ?? null;
  const readings = useHalfFilled<Record<string, SaidOf>>(formOf(offer), () => ({}));
  const isOpen = offer.state === "offered" && offer.number !== null;
  const isReceiver = offer.receiver !== null && offer.receiver === me;
  const isGiver = offer.giver !== null && offer.giver === me;
  const isOwn = engine.finds.seizures.value.some((one: Seizure) => one.id === offer.report);
  const up = isOwn ? href({ screen: "seizure", id: offer.report, page: "", step: "" }) : href({ screen: "finds" });
  const asks = isOpen && isReceiver;
  return (
    <main id="content" class={asks ? "with-acts" : ""}>
      <Head title={h.title(offer.number ?? h.unnumbered)} up={up} />
      <p class="row">
        <Badge state={offer.is_saved_on_server ? "received" : "waiting"} text={named(h.states, offer.state)} />
        {offer.waiting.length > 0 && <span class="soft small">{w().custody.waiting(offer.waiting.length)}</span>}
      </p>
      {offer.troubles.map((trouble) => (
        <TroubleCard key={trouble.id} trouble={trouble} />
      ))}
      <section class="card">
        <dl class="facts">
          <dt>{h.to}</dt>
          <dd>{receiverText(offer)}</dd>
          {isGiver && (
            <>
              <dt>{h.from}</dt>
              <dd>{h.from_me}</dd>
            </>
          )}
          {offer.report_number && (
            <>
              <dt>{w().page.title}</dt>
              <dd class="tabular">{offer.report_number}</dd>
            </>
          )}
          {offer.persons.length > 0 && (
            <>
              <dt>{h.persons}</dt>
              <dd>{h.by_mark(offer.persons.join(", "))}</dd>
            </>
          )}
          {offer.vehicles.length > 0 && (
            <>
              <dt>{h.vehicles}</dt>
              <dd>{h.by_mark(offer.vehicles.join(", "))}</dd>
            </>
          )}
          {offer.note && (
            <>
              <dt>{w().fields.remark}</dt>
              <dd>{offer.note}</dd>
            </>
          )}
        </dl>
      </section>
      {asks && <p class="soft">{h.accept_lead}</p>}
      {offer.kind !== "inside" && isOpen && <p class="soft">{h.outside_lead}</p>}
      {Object.entries(offer.items).map(([id, item]) => (
        <ItemCard key={id} id={id} item={item} readings={asks ? readings : null} />
      ))}
      {asks && <Answer offer={offer} readings={readings.value} />}
      {isOpen && isGiver && <Withdraw offer={offer} />}
    </main>
  );
}

interface ItemProps {
  readonly id: string;
  readonly item: Item;
  readonly readings: Signal<Record<string, SaidOf>> | null;
}

/** What a package should bear; the receiver enters what is on it first and is shown the rest when it differs. */
function ItemCard({ id, item, readings }: ItemProps) {
  const h = w().handover;
  const exhibit = engine.finds.exhibits.value.find((one) => one.id === id);
  const name = exhibit ? exhibitName(exhibit) : w().custody.exhibit(String(item.number ?? w().custody.new_number));
  const mass = item.gross_mass_g ? grams(item.gross_mass_g) : "";
  const read = readings?.value[id] ?? {};
  const isRead = readings !== null && Array.isArray(read.seals_read) && (item.gross_mass_g === null || Boolean(read.mass_read));
  const differs = readings === null ? (item.differs ?? []) : isRead ? differ(item, read) : [];
  const give = (key: string) => (value: Json): void => {
    if (!readings) return;
    const { [key]: _, ...others } = read;
    readings.value = { ...readings.value, [id]: value === null ? others : { ...others, [key]: value } };
  };
  return (
    <section class="card" aria-label={name}>
      <h2>{name}</h2>
      {exhibit && <p>{exhibit.description}</p>}
      {readings === null && <p class="tabular">{h.should(item.seals.join(", "), mass)}</p>}
      {readings === null && item.seals_read && (
        <p class="tabular">{h.read(item.seals_read.join(", "), item.mass_read ? grams(item.mass_read) : "")}</p>
      )}
      {readings !== null && (
        <>
          <FieldInput
            name="seals_read"
            spec="texts 60"
            label={w().custody.seals_read}
            hint={w().custody.seals_read_hint}
            value={read.seals_read}
            give={give("seals_read")}
            id={`seals-${id}`}
          />
          <FieldInput
            name="gross_mass_g"
            spec="decimal 4"
            label={w().custody.gross_read}
            value={read.mass_read}
            give={give("mass_read")}
            id={`mass-${id}`}
          />
        </>
      )}
      {isRead && differs.length === 0 && (
        <Notice tone="good" icon="check">
          {h.agrees}
        </Notice>
      )}
      {differs.length > 0 && (
        <Notice tone="bad" icon="warn">
          <strong>{`${h.differs_title}: ${differs.map((code) => named(w().warnings, code)).join(", ")}`}</strong>
          {readings !== null && <p class="tabular">{h.should(item.seals.join(", "), mass)}</p>}
          <p>{readings === null ? w().custody.stopped_lead : h.differs_lead}</p>
        </Notice>
      )}
    </section>
  );
}

function differ(item: Item, read: SaidOf): string[] {
  const seals = Array.isArray(read.seals_read) ? read.seals_read.map(String) : [];
  return differences(item.seals, item.gross_mass_g, seals, read.mass_read ? String(read.mass_read) : null);
}

function Answer({ offer, readings }: { offer: HandOver; readings: Record<string, SaidOf> }) {
  const h = w().handover;
  const { busy, problem, run } = useCommand();
  const [insisting, refusing] = [useSignal(false), useSignal(false)];
  const isComplete = Object.entries(offer.items).every(
    ([id, item]) => Array.isArray(readings[id]?.seals_read) && (item.gross_mass_g === null || Boolean(readings[id]?.mass_read)),
  );
  const accept = async (): Promise<void> => {
    insisting.value = true;
    if (!isComplete) return;
    const items = Object.fromEntries(
      Object.keys(offer.items).map((id) => {
        const { seals_read = [], mass_read } = readings[id] ?? {};
        return [id, { seals_read, ...(mass_read ? { mass_read } : {}) }];
      }),
    );
    if (!(await run(() => engine.finds.act("hand_over.accept", offer.id, { ...now(), items })))) return;
    letGo(formOf(offer));
    announce(h.accepted);
  };
  const refuse = async (note: string): Promise<void> => {
    refusing.value = false;
    if (!(await run(() => engine.finds.act("hand_over.refuse", offer.id, { note })))) return;
    letGo(formOf(offer));
    announce(h.refused);
  };
  return (
    <div class="stack">
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      {insisting.value && !isComplete && <Fault>{h.accept_lead}</Fault>}
      <button type="button" class="wide" aria-disabled={busy.value} onClick={() => void accept()}>
        <Icon name="check" />
        {h.accept}
      </button>
      <button type="button" class="danger wide" aria-disabled={busy.value} onClick={() => (refusing.value = true)}>
        {h.refuse}
      </button>
      {refusing.value && (
        <Reason
          title={h.refuse_title}
          lead=""
          label={h.refuse_reason}
          act={h.refuse}
          done={(note) => void refuse(note)}
          close={() => (refusing.value = false)}
        />
      )}
    </div>
  );
}

function Withdraw({ offer }: { offer: HandOver }) {
  const h = w().handover;
  const { busy, problem, run } = useCommand();
  const withdraw = async (): Promise<void> => {
    if (await run(() => engine.finds.act("hand_over.withdraw", offer.id, {}))) announce(h.withdrawn);
  };
  return (
    <>
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      <button type="button" class="danger" aria-disabled={busy.value} onClick={() => void withdraw()}>
        {h.withdraw}
      </button>
    </>
  );
}
