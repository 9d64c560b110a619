/** A new inspection: choose a checklist and begin. What this officer uses most stands first. */

import { useSignal } from "@preact/signals";
import { engine } from "../engine/index.ts";
import type { ChecklistVersion, Header, Posting } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { named, say, words } from "../i18n/index.ts";
import { stepsOf } from "../rules/content.ts";
import { fold } from "../rules/values.ts";
import { Icon } from "../ui/icons.tsx";
import { Choices, Field, Head, Notice } from "../ui/parts.tsx";
import { go } from "../ui/router.ts";

const MANY = 6;
const OFTEN = 2;

/** What a kind of inspection nearly always says in its header; the officer can change it. */
const USUAL: Readonly<Record<string, Header>> = {
  passenger: { mode: "air_passenger", place_type: "passenger_hall", direction: "inward_passenger" },
  baggage: { mode: "air_passenger", place_type: "passenger_hall", direction: "inward_passenger" },
  air_cargo: { mode: "air_cargo", place_type: "air_cargo_terminal", direction: "import" },
  express: { mode: "express", place_type: "express_hub", direction: "import" },
  postal: { mode: "postal", place_type: "post_office_exchange", direction: "import" },
  container: { mode: "sea_container", place_type: "seaport", direction: "import" },
  vehicle: { mode: "road_cargo", place_type: "border_gate", direction: "import" },
  vessel: { mode: "sea_other", place_type: "seaport" },
};
const CARRIED = ["mode", "place_type", "direction", "place", "channel"] as const;

export function Inspect() {
  const w = words().inspect;
  const sought = useSignal("");
  const posts = engine.postings.value.filter(mayReport);
  const post = useSignal(posts[0]?.id ?? "");
  const open = engine.checklists.value.filter((version) => version.status === "published");
  const found = open.filter((version) => fold(Object.values(version.title).join(" ")).includes(fold(sought.value)));
  const often = sought.value ? [] : mostUsed(found);
  const rest = found.filter((version) => !often.includes(version));
  const begin = (version: ChecklistVersion): void => {
    const id = engine.beginReport(version.id, headerFor(version), posts.length > 1 ? post.value : undefined);
    go({ screen: "fill", id, page: "general", step: "" });
  };
  return (
    <main id="content">
      <Head title={w.title} />
      {posts.length > 1 && (
        <Choices
          legend={w.posting}
          options={posts.map((one) => ({ value: one.id, label: say(one.unit) }))}
          chosen={[post.value]}
          choose={(id) => (post.value = id)}
        />
      )}
      {posts.length === 0 && engine.sync.value.last_sync_at !== null && (
        <Notice tone="warn" icon="warn">
          {w.no_posting}
        </Notice>
      )}
      {open.length > MANY && (
        <Field
          label={w.search}
          type="search"
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
          autoComplete="off"
        />
      )}
      {open.length === 0 && <p class="card empty">{w.none}</p>}
      {open.length > 0 && found.length === 0 && <p class="card empty">{w.none_found(sought.value)}</p>}
      {often.length > 0 && <List title={w.often} versions={often} begin={begin} disabled={posts.length === 0} />}
      {rest.length > 0 && (
        <List title={often.length > 0 ? w.all : w.lead} versions={rest} begin={begin} disabled={posts.length === 0} />
      )}
    </main>
  );
}

interface ListProps {
  readonly title: string;
  readonly versions: readonly ChecklistVersion[];
  readonly begin: (version: ChecklistVersion) => void;
  readonly disabled: boolean;
}

function List({ title, versions, begin, disabled }: ListProps) {
  const w = words();
  return (
    <section class="group">
      <h2>{title}</h2>
      <ul class="rows">
        {versions.map((version) => (
          <li key={version.id}>
            <button type="button" class="item" disabled={disabled} onClick={() => begin(version)}>
              <span class="words">
                <span class="title">{say(version.title)}</span>
                <span class="soft small">
                  {[
                    named(w.applies_to, version.applies_to),
                    w.inspect.steps(stepsOf(version.content).length),
                    w.inspect.version(version.semver),
                  ].join(" · ")}
                </span>
              </span>
              <Icon name="plus" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function mayReport(posting: Posting): boolean {
  return posting.role === "officer" || posting.role === "leader";
}

function mostUsed(versions: readonly ChecklistVersion[]): ChecklistVersion[] {
  const uses = new Map<string, number>();
  for (const report of engine.reports.value) uses.set(report.type, (uses.get(report.type) ?? 0) + 1);
  return versions
    .filter((version) => uses.has(version.applies_to))
    .toSorted((a, b) => (uses.get(b.applies_to) ?? 0) - (uses.get(a.applies_to) ?? 0))
    .slice(0, versions.length > MANY ? OFTEN : 0);
}

/** Begin with what is usual, and with what the officer chose the last time for the same kind of inspection. */
function headerFor(version: ChecklistVersion): Header {
  const last = engine.reports.value.find((report) => report.type === version.applies_to)?.header ?? {};
  const carried = Object.fromEntries(CARRIED.flatMap((key) => (last[key] ? [[key, last[key]]] : [])));
  return {
    ...USUAL[version.applies_to],
    ...carried,
    started_on_device_at: format.isoWithOffset(new Date()),
    captured_tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}
