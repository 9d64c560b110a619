/** Develops photos beside the page (`camera.ts`). One order in, one answer out, by number. */

import { type Developed, develop, NotAPicture, type Order } from "./camera.ts";

export interface Asked extends Order {
  id: number;
}
export type Told = { id: number; developed: Developed } | { id: number; fault: "not-a-picture" | "unexpected" };

self.onmessage = async (event: MessageEvent<Asked>) => {
  const { id, ...order } = event.data;
  let told: Told;
  try {
    told = { id, developed: await develop(order) };
  } catch (error) {
    told = { id, fault: error instanceof NotAPicture ? "not-a-picture" : "unexpected" };
  }
  self.postMessage(told);
};
