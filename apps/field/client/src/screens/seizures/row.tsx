/** One seizure, one exhibit, one hand-over in a list: what it is, how far it has come, whether it is on the server. */

import { engine } from "../../engine/index.ts";
import type { Exhibit, HandOver, Seizure } from "../../engine/index.ts";
import * as format from "../../i18n/format.ts";
import { named } from "../../i18n/index.ts";
import { Icon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/parts.tsx";
import { href } from "../../ui/router.ts";
import { called, substance, w } from "./words.ts";

const GOALS = { flash: "flash", preliminary: "preliminary", submit: "submitted" } as const;

/** The stage it has, or that it is on its way to. */
export function stageName({ goal, server_state }: Seizure): string {
  return named(w().stages, goal ? GOALS[goal] : (server_state ?? "draft"));
}

/** Its state in words. */
export function stateName(seizure: Seizure): string {
  const { states } = w();
  const stage = stageName(seizure);
  switch (seizure.state) {
    case "waiting":
    case "sending":
    case "received":
      return states[seizure.state](stage);
    case "draft":
    case "returned":
    case "attention":
      return states[seizure.state];
    default:
      return stage;
  }
}

/** What was seized, in a line: "Ketamine ~ 1.200 g". */
export function titleOf(seizure: Seizure): string {
  const rows = Object.values(seizure.lines).filter((line) => !line.removed);
  const names = rows.map((line) => {
    const key = String(line.substance ?? "");
    const amount = amountText(line);
    return [key ? substance(key) : String(line.article ?? "") || w().list.no_substance, amount].filter(Boolean).join(" ");
  });
  return names.length > 0 ? [...new Set(names)].join(", ") : w().list.no_substance;
}

type Amounts = Record<string, unknown>;

/** An amount with its unit; what is only estimated is said to be about that. */
export function amountText(line: Amounts): string {
  const mass = line.net_mass_g ?? line.gross_mass_g;
  const about = line.measure_basis === "estimated" ? "~ " : "";
  const parts = [
    mass ? grams(String(mass)) : "",
    line.volume_ml ? `${format.decimalText(String(line.volume_ml))} ml` : "",
    line.count ? `${format.number(Number(line.count))} ${called("count_unit", String(line.count_unit ?? ""))}` : "",
  ].filter(Boolean);
  return parts.length > 0 ? about + parts.join(" · ") : "";
}

/** Grams with groups of three: 1.200,5 g. No digit is lost. */
export function grams(value: string): string {
  const [whole = "0", fraction] = value.split(".");
  const read = format.number(Number(whole));
  return `${fraction ? format.decimalText(`${read.replaceAll(".", "\u0000")}.${fraction}`).replaceAll("\u0000", ".") : read} g`;
}

export function SeizureRow({ seizure }: { seizure: Seizure }) {
  const tone = seizure.state === "returned" ? "lamp" : seizure.state === "attention" ? "bad" : "";
  const at = seizure.fields.detected_on_device_at;
  const count = seizure.fields.persons_count;
  const isDraft = seizure.state === "draft" && seizure.version === 0;
  const unsent = !seizure.is_saved_on_server && seizure.state === "received" ? w().list.unsent_edits : "";
  const facts = [
    seizure.number ?? "",
    seizure.fields.place ? String(seizure.fields.place) : "",
    typeof count === "number" ? w().list.people(count) : "",
    typeof at === "string" && at ? format.moment(at) : "",
  ];
  return (
    <a class={`item ${tone}`} href={href({ screen: isDraft ? "flash" : "seizure", id: seizure.id, page: "", step: "" })}>
      <span class="words">
        <span class="title">{titleOf(seizure)}</span>
        <span class="row">
          <Badge state={seizure.state} text={stateName(seizure)} />
          {unsent && <span class="soft small">{unsent}</span>}
        </span>
        <span class="soft small tabular">{facts.filter(Boolean).join(" · ")}</span>
      </span>
      <Icon name="next" />
    </a>
  );
}

/** How an exhibit is called: by the report's number and its own, or by its line until it has one. */
export function exhibitName({ report, number, mark }: Exhibit): string {
  const of = engine.finds.seizures.value.find((one) => one.id === report)?.number;
  const own = number === null ? `${mark} (${w().custody.new_number})` : String(number);
  return w().custody.exhibit(of && number !== null ? `${of}/${own}` : own);
}

export function exhibitState({ state }: Pick<Exhibit, "state">): string {
  return called("exhibit_state", state);
}

export function ExhibitRow({ exhibit }: { exhibit: Exhibit }) {
  const c = w().custody;
  const isStopped = exhibit.stop.length > 0;
  const isTroubled = isStopped || exhibit.troubles.length > 0;
  const state = exhibit.troubles.length > 0 ? w().states.attention : isStopped ? c.stopped : exhibitState(exhibit);
  return (
    <a class={`item ${isTroubled ? "bad" : ""}`} href={href({ screen: "exhibit", id: exhibit.id, page: "", step: "" })}>
      <span class="words">
        <span class="title">{exhibitName(exhibit)}</span>
        <span>{exhibit.description}</span>
        <span class="row">
          <Badge state={isTroubled ? "attention" : exhibit.is_saved_on_server ? "complete" : "waiting"} text={state} />
          {exhibit.waiting.length > 0 && <span class="soft small">{c.waiting(exhibit.waiting.length)}</span>}
        </span>
        <span class="soft small tabular">{[sealsText(exhibit), amountText({ ...exhibit })].filter(Boolean).join(" · ")}</span>
      </span>
      <Icon name="next" />
    </a>
  );
}

export function sealsText({ seals }: Pick<Exhibit, "seals">): string {
  return seals.map((seal) => seal.number).join(", ");
}

export function HandOverRow({ offer }: { offer: HandOver }) {
  const h = w().handover;
  const isMine = offer.receiver !== null && offer.receiver === engine.device.value?.officer.id;
  const asks = offer.state === "offered" && isMine;
  const differs = Object.values(offer.items).some((item) => (item.differs ?? []).length > 0);
  const tone = offer.troubles.length > 0 || differs ? "bad" : asks ? "lamp" : "";
  const state = offer.troubles.length > 0 ? "attention" : !offer.is_saved_on_server ? "waiting" : offer.state === "accepted" ? "approved" : "received";
  return (
    <a class={`item ${tone}`} href={href({ screen: "handover", id: offer.id, page: "", step: "" })}>
      <span class="words">
        <span class="title">{h.title(offer.number ?? h.unnumbered)}</span>
        <span class="row">
          <Badge state={state} text={offer.troubles.length > 0 ? w().states.attention : named(h.states, offer.state)} />
          {differs && <span class="small">{h.differs_title}</span>}
        </span>
        <span class="soft small tabular">
          {[receiverText(offer), offer.report_number ?? ""].filter(Boolean).join(" · ")}
        </span>
      </span>
      <Icon name="next" />
    </a>
  );
}

export function receiverText(offer: HandOver): string {
  return [offer.receiver_name, offer.receiver_badge, offer.receiver_office].filter(Boolean).join(" · ");
}
