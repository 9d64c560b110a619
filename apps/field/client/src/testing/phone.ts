/** Parts of a phone for tests: a database of its own, an open vault, prepared answers in the place of a server. */

import { Db } from "../engine/db.ts";
import { Outbox } from "../engine/outbox.ts";
import type { Clock } from "../engine/patience.ts";
import { Pull } from "../engine/pull.ts";
import { Push } from "../engine/push.ts";
import { newBinding, newDeviceKey, Vault } from "../engine/vault.ts";
import { Wire } from "../engine/wire.ts";

export const NOW = 1_800_000_000;
let made = 0;

export interface Prepared {
  status: number;
  headers?: Record<string, string>;
  body: Record<string, unknown>;
}
export interface Asked {
  path: string;
  body: Record<string, unknown>;
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  constructor(public at = NOW) {}
  now(): number {
    return this.at;
  }
}

export async function openPhone(answers: Prepared[] = []) {
  const db = new Db(`test-${++made}`);
  const clock = new TestClock();
  const [vault] = await Vault.create("194725", await newBinding(), 10);
  const outbox = new Outbox(db, vault);
  const told = { wiped: false };
  const script = scripted(answers);
  const wipe = async () => {
    told.wiped = true;
    await db.erase();
  };
  const wire = new Wire(db, vault, clock, wipe, script.fetcher);
  const push = new Push(db, outbox, wire, clock);
  const pull = new Pull(db, vault, wire, push, outbox, clock);
  await db.put({ device_key: await newDeviceKey(), device_id: "0192f0b0-1111-7222-8333-444455556666" });
  return { db, clock, vault, outbox, wire, push, pull, told, asked: script.asked };
}

export type TestPhone = Awaited<ReturnType<typeof openPhone>>;

/** A server that gives prepared answers and remembers what it was asked. */
function scripted(answers: Prepared[]): { fetcher: typeof fetch; asked: Asked[] } {
  const left = [...answers];
  const asked: Asked[] = [];
  const fetcher = async (path: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const body = JSON.parse(await new Response(init?.body ?? null).text()) as Record<string, unknown>;
    asked.push({ path: String(path).replace("/mobile/v1", ""), body });
    const answer = left.shift();
    if (!answer) throw new TypeError("nobody answers");
    const told = { ...answer.body };
    if (typeof told.results === "string") {
      const verdict =
        told.results === "applied"
          ? { status: "applied", rev: 1, merged: false, warnings: [] }
          : { status: "rejected", code: told.results };
      told.results = (body.mutations as { id: string }[]).map(({ id }) => ({ id, ...verdict }));
    }
    return new Response(JSON.stringify(told), { status: answer.status, headers: answer.headers ?? {} });
  };
  return { fetcher, asked };
}
