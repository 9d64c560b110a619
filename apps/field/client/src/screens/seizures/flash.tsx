/** The flash: what was found, how much roughly, where, when, how many people, a photo. One page, most of it filled in already. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { engine } from "../../engine/index.ts";
import type { Json, Seizure } from "../../engine/index.ts";
import * as format from "../../i18n/format.ts";
import { words } from "../../i18n/index.ts";
import { useCommand, wordsFor } from "../../ui/commands.ts";
import { toPlaceOf } from "../../ui/focus.ts";
import { Icon } from "../../ui/icons.tsx";
import { announce } from "../../ui/live.tsx";
import { Fault, Head, Notice } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { isArticle } from "../../rules/seizure.ts";
import { Amount } from "./amount.tsx";
import { faultAt, insist, insisted, missing, placeId, placeOf, put, specOf } from "./edit.ts";
import { FieldInput } from "./inputs.tsx";
import { SeizurePhotos } from "./photos.tsx";
import { SubstanceField } from "./substance.tsx";
import { called, hasLists, w } from "./words.ts";

const CARRIED = ["mode", "place", "place_type", "direction"] as const;

/** The order in which things are asked for. */
const ORDER = ["lines", "finding_category", "photos", "persons_count", "place", "mode", "detected_on_device_at", "lead_force", "handling"];
const downThePage = (one: string, other: string): number =>
  ORDER.indexOf(one.split("/")[0] ?? "") - ORDER.indexOf(other.split("/")[0] ?? "");

/**
 * Begin a report with what is usual: now, here as the last time, customs, internal. What a find led to belongs to its
 * incident and is counted with it.
 */
function begin(led: Seizure | undefined): string {
  const posts = engine.postings.value.filter(({ role }) => role === "officer" || role === "leader");
  const last: Record<string, Json | undefined> = {
    ...(engine.reports.value[0]?.header as Record<string, Json> | undefined),
    ...(led ?? engine.finds.seizures.value[0])?.fields,
  };
  const carried = Object.fromEntries(CARRIED.flatMap((key) => (last[key] ? [[key, last[key]]] : [])));
  const fields = {
    ...(carried as Record<string, Json>),
    detected_on_device_at: format.isoWithOffset(new Date()),
    captured_tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
    lead_force: "customs",
    handling: "internal",
    ...(led?.incident ? { kind: "expansion" } : {}),
  };
  const id = engine.finds.begin(led?.incident ? { ...fields, incident: led.incident } : fields, posts[0]?.id);
  begun.set(id, told(fields));
  return id;
}

/** Reports begun since the app was opened, with what was filled in for the officer. */
const begun = new Map<string, string>();
const told = (fields: Record<string, Json>): string => JSON.stringify(Object.entries(fields).sort());

/** A tap on "flash" makes the report and leads to it; `of` is the find that led to it. */
export function NewFlash({ of }: { of: string }) {
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    go({ screen: "flash", id: begin(engine.finds.seizures.value.find((one) => one.id === of)), page: "", step: "" }, { replace: true });
  }, []);
  return <main id="content" aria-busy="true" aria-label={words().common.loading} />;
}

export function Flash({ seizure }: { seizure: Seizure }) {
  const [mark, line] = Object.entries(seizure.lines).find(([, row]) => !row.removed) ?? ["1", {}];
  const found = missing("flash", seizure);
  const shown = insisted.value.has(seizure.id) ? found : [];
  const f = w().flash;
  const isOther = useSignal(isArticle(line));
  const whatFault = faultAt(shown, `lines/${mark}/substance`) ?? faultAt(shown, "lines");
  const turn = (): void => {
    isOther.value = !isOther.value;
    if (!isOther.value && isArticle(line)) put(seizure, "article", null, "lines", mark);
    if (!isOther.value && seizure.fields.finding_category) put(seizure, "finding_category", null);
    setTimeout(() => toPlaceOf(placeId(`lines/${mark}/substance`)), 0);
  };
  const field = (name: string, hint?: string) => (
    <FieldInput
      name={name}
      spec={specOf(name)}
      value={seizure.fields[name]}
      give={(value) => put(seizure, name, value)}
      id={placeId(name)}
      fault={faultAt(shown, name)}
      hint={hint}
    />
  );
  useDiscardOfNothing(seizure);
  return (
    <main id="content" class="fill">
      <Head title={f.title} up={href({ screen: "finds" })} />
      <p class="soft">{seizure.fields.kind === "expansion" ? f.expansion_lead : f.lead}</p>
      {!hasLists() && (
        <Notice tone="warn" icon="warn">
          {f.no_lists}
        </Notice>
      )}
      <section class="card">
        {isOther.value ? (
          <Article seizure={seizure} mark={mark} fault={whatFault} kind={field("finding_category", goesTo(seizure))} />
        ) : (
          <SubstanceField
            id={placeId(`lines/${mark}/substance`)}
            label={f.what}
            value={String(line.substance ?? "")}
            give={(key) => put(seizure, "substance", key, "lines", mark)}
            fault={whatFault}
          />
        )}
        {!line.substance && (
          <button type="button" class="quiet" onClick={turn}>
            {isOther.value ? f.is_drug : f.not_drug}
          </button>
        )}
        <Amount
          key={String(isOther.value)}
          id={placeId(`lines/${mark}`)}
          label={f.amount}
          hint={f.amount_hint}
          line={line}
          usual={isOther.value ? "piece" : "g"}
          give={(columns) => engine.finds.save(seizure.id, { lines: { [mark]: { ...columns, measure_basis: isOther.value ? null : "estimated" } } })}
          fault={faultAt(shown, `lines/${mark}`) ?? faultAt(shown, `lines/${mark}/count_unit`)}
        />
      </section>
      <section class="card" aria-label={f.photo}>
        <h2>{f.photo}</h2>
        <SeizurePhotos seizure={seizure} id={placeId("photos")} fault={faultAt(shown, "photos")} />
        {seizure.photos_total === 0 && field("no_photo_reason", f.no_photo_hint)}
      </section>
      <section class="card" aria-label={f.who}>
        <Counter seizure={seizure} fault={faultAt(shown, "persons_count")} />
      </section>
      <section class="card" aria-label={f.where}>
        <h2>{f.where}</h2>
        {field("place")}
        {field("mode")}
        {field("detected_on_device_at")}
        {field("lead_force")}
        {field("handling")}
      </section>
      <SendBar seizure={seizure} missing={found.map(placeOf).toSorted(downThePage)} />
    </main>
  );
}

/** Something that is no drug: what it is, and of what kind, which says to whom it goes. */
function Article({ seizure, mark, fault, kind }: { seizure: Seizure; mark: string; fault: string | null; kind: ComponentChildren }) {
  const f = w().flash;
  return (
    <>
      <FieldInput
        name="article"
        spec={specOf("article", "lines")}
        label={f.article}
        hint={f.article_hint}
        value={seizure.lines[mark]?.article}
        give={(value) => put(seizure, "article", value, "lines", mark)}
        id={placeId(`lines/${mark}/substance`)}
        fault={fault}
      />
      {kind}
    </>
  );
}

function goesTo({ fields }: Seizure): string | undefined {
  const kind = fields.finding_category;
  return kind ? w().flash.goes_to(called("hand_off", String(kind))) : undefined;
}

/** A number of people by minus and plus: zero is an answer, empty is none. */
function Counter({ seizure, fault }: { seizure: Seizure; fault: string | null }) {
  const f = w().flash;
  const value = seizure.fields.persons_count;
  const now = typeof value === "number" ? value : null;
  const set = (count: number): void => put(seizure, "persons_count", Math.max(0, count));
  return (
    <div class="field">
      <label for={placeId("persons_count")}>{f.persons}</label>
      <p class="hint">{w().hints.persons_count}</p>
      <div class="counter">
        <button type="button" class="quiet" onClick={() => set((now ?? 1) - 1)} aria-label={f.less}>
          <Icon name="minus" />
        </button>
        <input
          id={placeId("persons_count")}
          type="text"
          inputMode="numeric"
          autoComplete="off"
          maxLength={4}
          value={now ?? ""}
          onInput={(event) => {
            const typed = event.currentTarget.value.replace(/\D/g, "");
            event.currentTarget.value = typed;
            put(seizure, "persons_count", typed ? Number(typed) : null);
          }}
          aria-invalid={fault ? "true" : undefined}
        />
        <button type="button" class="quiet" onClick={() => set((now ?? 0) + 1)} aria-label={f.more}>
          <Icon name="plus" />
        </button>
      </div>
      {fault && <Fault>{fault}</Fault>}
    </div>
  );
}

function SendBar({ seizure, missing: lacking }: { seizure: Seizure; missing: readonly string[] }) {
  const f = w().flash;
  const { busy, problem, run } = useCommand();
  const [first] = lacking;
  const send = async (): Promise<void> => {
    if (first) {
      insist(seizure.id);
      toPlace(first);
      announce(f.missing(lacking.length));
      return;
    }
    if (!(await run(() => engine.finds.send(seizure.id, "flash")))) return;
    announce(navigator.onLine ? f.sent : f.sent_offline);
    go({ screen: "seizure", id: seizure.id, page: "", step: "" }, { replace: true });
  };
  return (
    <div class="bar">
      {problem.value !== null && <Fault>{wordsFor(problem.value)}</Fault>}
      <div class="two">
        <a class="button quiet" href={href({ screen: "finds" })}>
          {f.not_now}
        </a>
        <button type="button" aria-disabled={busy.value} onClick={() => void send()}>
          <Icon name="send" size={20} />
          {f.send}
        </button>
      </div>
    </div>
  );
}

/** Bring a place into view and give it the focus, once its fault stands there. */
export function toPlace(place: string): void {
  setTimeout(() => {
    if (!toPlaceOf(placeId(place === "lines" ? "lines/1/substance" : place))) toPlaceOf(placeId(place.split("/").slice(0, 2).join("/")));
  }, 0);
}

/** A report that was begun by a tap and left with nothing entered is taken back: it says nothing. */
function useDiscardOfNothing(seizure: Seizure): void {
  const held = useRef(seizure);
  held.current = seizure;
  useEffect(
    () => () => {
      const { id, goal, fields, lines, photos_total, version } = held.current;
      const isUntouched = begun.get(id) === told(fields) && Object.keys(lines).length === 0 && photos_total === 0;
      if (!isUntouched || goal !== null || version > 0 || engine.lock.value.state !== "open") return;
      void engine.finds.discard(id).catch(() => undefined);
    },
    [],
  );
}
