/** One seizure: how far it has come, what it says page by page with what each lacks, its exhibits and hand-overs. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Seizure } from "../../engine/index.ts";
import * as format from "../../i18n/format.ts";
import { named, words } from "../../i18n/index.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Badge, Head, Notice } from "../../ui/parts.tsx";
import { go, href } from "../../ui/router.ts";
import { isReceipted } from "../report.tsx";
import { TroubleCard } from "../trouble-card.tsx";
import { missing, type PageOf, PAGES, pageOf, spoken } from "./edit.ts";
import { SeizurePhotos } from "./photos.tsx";
import { amountText, ExhibitRow, HandOverRow, stateName, titleOf } from "./row.tsx";
import { substance, w } from "./words.ts";

export function SeizurePage({ seizure }: { seizure: Seizure }) {
  const p = w().page;
  const isUnsent = seizure.version === 0 && seizure.goal === null;
  return (
    <main id="content">
      <Head title={titleOf(seizure)} up={href({ screen: "finds" })} />
      <div class="stack tight">
        <p class="row">
          <Badge state={seizure.state} text={stateName(seizure)} />
        </p>
        <p class="soft tabular">{seizure.number ?? p.no_number}</p>
        {seizure.photos_total > 0 && (
          <p class="soft small tabular">
            {p.photos(seizure.photos_stored, seizure.photos_total)}
            {isReceipted(seizure) && ` · ${words().report.trail_receipt}`}
          </p>
        )}
      </div>
      {seizure.troubles.map((trouble) => (
        <TroubleCard key={trouble.id} trouble={trouble} />
      ))}
      {seizure.state === "returned" && (
        <Notice tone="warn" icon="returned">
          <strong>{p.review_note}</strong>
          <p>{seizure.review_note}</p>
        </Notice>
      )}
      {seizure.warnings.length > 0 && (
        <Notice tone="warn" icon="warn">
          <strong>{p.warnings}</strong>
          {seizure.warnings.map((code) => (
            <p key={code}>{named(w().warnings, code)}</p>
          ))}
        </Notice>
      )}
      {seizure.is_editable && (
        <div class="stack tight">
          <a
            class="button wide"
            href={
              isUnsent
                ? href({ screen: "flash", id: seizure.id, page: "", step: "" })
                : href({ screen: "seizure", id: seizure.id, page: "basic", step: "" })
            }
          >
            <Icon name="pen" size={20} />
            {isUnsent ? p.finish_flash : p.continue}
          </a>
          <p class="hint">{p.continue_lead}</p>
        </div>
      )}
      <Sections seizure={seizure} />
      {seizure.incident && seizure.version > 0 && (
        <a class="button wide quiet" href={href({ screen: "flash", id: "new", page: seizure.id, step: "" })}>
          <Icon name="plus" size={20} />
          {p.expansion}
        </a>
      )}
      <Custody seizure={seizure} />
      {isUnsent && <Discard seizure={seizure} />}
    </main>
  );
}

function Sections({ seizure }: { seizure: Seizure }) {
  const p = w().page;
  const lacking = missing("submitted", seizure);
  return (
    <section class="group">
      <h2>{p.sections}</h2>
      {PAGES.map((page) => {
        const count = lacking.filter((one) => pageOf(one) === page.key).length;
        const title = w().pages[page.key];
        return (
          <section key={page.key} class="card" aria-label={title}>
            <div class="row between">
              <h3>{title}</h3>
              {seizure.is_editable && (
                <span class={`badge ${count > 0 ? "wait" : "good"}`}>{count > 0 ? p.lacks(count) : p.complete}</span>
              )}
            </div>
            <Said seizure={seizure} page={page} />
            {page.key === "basic" && seizure.photos_total > 0 && (
              <SeizurePhotos seizure={{ ...seizure, is_editable: false }} id="page-photos" />
            )}
            {seizure.is_editable && (
              <a class="button quiet" href={href({ screen: "seizure", id: seizure.id, page: page.key, step: "" })}>
                <Icon name="pen" size={18} />
                {p.edit}
                <span class="unseen">: {title}</span>
              </a>
            )}
          </section>
        );
      })}
    </section>
  );
}

/** What a page says, in words; empty fields are left out. */
function Said({ seizure, page }: { seizure: Seizure; page: PageOf }) {
  const facts = page.fields
    .filter((name) => name !== "photos")
    .map((name) => {
      const value = seizure.fields[name];
      const at = name.endsWith("_at") && typeof value === "string" ? format.moment(value) : null;
      return [named(w().fields, name), at ?? spoken(name, value)] as const;
    })
    .filter(([, text]) => text);
  const rows = page.parts.flatMap((part) =>
    Object.entries(seizure[part]).map(([mark, row]) => {
      const name = w().form.row(w().form.rows[part], mark);
      const own = part === "lines" ? [row.substance ? substance(String(row.substance)) : "", amountText(row)] : [];
      const rest = Object.entries(row)
        .filter(([key]) => !["substance", "removed", "gross_mass_g", "net_mass_g", "volume_ml", "count", "count_unit"].includes(key))
        .map(([key, value]) => spoken(key, value, part));
      const text = row.removed ? w().form.struck(String(row.removed)) : [...own, ...rest].filter(Boolean).join(" · ");
      return [name, text] as const;
    }),
  );
  if (facts.length + rows.length === 0) return <p class="soft">{words().report.none}</p>;
  return (
    <dl class={rows.length > 0 ? "facts tall" : "facts"}>
      {[...facts, ...rows].map(([name, text]) => (
        <>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </>
      ))}
    </dl>
  );
}

function Custody({ seizure }: { seizure: Seizure }) {
  const p = w().page;
  const exhibits = engine.finds.exhibits.value.filter((one) => one.report === seizure.id);
  const offers = engine.finds.hand_overs.value.filter((one) => one.report === seizure.id);
  const isSent = seizure.version > 0 || seizure.goal !== null;
  return (
    <section class="group">
      <h2>{p.exhibits}</h2>
      <p class="hint">{isSent ? p.exhibits_lead : p.exhibits_later}</p>
      <ul class="rows">
        {exhibits.map((exhibit) => (
          <li key={exhibit.id}>
            <ExhibitRow exhibit={exhibit} />
          </li>
        ))}
      </ul>
      {isSent && seizure.state !== "voided" && (
        <div class="row">
          <a class="button quiet" href={href({ screen: "package", id: seizure.id, page: "", step: "" })}>
            <Icon name="plus" size={20} />
            {p.add_exhibit}
          </a>
          {exhibits.length > 0 && (
            <a class="button quiet" href={href({ screen: "offer", id: seizure.id, page: "", step: "" })}>
              <Icon name="send" size={20} />
              {p.offer}
            </a>
          )}
        </div>
      )}
      {offers.length > 0 && (
        <>
          <h3>{p.hand_overs}</h3>
          <ul class="rows">
            {offers.map((offer) => (
              <li key={offer.id}>
                <HandOverRow offer={offer} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Discard({ seizure }: { seizure: Seizure }) {
  const p = w().page;
  const asking = useSignal(false);
  const discard = async (): Promise<void> => {
    await engine.finds.discard(seizure.id);
    go({ screen: "finds" }, { replace: true });
  };
  return (
    <>
      <button type="button" class="danger" onClick={() => (asking.value = true)}>
        {p.discard}
      </button>
      {asking.value && (
        <Confirm
          title={p.discard_title}
          lead={p.discard_lead}
          act={p.discard}
          onAct={() => void discard()}
          close={() => (asking.value = false)}
        />
      )}
    </>
  );
}
