/** One at a time across tabs (Web Locks), and the word between tabs that something changed (BroadcastChannel). */

export const SYNC = "haidang-sync";
export const OUTBOX = "haidang-outbox";
export const TOKENS = "haidang-tokens";

const queues = new Map<string, Promise<unknown>>();

/** Run alone among all tabs; where the browser has no locks, alone in this one. */
export async function alone<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (globalThis.navigator?.locks) {
    const options: LockOptions = signal ? { signal } : {};
    return (await navigator.locks.request(name, options, work)) as T;
  }
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  queues.set(
    name,
    mine.catch(() => undefined),
  );
  return mine;
}

/** What tabs tell each other. */
export type Told = { kind: "changed" } | { kind: "kick" } | { kind: "wiped" } | { kind: "locked" } | { kind: "sync"; state: unknown };

/** The line between the tabs of one phone. */
export class Line {
  private readonly channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("haidang") : null;

  constructor(hear: (told: Told) => void) {
    if (this.channel) this.channel.onmessage = (event) => hear(event.data as Told);
  }

  tell(told: Told): void {
    this.channel?.postMessage(told);
  }

  close(): void {
    this.channel?.close();
  }
}
