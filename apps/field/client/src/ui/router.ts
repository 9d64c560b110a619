/**
 * Which screen is shown: the part of the address behind `#`, so that the browser's and the phone's back button work and
 * a reload comes back to the same place. The enrolment link carries its code there too (`#c=…`); it is taken out at once.
 */

import { computed, signal } from "@preact/signals";

export type Route =
  | { readonly screen: "today" | "inspect" | "sync" | "me" }
  | { readonly screen: "finds" }
  | { readonly screen: "report"; readonly id: string }
  | { readonly screen: "fill"; readonly id: string; readonly page: string; readonly step: string }
  | { readonly screen: "decide"; readonly id: string }
  | FindRoute;

/** Seizures and custody: `page` is a page of the form or a step, `step` the place on it. */
export interface FindRoute {
  readonly screen: "flash" | "seizure" | "package" | "exhibit" | "offer" | "handover";
  readonly id: string;
  readonly page: string;
  readonly step: string;
}
const FINDS: readonly string[] = ["flash", "seizure", "package", "exhibit", "offer", "handover"];

/** Whether a screen is one of seizures and custody. */
export function isFind(to: Route): to is FindRoute | { readonly screen: "finds" } {
  return to.screen === "finds" || FINDS.includes(to.screen);
}

/** Whether a screen is a form, which leaves the foot of the screen to what it asks for. */
export function isForm(to: Route): boolean {
  if (to.screen === "fill" || to.screen === "flash" || to.screen === "package" || to.screen === "offer") return true;
  return (to.screen === "seizure" || to.screen === "exhibit") && to.page !== "";
}

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The screen that the address names; Today for anything unknown. */
export const route = computed<Route>(() => read(hash.value));

function read(from: string): Route {
  const [screen, id = "", page = "", step = ""] = from.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (screen === "inspect" || screen === "finds" || screen === "sync" || screen === "me") return { screen };
  if (screen === "report" && id) return { screen, id };
  if (screen === "decide" && id) return { screen, id };
  if (screen === "fill" && id) return { screen, id, page: page || "general", step };
  if (FINDS.includes(screen ?? "") && id) return { screen, id, page, step } as FindRoute;
  return { screen: "today" };
}

/** The address of a screen, for links. */
export function href(to: Route): string {
  const parts = [to.screen, "id" in to ? to.id : "", "page" in to ? to.page : "", "step" in to ? to.step : ""];
  return `#/${parts.filter(Boolean).map(encodeURIComponent).join("/")}`;
}

/** Go to a screen; `replace` leaves no trace for the back button. */
export function go(to: Route, { replace = false } = {}): void {
  if (replace) {
    history.replaceState(null, "", href(to));
    hash.value = location.hash;
  } else {
    location.hash = href(to);
  }
}

/** Go on from a screen whose work has ended, unless the officer has gone elsewhere while it ran. */
export function goOn(from: { readonly screen: Route["screen"]; readonly id: string }, to: Route): void {
  const now = route.peek();
  if (now.screen === from.screen && "id" in now && now.id === from.id) go(to, { replace: true });
}

/** Take the enrolment code out of the address: it must stay neither there nor in the history. */
export function takeCode(): string {
  const code = /^#c=([^&]+)/.exec(location.hash)?.[1];
  if (code === undefined) return "";
  history.replaceState(null, "", `${import.meta.env.BASE_URL}#/`);
  hash.value = location.hash;
  return decodeURIComponent(code);
}

/** Find the enrolment code in what a QR code says: the link of the console, or the bare code. */
export function codeOf(text: string): string | null {
  const linked = /#c=([0-9A-Za-z-]+)$/.exec(text.trim())?.[1];
  return linked ?? (/^[0-9A-Za-z]{5}(-?[0-9A-Za-z]{5}){2}$/.test(text.trim()) ? text.trim() : null);
}
