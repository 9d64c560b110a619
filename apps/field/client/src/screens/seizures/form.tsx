/** The full report, page by page: fields as the table of pages says, parts by mark, and the last page that sends it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Part, Seizure } from "../../engine/index.ts";
import { words } from "../../i18n/index.ts";
import type { Finding } from "../../rules/answers.ts";
import { isArticle, isWeighedOn, PARTS, standing } from "../../rules/seizure.ts";
import { Sheet } from "../../ui/dialog.tsx";
import { passOn, toPlaceOf } from "../../ui/focus.ts";
import { Icon } from "../../ui/icons.tsx";
import { Fault, Head } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { saving } from "../form/editing.ts";
import { faultAt, insisted, isNeeded, missing, type PageOf, PAGES, placeId, put, SCALE_REASON, specOf, usualFields } from "./edit.ts";
import { FieldInput } from "./inputs.tsx";
import { ScalePhotos, SeizurePhotos, Take } from "./photos.tsx";
import { titleOf } from "./row.tsx";
import { SendPage } from "./send.tsx";
import { SubstanceField } from "./substance.tsx";
import { w } from "./words.ts";

export function SeizureForm({ seizure, page, step }: { seizure: Seizure; page: string; step: string }) {
  const here = PAGES.find((one) => one.key === page) ?? null;
  const shown = insisted.value.has(seizure.id) ? missing("submitted", seizure) : [];
  useEffect(() => {
    if (!seizure.is_editable) go({ screen: "seizure", id: seizure.id, page: "", step: "" }, { replace: true });
  }, [seizure.is_editable]);
  useArrival(page, step);
  return (
    <main id="content" class="fill">
      <Head title={titleOf(seizure)} up={href({ screen: "seizure", id: seizure.id, page: "", step: "" })} />
      <div class="row between">
        <h2 id="page-title" tabIndex={-1}>
          {here ? w().pages[here.key] : w().pages.send}
        </h2>
        <Saved />
      </div>
      {here ? <Fields seizure={seizure} page={here} found={shown} /> : <SendPage seizure={seizure} />}
      {here && <Bar seizure={seizure} here={here} />}
    </main>
  );
}

/** On another page its heading takes the focus; a place that was asked for by name takes it instead. */
function useArrival(page: string, step: string): void {
  const first = useRef(true);
  useEffect(() => {
    const isFirst = first.current;
    first.current = false;
    if (step && toPlaceOf(`at-${step}`)) return;
    if (!isFirst) {
      document.getElementById("page-title")?.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    }
  }, [page, step]);
}

function Saved() {
  const f = words().form;
  const state = saving.value;
  return (
    <span class={`small ${state === "failed" ? "saved bad" : "saved"}`}>
      <Icon name={state === "saved" ? "check" : state === "saving" ? "clock" : "warn"} size={16} />
      {state === "saved" ? f.saved : state === "saving" ? f.saving : f.not_saved}
    </span>
  );
}

function Fields({ seizure, page, found }: { seizure: Seizure; page: PageOf; found: readonly Finding[] }) {
  const fields = page.fields.filter((name) => name !== SCALE_REASON);
  const isWeighed = standing(seizure.lines).some(([, line]) => isWeighedOn(line));
  return (
    <>
      {fields.length > 0 && (
        <div class="card">
          {fields.map((name) =>
            name === "photos" ? (
              <div key={name} class="field">
                <p class="like-label">{w().fields.photos}</p>
                <SeizurePhotos seizure={seizure} id={placeId("photos")} fault={faultAt(found, "photos")} />
              </div>
            ) : (
              <FieldInput
                key={name}
                name={name}
                spec={specOf(name)}
                value={seizure.fields[name]}
                give={(value) => put(seizure, name, value)}
                id={placeId(name)}
                fault={faultAt(found, name)}
                needed={isNeeded(name)}
              />
            ),
          )}
        </div>
      )}
      {page.parts.map((part) => (
        <PartOf key={part} seizure={seizure} part={part} found={found} />
      ))}
      {page.key === "lines" && isWeighed && <ScalePhotos seizure={seizure} fault={faultAt(found, SCALE_REASON)} />}
    </>
  );
}

interface PartProps {
  readonly seizure: Seizure;
  readonly part: Part;
  readonly found: readonly Finding[];
}

function PartOf({ seizure, part, found }: PartProps) {
  const f = w().form;
  const rows = Object.entries(seizure[part]);
  const opened = useSignal<string | null>(null);
  const add = (): void => {
    const mark = String(rows.reduce((most, [one]) => Math.max(most, Number.parseInt(one, 10) || 0), 0) + 1);
    opened.value = mark; // it is kept once something is entered
    setTimeout(() => toPlaceOf(placeId(`${part}/${mark}`)), 0);
  };
  const shown = opened.value && !seizure[part][opened.value] ? [...rows, [opened.value, {}] as const] : rows;
  return (
    <section class="group" id={placeId(part)} tabIndex={-1} aria-label={w().fields[part]}>
      <h3>{w().fields[part]}</h3>
      {faultAt(found, part) && <Fault>{faultAt(found, part)}</Fault>}
      {shown.map(([mark, row]) => (
        <Row key={mark} seizure={seizure} part={part} mark={mark} row={row} found={found} />
      ))}
      <button type="button" class="quiet" onClick={add}>
        <Icon name="plus" size={20} />
        {f.add_row[part]}
      </button>
    </section>
  );
}

interface RowProps extends PartProps {
  readonly mark: string;
  readonly row: Seizure["fields"];
}

function Row({ seizure, part, mark, row, found }: RowProps) {
  const f = w().form;
  const striking = useSignal(false);
  const held = useRef(new Set(Object.keys(row))).current; // a field that is being filled in stays where it is
  const title = f.row(f.rows[part], mark);
  const place = `${part}/${mark}`;
  const names = Object.keys(PARTS[part]).filter((name) => name !== "removed");
  const isUsual = usualFields(part, String(seizure.fields.mode ?? ""));
  const isShown = (name: string): boolean => isUsual(name) || held.has(name);
  const [usual, rest] = [names.filter(isShown), names.filter((name) => !isShown(name))];
  const field = (name: string) => <RowField key={name} {...{ seizure, part, mark, row, found, name }} />;
  if (row.removed) {
    return (
      <div class="card" id={placeId(place)} tabIndex={-1} role="group" aria-label={title}>
        <h4>{title}</h4>
        <p class="soft">{f.struck(String(row.removed))}</p>
        <button type="button" class="quiet" onClick={(event) => {
            put(seizure, "removed", null, part, mark);
            passOn(event, placeId(place));
          }}>
          {f.restore}
        </button>
      </div>
    );
  }
  return (
    <div class="card" id={placeId(place)} tabIndex={-1} role="group" aria-label={title}>
      <h4>{title}</h4>
      {faultAt(found, place) && <Fault>{faultAt(found, place)}</Fault>}
      {usual.map(field)}
      {rest.length > 0 && (
        <details class="fold">
          <summary>
            <Icon name="plus" size={18} />
            {f.other_fields}
          </summary>
          <div class="stack">{rest.map(field)}</div>
        </details>
      )}
      <button type="button" class="danger" onClick={() => (striking.value = true)}>
        {f.strike}
        <span class="unseen"> {title}</span>
      </button>
      {striking.value && (
        <Reason
          title={f.strike_title}
          lead={f.strike_lead}
          label={f.strike_reason}
          act={f.strike}
          done={(reason) => {
            striking.value = false;
            put(seizure, "removed", reason, part, mark);
            setTimeout(() => toPlaceOf(placeId(place)), 0);
          }}
          close={() => (striking.value = false)}
        />
      )}
    </div>
  );
}

/** What is asked of a drug alone. */
const NOT_OF_ARTICLES = new Set(["substance", "form", "id_basis"]);

function RowField({ seizure, part, mark, row, found, name }: RowProps & { name: string }) {
  const place = `${part}/${mark}/${name}`;
  const fault = faultAt(found, place);
  if (part === "lines" && isArticle(row) && NOT_OF_ARTICLES.has(name)) return null;
  if (name === "article" && row.substance) return null;
  if (name === "substance") {
    return (
      <SubstanceField
        id={placeId(place)}
        label={`${w().fields.substance} (${words().common.required})`}
        value={String(row.substance ?? "")}
        give={(key) => put(seizure, name, key, part, mark)}
        fault={fault}
      />
    );
  }
  const isWeight = part === "lines" && name === "measure_basis" && isWeighedOn(row);
  return (
    <>
      <FieldInput
        name={name}
        spec={specOf(name, part)}
        value={row[name]}
        give={(value) => put(seizure, name, value, part, mark)}
        id={placeId(place)}
        fault={fault}
        needed={isNeeded(name, part)}
      />
      {isWeight && <Take seizure={seizure} purpose="scale" text={w().photos.take_scale} gallery={false} />}
    </>
  );
}

interface ReasonProps {
  readonly title: string;
  readonly lead: string;
  readonly label: string;
  readonly act: string;
  readonly done: (reason: string) => void;
  readonly close: () => void;
}

/** Ask for the reason of something that stays on file. */
export function Reason({ title, lead, label, act, done, close }: ReasonProps) {
  const reason = useSignal("");
  const faulty = useSignal(false);
  const finish = (): void => {
    if (reason.value.trim()) done(reason.value.trim());
    else faulty.value = true;
  };
  return (
    <Sheet title={title} close={close}>
      {lead && <p>{lead}</p>}
      <FieldInput
        name="removed"
        label={label}
        spec="text 500"
        value={reason.value}
        give={(value) => (reason.value = String(value ?? ""))}
        id="why"
        fault={faulty.value && !reason.value.trim() ? w().faults.required : null}
      />
      <div class="stack">
        <button type="button" class="danger wide" onClick={finish}>
          {act}
        </button>
        <button type="button" class="quiet wide" onClick={close}>
          {words().common.cancel}
        </button>
      </div>
    </Sheet>
  );
}

function Bar({ seizure, here }: { seizure: Seizure; here: PageOf }) {
  const at = PAGES.indexOf(here);
  const to = (page: string): string => href({ screen: "seizure", id: seizure.id, page, step: "" });
  const next = PAGES[at + 1];
  return (
    <nav class="bar" aria-label={w().page.sections}>
      <div class="two">
        <a class="button quiet square" href={at > 0 ? to(PAGES[at - 1]?.key ?? "") : to("")} aria-label={at > 0 ? words().form.previous : w().form.back}>
          <Icon name="back" />
        </a>
        <a class="button" href={to(next?.key ?? "send")}>
          {next ? w().pages[next.key] : w().pages.send}
          <Icon name="next" size={20} />
        </a>
      </div>
    </nav>
  );
}
