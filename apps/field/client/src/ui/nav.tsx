/** The five places of the app, at the thumb. Only what works stands here. */

import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import { Icon, type IconName } from "./icons.tsx";
import { href, type Route } from "./router.ts";

const PLACES = ["today", "inspect", "finds", "sync", "me"] as const;
const ICONS: Readonly<Record<(typeof PLACES)[number], IconName>> = {
  today: "today",
  inspect: "inspect",
  finds: "seal",
  sync: "sync",
  me: "me",
};
/** Under which place a screen belongs that has none of its own. */
const BELONGS: Readonly<Partial<Record<Route["screen"], string>>> = {
  ...{ report: "today", decide: "sync" },
  ...{ seizure: "finds", exhibit: "finds", handover: "finds" },
};

export function Nav({ current }: { current: Route["screen"] }) {
  const { nav, today } = words();
  const { waiting: work, photos_waiting, attention } = engine.sync.value;
  const waiting = work + photos_waiting;
  return (
    <nav class="nav" aria-label={nav.label}>
      <ul>
        {PLACES.map((place) => {
          const count = place === "sync" ? attention || waiting : 0;
          return (
            <li key={place}>
              <a href={href({ screen: place })} aria-current={(BELONGS[current] ?? current) === place ? "page" : undefined}>
                <span class="pill">
                  <Icon name={ICONS[place]} />
                </span>
                {nav[place]}
                {count > 0 && (
                  <span class="count">
                    {count > 99 ? "99+" : count}
                    <span class="unseen"> {attention ? today.need_you(attention) : today.to_send(waiting)}</span>
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
