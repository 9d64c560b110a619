/** Asks for what keeps the data safe on the phone: installation, and the browser's promise not to evict. */

import { signal } from "@preact/signals";
import { engine } from "../engine/index.ts";
import { words } from "../i18n/index.ts";
import { Icon } from "../ui/icons.tsx";
import { Notice } from "../ui/parts.tsx";

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const offered = signal<InstallPrompt | null>(null);
const installed = signal(matchMedia("(display-mode: standalone)").matches);
const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offered.value = event as InstallPrompt;
});
addEventListener("appinstalled", () => {
  installed.value = true;
  offered.value = null;
});

export function InstallHint() {
  const w = words().first;
  const { persisted, quota } = engine.storage.value;
  const install = async (): Promise<void> => {
    await offered.value?.prompt();
    offered.value = null;
  };
  return (
    <>
      {!installed.value && (offered.value !== null || isApple) && (
        <section class="card">
          <h2>{w.install_title}</h2>
          <p>{w.install_lead}</p>
          {offered.value ? (
            <button type="button" class="wide quiet" onClick={() => void install()}>
              <Icon name="download" />
              {w.install}
            </button>
          ) : (
            <p>{w.install_ios}</p>
          )}
        </section>
      )}
      {quota > 0 && (
        <Notice tone={persisted ? "good" : "warn"} icon={persisted ? "check" : "warn"}>
          {persisted ? w.persisted : w.not_persisted}
        </Notice>
      )}
    </>
  );
}
