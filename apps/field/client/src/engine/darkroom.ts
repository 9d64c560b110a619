/** Sends photos to the worker that develops them, and does it on the page where there is no worker for it. */

import { type Developed, develop, NotAPicture, type Order } from "./camera.ts";
import type { Asked, Told } from "./camera.worker.ts";

type Waiting = { resolve: (developed: Developed) => void; reject: (fault: Error) => void };

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, Waiting>();

/** Develop a photo. Throws NotAPicture. */
export async function developed(order: Order): Promise<Developed> {
  if (!("Worker" in globalThis) || !("OffscreenCanvas" in globalThis)) return develop(order);
  worker ??= started();
  const asked: Asked = { id: ++last, ...order };
  return new Promise((resolve, reject) => {
    waiting.set(asked.id, { resolve, reject });
    worker?.postMessage(asked);
  });
}

function started(): Worker {
  const fresh = new Worker(new URL("./camera.worker.ts", import.meta.url), { type: "module" });
  fresh.onmessage = (event: MessageEvent<Told>) => {
    const told = event.data;
    const one = waiting.get(told.id);
    waiting.delete(told.id);
    if ("developed" in told) one?.resolve(told.developed);
    else one?.reject(told.fault === "not-a-picture" ? new NotAPicture() : new Error("develop"));
  };
  fresh.onerror = () => {
    for (const one of waiting.values()) one.reject(new Error("worker"));
    waiting.clear();
    worker = null;
  };
  return fresh;
}
