/** A decision about a seizure, an exhibit or a hand-over: both versions side by side, or why it was refused, and the ways out. */

import { engine } from "../../engine/index.ts";
import type { Json, Part } from "../../engine/index.ts";
import type { Trouble } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { named, words } from "../../i18n/index.ts";
import { Head, Notice } from "../../ui/parts.tsx";
import { href } from "../../ui/router.ts";
import { Ways } from "../decide.tsx";
import { reason } from "../trouble-card.tsx";
import { pageOf, placeName, spoken } from "./edit.ts";
import { titleOf } from "./row.tsx";
import { useLists, w } from "./words.ts";

export function DecideFind({ id }: { id: string }) {
  useLists();
  const t = words().trouble;
  const trouble = engine.finds.troubles.value.find((one) => one.id === id);
  const up = href({ screen: "sync" });
  if (!trouble) {
    return (
      <main id="content">
        <Head title={words().sync.title} up={up} />
        <Notice tone="good" icon="check">
          {t.decided}
        </Notice>
      </main>
    );
  }
  const seizure = engine.finds.seizures.value.find((one) => one.id === trouble.report);
  const isConflict = trouble.kind === "conflict";
  return (
    <main id="content">
      <Head title={isConflict ? t.conflict_title : t.refused_title} up={up} />
      <a class="row" href={recordOf(trouble)}>
        {seizure ? titleOf(seizure) : named(t.what, trouble.record)}
        <span class="soft tabular">{seizure?.number ?? ""}</span>
      </a>
      <Notice tone="bad" icon="warn">
        <strong>{reason(trouble)}</strong>
        {isConflict && trouble.fields.length > 0 && <p>{t.conflict_lead}</p>}
        {trouble.code === "field-conflict" && <p>{t.conflict_rest}</p>}
        {trouble.errors.map((error) => (
          <p key={error.pointer + error.code}>{sentence(error)}</p>
        ))}
      </Notice>
      {isConflict && trouble.record === "seizure" && trouble.fields.map((field) => <Both key={field} field={field} trouble={trouble} />)}
      {trouble.record !== "seizure" && <Mine trouble={trouble} />}
      <Ways trouble={trouble} open={seizure?.is_editable ? editOf(trouble) : null} />
    </main>
  );
}

function recordOf(trouble: Trouble): string {
  const screen = trouble.record === "exhibit" ? "exhibit" : trouble.record === "hand_over" ? "handover" : "seizure";
  return href({ screen, id: trouble.report, page: "", step: "" });
}

/** Where a refused seizure is put right: at the first place that was named. */
function editOf({ report, errors }: Trouble): string {
  const [first] = errors;
  const page = first ? pageOf(first) : "basic";
  const step = first ? first.pointer.split("/").slice(2).join("-") : "";
  return href({ screen: "seizure", id: report, page, step });
}

function sentence({ pointer, code, detail }: Trouble["errors"][number]): string {
  const said = Object.hasOwn(w().faults, code) ? named(w().faults, code) : detail || code;
  return `${placeName(pointer.split("/").slice(2).join("/"))}: ${said}`;
}

function Both({ field, trouble }: { field: string; trouble: Trouble }) {
  const t = words().trouble;
  const name = placeName(field.replaceAll(".", "/"));
  return (
    <section class="card" aria-label={name}>
      <h2>{name}</h2>
      <div class="versions">
        <div class="version mine">
          <h3 class="small soft">{t.mine}</h3>
          <p>{shown(field, trouble.mine[field])}</p>
        </div>
        <div class="version">
          <h3 class="small soft">{t.theirs}</h3>
          <p>{shown(field, trouble.theirs[field])}</p>
        </div>
      </div>
    </section>
  );
}

function shown(field: string, value: Json | undefined): string {
  const [key = "", , name] = field.split(".");
  if (value === undefined || value === null || value === "") return words().trouble.empty;
  if (key === "photos") return words().trouble.photo_count(Array.isArray(value) ? value.length : 0);
  if (field.endsWith("_at")) return format.moment(String(value));
  return name ? spoken(name, value, key as Part) : spoken(key, value);
}

/** What a custody step said, in words: nothing of it is lost by being refused. */
function Mine({ trouble }: { trouble: Trouble }) {
  const facts = Object.entries(trouble.mine).flatMap(([name, value]) => {
    const text = name === "seals" ? seals(value) : Array.isArray(value) || typeof value !== "object" ? spoken(name, value) : "";
    return text && name !== "report" && name !== "exhibits" ? [[named(w().fields, name), text] as const] : [];
  });
  if (facts.length === 0) return null;
  return (
    <section class="card">
      <h2>{words().trouble.mine}</h2>
      <dl class="facts">
        {facts.map(([name, text]) => (
          <>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function seals(value: Json | undefined): string {
  return Array.isArray(value) ? value.map((one) => (one as { number?: string }).number ?? "").join(", ") : "";
}
