/** All finds of this officer: what asks for an answer, what is to be completed, what is sent; and what is in hand. */

import { engine } from "../../engine/index.ts";
import type { Seizure } from "../../engine/index.ts";
import * as format from "../../i18n/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Head } from "../../ui/parts.tsx";
import { href } from "../../ui/router.ts";
import { ExhibitRow, HandOverRow, SeizureRow } from "./row.tsx";
import { w } from "./words.ts";

const ENDED = new Set(["locked", "voided"]);
const OPEN = new Set<string | null>([null, "draft", "flash", "preliminary"]);
const MOST = 40;

export function FindList() {
  const l = w().list;
  const me = engine.device.value?.officer.id ?? "";
  const seizures = engine.finds.seizures.value;
  const isOpen = (one: Seizure): boolean => one.state === "attention" || (OPEN.has(one.server_state) && one.goal !== "submit");
  const ended = seizures.filter((one) => ENDED.has(one.state));
  const rest = seizures.filter((one) => !ENDED.has(one.state));
  const offered = engine.finds.hand_overs.value.filter(
    (offer) => offer.troubles.length > 0 || (offer.state === "offered" && offer.receiver === me),
  );
  const own = new Set(seizures.map((one) => one.id));
  const others = engine.finds.exhibits.value.filter((one) => one.holder === me && !own.has(one.report) && !one.offer);
  return (
    <main id="content">
      <Head title={l.title} />
      <p class="soft">{l.lead}</p>
      {offered.length > 0 && (
        <section class="group">
          <h2>{l.offered}</h2>
          <ul class="rows">
            {offered.map((offer) => (
              <li key={offer.id}>
                <HandOverRow offer={offer} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <Group title={l.mine} seizures={rest.filter(isOpen)} />
      {others.length > 0 && (
        <section class="group">
          <h2>{l.in_hand}</h2>
          <ul class="rows">
            {others.map((exhibit) => (
              <li key={exhibit.id}>
                <ExhibitRow exhibit={exhibit} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <Group title={l.sent} seizures={rest.filter((one) => !isOpen(one))} />
      <Group title={l.ended} seizures={ended} />
      {seizures.length === 0 && (
        <div class="card empty">
          <Icon name="seal" size={40} />
          <h2>{l.none}</h2>
          <p>{l.none_lead}</p>
        </div>
      )}
      <div class="call calls one">
        <a class="button wide" href={href({ screen: "flash", id: "new", page: "", step: "" })}>
          <Icon name="plus" />
          {l.flash}
        </a>
      </div>
    </main>
  );
}

function Group({ title, seizures }: { title: string; seizures: readonly Seizure[] }) {
  if (seizures.length === 0) return null;
  return (
    <section class="group">
      <h2>
        {title} <span class="soft">{format.number(seizures.length)}</span>
      </h2>
      <ul class="rows">
        {seizures.slice(0, MOST).map((seizure) => (
          <li key={seizure.id}>
            <SeizureRow seizure={seizure} />
          </li>
        ))}
      </ul>
    </section>
  );
}
