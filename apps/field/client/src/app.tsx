/** The frame around the screens: which of them is shown, the banner, the navigation, the idle lock, the words aloud. */

import { signal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { engine } from "./engine/index.ts";
import { lang, words } from "./i18n/index.ts";
import { DoorHead, Enrol } from "./screens/enrol.tsx";
import { First, isSettingUp } from "./screens/first.tsx";
import { Today } from "./screens/today.tsx";
import { Unlock } from "./screens/unlock.tsx";
import { Banner } from "./ui/banner.tsx";
import { LiveRegion } from "./ui/live.tsx";
import { Nav } from "./ui/nav.tsx";
import { Notice } from "./ui/parts.tsx";
import { isFind, isForm, route } from "./ui/router.ts";

export function App() {
  useDocument();
  useIdleLock();
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {words().common.skip}
      </a>
      <Screen />
      <LiveRegion />
    </>
  );
}

function Screen() {
  switch (engine.lock.value.state) {
    case "starting":
      return (
        <main id="content" class="door" aria-busy="true">
          <DoorHead />
          <p class="soft">{words().common.loading}</p>
        </main>
      );
    case "broken":
      return <Broken />;
    case "none":
    case "wiped":
      return <Enrol />;
    case "locked":
      return <Unlock />;
    case "open":
      return isSettingUp.value ? <First /> : <Inside />;
  }
}

/** The browser keeps nothing for this page: said plainly, for without a store there is no app. */
function Broken() {
  const w = words().broken;
  return (
    <main id="content" class="door">
      <DoorHead />
      <h1>{w.title}</h1>
      <Notice tone="bad" icon="warn">
        {w.lead}
      </Notice>
      <button type="button" class="wide" onClick={() => location.reload()}>
        {words().common.retry}
      </button>
    </main>
  );
}

/** Behind the PIN. */
function Inside() {
  const now = route.value;
  const filling = isForm(now);
  return (
    <div class={filling ? "inside" : "inside with-nav"}>
      <Banner />
      <Room key={"id" in now ? `${now.screen} ${now.id}` : now.screen} />
      {!filling && <Nav current={now.screen} />}
    </div>
  );
}

/** The screens behind Today, once they are loaded; asked for again when the network was gone at the first visit. */
const work = signal<typeof import("./screens/work.ts") | null>(null);

/** Those of seizures and custody, a piece of their own. */
const finds = signal<typeof import("./screens/seizures/index.tsx") | null>(null);
const missing = signal(false);

async function loadFinds(): Promise<void> {
  const [loaded] = await Promise.all([import("./screens/seizures/index.tsx"), engine.finds.ready()]);
  finds.value = loaded;
}

function loadWork(): void {
  const failed = (): void => {
    missing.value = true;
  };
  missing.value = false;
  if (!work.value) import("./screens/work.ts").then((loaded) => (work.value = loaded), failed);
  if (!finds.value) loadFinds().catch(failed);
}

/** In the place of a screen that is not loaded yet, or could not be. */
function Loading() {
  const w = words().common;
  return (
    <main id="content" aria-busy={!missing.value}>
      <p class="soft">{missing.value ? w.not_loaded : w.loading}</p>
      {missing.value && (
        <button type="button" class="wide quiet" onClick={loadWork}>
          {w.retry}
        </button>
      )}
    </main>
  );
}

function Room(): JSX.Element {
  const now = route.value;
  useEffect(loadWork, []);
  if (now.screen === "today") return <Today />;
  const ofFinds = now.screen === "decide" && engine.finds.troubles.value.some(({ id }) => id === now.id);
  if (finds.value && isFind(now)) return <finds.value.FindRoom to={now} />;
  if (finds.value && ofFinds) return <finds.value.DecideFind id={now.id} />;
  if (!work.value || isFind(now) || ofFinds) return <Loading />;
  const { Decide, Fill, Inspect, Me, ReportScreen, SyncCentre } = work.value;
  switch (now.screen) {
    case "inspect":
      return <Inspect />;
    case "sync":
      return <SyncCentre />;
    case "me":
      return <Me />;
    case "report":
      return <ReportScreen id={now.id} />;
    case "decide":
      return <Decide id={now.id} />;
    case "fill":
      return <Fill id={now.id} page={now.page} step={now.step} />;
  }
}

function skip(event: Event): void {
  event.preventDefault();
  const content = document.getElementById("content");
  content?.setAttribute("tabindex", "-1");
  content?.focus();
}

/** Language, theme and text size stand on the root element, where style sheets and screen readers look for them. */
function useDocument(): void {
  useSignalEffect(() => {
    const { theme, text_size } = engine.prefs.value;
    const root = document.documentElement;
    const night = matchMedia("(prefers-color-scheme: dark)");
    const apply = (): void => {
      root.dataset.theme = theme === "system" ? (night.matches ? "dark" : "light") : theme;
      const colour = getComputedStyle(root).getPropertyValue("--ground").trim();
      document.querySelector('meta[name="theme-color"]')?.setAttribute("content", colour);
    };
    root.lang = lang();
    root.dataset.size = text_size;
    apply();
    night.addEventListener("change", apply);
    return () => night.removeEventListener("change", apply);
  });
}

/** Every touch or key puts the idle lock off. */
function useIdleLock(): void {
  useEffect(() => {
    const touch = (): void => engine.touch();
    const kinds = ["pointerdown", "keydown"] as const;
    for (const kind of kinds) addEventListener(kind, touch, { passive: true });
    return () => {
      for (const kind of kinds) removeEventListener(kind, touch);
    };
  }, []);
}
