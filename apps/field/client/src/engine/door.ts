/**
 * The door of the phone: enrolment, the PIN with its waiting times, the lease, and the wipe.
 *
 * Waiting after wrong PINs is counted while the app is open, not by a clock that could be set; so is the time since the
 * server was last heard, which only grows.
 */

import { base64, type Bytes, utf8 } from "./bytes.ts";
import type { Db } from "./db.ts";
import { type Clock, phoneClock } from "./patience.ts";
import { type DeviceFacts, EngineError, type Lease } from "./types.ts";
import { isWeakPin, ITERATIONS, newBinding, newDeviceKey, sign, Vault, type Wrapped, WrongPin } from "./vault.ts";
import type { Tokens } from "./wire.ts";

const WIPED = "haidang-wiped";
const FREE_ATTEMPTS = 4;
const WAITS = [30, 60, 300, 900, 3600];
export const SENSITIVE_LEASE = 72 * 3600;
export const WHOLE_LEASE = 14 * 86_400;

export interface EnrolAnswer extends Tokens {
  device_id: string;
  statement: { statement: string; signature: string; key_id: string; public_key: string };
  officer: { id: string; badge_no: string; name: string };
  limits: Record<string, number>;
  epoch: string;
  server_time: string;
}
export interface Failures {
  failures: number;
  wait_seconds: number;
}
/** Makes the request of enrolment; given by the engine, so that this file speaks no HTTP. */
export type AskToEnrol = (body: Record<string, string>) => Promise<EnrolAnswer>;

interface LeaseRow {
  spent: number;
  seen: number;
}

export class Door {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock = phoneClock,
    private readonly iterations = ITERATIONS,
  ) {}

  /** What is behind the door: nothing yet, a locked store, or the word that this phone was shut out. */
  async state(): Promise<"none" | "locked" | "wiped"> {
    const holds = (await this.db.get<Wrapped>("vault")) !== undefined;
    if (!storedFlag()) return holds ? "locked" : "none";
    if (holds) await this.wipe(true); // it was cut short
    return "wiped";
  }

  async failures(): Promise<Failures> {
    return (await this.db.get<Failures>("failures")) ?? { failures: 0, wait_seconds: 0 };
  }

  /** Count the waiting time down; called while the app is open. */
  async waited(seconds: number): Promise<Failures> {
    const { failures, wait_seconds } = await this.failures();
    const left = { failures, wait_seconds: Math.max(0, wait_seconds - seconds) };
    if (wait_seconds > 0) await this.db.put({ failures: left });
    return left;
  }

  /** Enrol with a code; keeps everything sealed by the PIN. Throws EngineError, and what the request throws. */
  async enrol(code: string, pin: string, name: string, ask: AskToEnrol): Promise<Vault> {
    if (isWeakPin(pin)) throw new EngineError("weak-pin");
    await this.db.begin();
    if (await this.db.get("vault")) throw new EngineError("already-enrolled");
    const pair = await newDeviceKey();
    const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
    const typed = normalCode(code);
    const answer = await ask({
      code: typed,
      public_key: base64(spki),
      proof: base64(await sign(pair.privateKey, utf8(`enrol|${typed}`))),
      name: name.slice(0, 80),
      app_version: __APP_VERSION__,
      os_version: (globalThis.navigator?.userAgent ?? "").slice(0, 80),
    });
    const binding = await newBinding();
    const [vault, wrapped] = await Vault.create(pin, binding, this.iterations);
    const { access_token, refresh_token, officer, statement, device_id } = answer;
    const facts: DeviceFacts = {
      device_id,
      officer,
      enrolled_at: answer.server_time,
      server_key_id: statement.key_id,
      app_version: __APP_VERSION__,
      name,
    };
    forgetFlag();
    await this.db.put({
      vault: wrapped,
      binding,
      device_key: pair,
      device_id,
      facts: await vault.seal(facts, "facts"),
      statement: await vault.seal(statement, "statement"),
      tokens: await vault.seal({ access_token, refresh_token }, "tokens"),
      epoch: answer.epoch,
      lease: { spent: 0, seen: this.clock.now() } satisfies LeaseRow,
    });
    return vault;
  }

  /** Open with the PIN. Throws EngineError `wrong-pin`, or `pin-wait` while a wait is on. */
  async unlock(pin: string): Promise<Vault> {
    return this.attempt((binding, wrapped) => Vault.unlock(pin, binding, wrapped));
  }

  /** Put another PIN in the place of the old one. */
  async changePin(old: string, fresh: string): Promise<void> {
    if (isWeakPin(fresh)) throw new EngineError("weak-pin");
    const wrapped = await this.attempt((binding, held) => Vault.rewrap(old, fresh, binding, held));
    await this.db.put({ vault: wrapped });
  }

  async facts(vault: Vault): Promise<DeviceFacts> {
    const sealed = (await this.db.get<Bytes>("facts")) as Bytes;
    return vault.open<DeviceFacts>(sealed, "facts");
  }

  /** Erase everything: records, keys, the copies of the app. `byServer` is remembered, to be told to whoever looks. */
  async wipe(byServer: boolean): Promise<void> {
    if (byServer) setFlag();
    await this.db.erase();
    if ("caches" in globalThis) for (const name of await caches.keys()) await caches.delete(name);
  }

  /** The server was heard: the lease begins anew. */
  async heard(): Promise<Lease> {
    await this.db.put({ lease: { spent: 0, seen: this.clock.now() } satisfies LeaseRow });
    return "fresh";
  }

  /** How long the server has not been heard, by a clock that only counts forward. */
  async lease(): Promise<Lease> {
    const now = this.clock.now();
    const { spent, seen } = (await this.db.get<LeaseRow>("lease")) ?? { spent: 0, seen: now };
    const total = spent + Math.max(0, now - seen);
    void this.db.put({ lease: { spent: total, seen: now } satisfies LeaseRow }).catch(() => undefined);
    if (total >= WHOLE_LEASE) return "all_locked";
    return total >= SENSITIVE_LEASE ? "sensitive_locked" : "fresh";
  }

  private async attempt<T>(open: (binding: CryptoKey, wrapped: Wrapped) => Promise<T>): Promise<T> {
    const { failures, wait_seconds } = await this.failures();
    if (wait_seconds > 0) throw new EngineError("pin-wait", String(wait_seconds));
    const [binding, wrapped] = await Promise.all([this.db.get<CryptoKey>("binding"), this.db.get<Wrapped>("vault")]);
    if (!binding || !wrapped) throw new EngineError("unexpected", "no vault");
    // Counted before it is tried: ending the app in between gains no attempt.
    const wait = failures < FREE_ATTEMPTS ? 0 : (WAITS[failures - FREE_ATTEMPTS] ?? (WAITS.at(-1) as number));
    await this.db.put({ failures: { failures: failures + 1, wait_seconds: wait } satisfies Failures });
    try {
      const result = await open(binding, wrapped);
      void this.db.put({ failures: undefined }).catch(() => undefined); // should the app end before it is written, an attempt is lost and no more
      return result;
    } catch (error) {
      if (error instanceof WrongPin) throw new EngineError("wrong-pin");
      throw error;
    }
  }
}

/** Read a code as people type it: any case, with or without dashes, O for 0, I and L for 1. */
export function normalCode(typed: string): string {
  return typed.toUpperCase().replace(/[-\s]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1").slice(0, 64);
}

function storedFlag(): boolean {
  return globalThis.localStorage?.getItem(WIPED) === "1";
}

function setFlag(): void {
  globalThis.localStorage?.setItem(WIPED, "1");
}

function forgetFlag(): void {
  globalThis.localStorage?.removeItem(WIPED);
}
