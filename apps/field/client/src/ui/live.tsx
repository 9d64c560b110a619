/** What is said aloud to those who do not see the screen: saves, sync, what a tap did. One polite region for all. */

import { signal } from "@preact/signals";

const spoken = signal("");

/** Say something to screen readers; the same words twice are said twice. */
export function announce(text: string): void {
  spoken.value = spoken.value === text ? `${text}\u00a0` : text;
}

export function LiveRegion() {
  return (
    <p class="unseen" role="status" aria-live="polite">
      {spoken.value}
    </p>
  );
}
