/** Where the focus goes when a person works with keys: to the place that is wrong, and on from what has gone from the screen. */

const ENTERED = "input, select, textarea, button";

/** Bring a place into view and give it the focus. A group without a name would say nothing: its first input takes it. */
export function toPlaceOf(id: string): boolean {
  const place = document.getElementById(id);
  if (!place) return false;
  const target = place.tabIndex >= 0 || place.hasAttribute("aria-label") ? place : (place.querySelector<HTMLElement>(ENTERED) ?? place);
  target.closest("details")?.setAttribute("open", "");
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
  return document.activeElement === target;
}

/**
 * What a key has just acted on goes from the screen: the focus goes on to `id` instead of to nothing. After a touch it
 * stays away, for it would bring up the keyboard of the phone.
 */
export function passOn({ detail }: UIEvent, id: string): void {
  if (detail === 0) setTimeout(() => toPlaceOf(id), 0);
}
