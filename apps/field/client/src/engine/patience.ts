/** How the phone waits: jittered back-off, `Retry-After`, and a clock that tests can replace. The server's is never compared. */

export const FIRST_DELAY = 2;
export const LONGEST_DELAY = 900;

export interface Clock {
  /** Seconds since 1970, as the phone believes. */
  now(): number;
}

export const phoneClock: Clock = { now: () => Date.now() / 1000 };

/** Write the phone's time as a claim. */
export function claimed(clock: Clock): string {
  return new Date(clock.now() * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/**
 * How long to wait after so many failures in a row: a random part of 2, 4, 8 … seconds, at most 15 minutes.
 *
 * With `Retry-After`: never less than that, and up to half as much again, so that phones that were sent away together
 * do not return together.
 */
export function delay(failures: number, retryAfter: number | null = null, dice: () => number = Math.random): number {
  if (retryAfter !== null) {
    const asked = Math.min(Math.max(retryAfter, 1), LONGEST_DELAY);
    return asked + (dice() * asked) / 2;
  }
  return (0.5 + dice() / 2) * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(failures, 12));
}
