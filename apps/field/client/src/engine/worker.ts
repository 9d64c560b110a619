/** Registers the service worker and tells when a newer app lies ready; a newer one never starts by itself. */

import { signal } from "@preact/signals";

export const updateReady = signal(false);

let registration: ServiceWorkerRegistration | null = null;

/** Register the worker of /field/; a browser without workers simply has no offline start. */
export function registerWorker(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  window.addEventListener("load", () => {
    void navigator.serviceWorker.register("/field/sw.js", { scope: "/field/", updateViaCache: "none" }).then(watch);
  });
}

function watch(found: ServiceWorkerRegistration): void {
  registration = found;
  const look = () => {
    updateReady.value = found.waiting !== null && navigator.serviceWorker.controller !== null;
  };
  look();
  found.addEventListener("updatefound", () => {
    found.installing?.addEventListener("statechange", look);
  });
}

/** Start the newer app: tell its worker to take over, then load its page. */
export async function applyUpdate(): Promise<void> {
  const waiting = registration?.waiting;
  if (!waiting) return;
  const taken = new Promise<void>((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
  });
  waiting.postMessage({ type: "take-over" });
  await taken;
  location.reload();
}

/** Ask the server whether there is a newer app. */
export async function lookForUpdate(): Promise<void> {
  await registration?.update().catch(() => undefined);
}
