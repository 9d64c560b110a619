/** One banner, and only when the officer has to know: the gravest thing, with a count and the way to it. */

import type { JSX } from "preact";
import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import { Icon } from "./icons.tsx";
import { href, route } from "./router.ts";

export function Banner() {
  const text = message();
  return (
    <div role="status" aria-live="polite">
      {text}
    </div>
  );
}

function message(): JSX.Element | null {
  const { banner } = words();
  const { screen } = route.value;
  const { error, attention, waiting: work, photos_waiting } = engine.sync.value;
  const waiting = work + photos_waiting;
  if (engine.lease.value === "all_locked") return <Line text={banner.lease} to="sync" />;
  if (screen === "sync" || screen === "decide" || screen === "today") return null; // they say the same, at length
  if (screen === "fill") return null; // nothing that cannot wait until the form is left
  if (error?.code === "suspended") return <Line text={banner.suspended} to="sync" />;
  if (attention > 0) return <Line text={banner.attention(attention)} to="sync" />;
  if (error?.code === "storage") return <Line text={banner.storage} to="sync" />;
  if (error?.code === "sign-in" && waiting > 0) return <Line text={banner.sign_in(waiting)} to="sync" />;
  if (error?.code === "upgrade" && waiting > 0) return <Line text={banner.upgrade(waiting)} to="me" />;
  if (engine.update_ready.value) {
    return (
      <div class="banner">
        <Icon name="download" />
        <p>{banner.update}</p>
        <button type="button" onClick={() => void engine.applyUpdate()}>
          {banner.update_do}
        </button>
      </div>
    );
  }
  return null;
}

function Line({ text, to }: { text: string; to: "sync" | "me" }) {
  return (
    <div class="banner">
      <Icon name="warn" />
      <p>{text}</p>
      <a class="button" href={href({ screen: to })}>
        {words().banner.see}
      </a>
    </div>
  );
}
