/**
 * The service worker: keeps the app's files, and answers every address of the app with its page, also without a network.
 *
 * It touches no data: the API is never cached, keys and records are the engine's. A newer worker waits until the app
 * asks it to take over (never while a form is open).
 */

import { cleanupOutdatedCaches, createHandlerBoundToURL, type PrecacheEntry, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

declare const __PRECACHE__: (PrecacheEntry & { revision: string | null })[];
declare const self: ServiceWorkerGlobalScope;

precacheAndRoute(__PRECACHE__);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL("/field/"), { allowlist: [/^\/field\/(?!.*\.\w+$)/] }));

self.addEventListener("message", (event) => {
  if ((event.data as { type?: string } | null)?.type === "take-over") void self.skipWaiting();
});
self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});
