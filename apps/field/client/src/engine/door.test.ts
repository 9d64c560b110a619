/** The door: the PIN and its waits, the lease that only counts forward, and what a sealed piece can stand for. */

import { beforeEach, expect, test } from "vitest";
import { TestClock } from "../testing/phone.ts";
import { Db } from "./db.ts";
import { Door, type EnrolAnswer, normalCode, SENSITIVE_LEASE, WHOLE_LEASE } from "./door.ts";
import { isWeakPin, newBinding, Vault, WrongPin } from "./vault.ts";

const PIN = "294016";
const ANSWER: EnrolAnswer = {
  device_id: "0192f0b0-1111-7222-8333-444455556666",
  access_token: "a",
  refresh_token: "r",
  statement: { statement: "", signature: "", key_id: "k", public_key: "" },
  officer: { id: "o", badge_no: "HQ-1", name: "Nguyễn Văn An" },
  limits: {},
  epoch: "e1",
  server_time: "2026-11-21T01:00:00Z",
};
let made = 0;
let db: Db;
let clock: TestClock;
let door: Door;

beforeEach(async () => {
  db = new Db(`door-${++made}`);
  clock = new TestClock();
  door = new Door(db, clock, 10);
});

const refusal = (attempt: Promise<unknown>) => attempt.then(
  () => "done",
  (error: { code: string }) => error.code,
);

test("a phone enrols once, with a code as people type it, and proves its own key", async () => {
  const asked: Record<string, string>[] = [];
  await door.enrol("7kq2m-xw9rd 4htpo", PIN, "máy", async (body) => {
    asked.push(body);
    return ANSWER;
  });
  const [body] = asked;
  expect(body?.code).toBe("7KQ2MXW9RD4HTP0");
  const spki = Uint8Array.from(atob(body?.public_key ?? ""), (c) => c.charCodeAt(0));
  const key = await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  const proof = Uint8Array.from(atob(body?.proof ?? ""), (c) => c.charCodeAt(0));
  const said = new TextEncoder().encode("enrol|7KQ2MXW9RD4HTP0");
  expect(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, proof, said)).toBe(true);
  const pair = await db.get<CryptoKeyPair>("device_key");
  expect(pair?.privateKey.extractable).toBe(false);
  expect(await door.state()).toBe("locked");
  expect(await refusal(door.enrol("X", PIN, "", async () => ANSWER))).toBe("already-enrolled");
});

test("what was erased stays erased for whoever comes late, until another enrolment", async () => {
  const listed = async () => (await indexedDB.databases()).map((one) => one.name).includes(`door-${made}`);
  await door.enrol("X", PIN, "", async () => ANSWER);
  const late = [db.put({ device_seq: 1 }), door.wipe(false), door.wipe(false)];
  await Promise.all(late);
  await expect(db.put({ device_seq: 2 })).rejects.toThrow("erased");
  await door.heard().catch(() => undefined);
  expect([await door.state(), await door.failures(), await listed()]).toEqual(["none", { failures: 0, wait_seconds: 0 }, false]);
  await door.enrol("X", PIN, "", async () => ANSWER);
  expect([await door.state(), await db.get("device_seq")]).toEqual(["locked", undefined]);
});

test("another tab's late write does not fill what was erased", async () => {
  await door.enrol("X", PIN, "", async () => ANSWER);
  const other = new Db(`door-${made}`);
  expect(await other.get("device_id")).toBe(ANSWER.device_id);
  await door.wipe(false);
  await expect(other.put({ device_seq: 2 })).rejects.toThrow("erased");
  expect(await other.get("device_id")).toBe(undefined);
});

test("a weak PIN is refused before the code is used up", async () => {
  const ask = async () => Promise.reject(new Error("asked"));
  for (const weak of ["12345", "123456", "654321", "111111", "121212", "987654321"])
    expect(await refusal(door.enrol("X", weak, "", ask))).toBe("weak-pin");
  expect(isWeakPin("135798")).toBe(false);
});

test("a request that fails leaves nothing behind", async () => {
  await door.enrol("X", PIN, "", async () => Promise.reject(new Error("offline"))).catch(() => undefined);
  expect(await door.state()).toBe("none");
});

test("wrong PINs are counted before they are tried, and waiting cannot be shortened", async () => {
  await door.enrol("X", PIN, "", async () => ANSWER);
  for (let i = 0; i < 5; i++) expect(await refusal(door.unlock("000111"))).toBe("wrong-pin");
  expect(await refusal(door.unlock(PIN))).toBe("pin-wait");
  clock.at += 10 * 86_400; // setting the clock forward is no way round
  expect(await refusal(new Door(db, clock, 10).unlock(PIN))).toBe("pin-wait");
  expect((await door.waited(29)).wait_seconds).toBe(1);
  expect(await refusal(door.unlock(PIN))).toBe("pin-wait");
  await door.waited(1);
  expect(await refusal(door.unlock("000111"))).toBe("wrong-pin");
  expect((await door.failures()).wait_seconds).toBe(60);
  await door.waited(60);
  await door.unlock(PIN);
  expect(await door.failures()).toEqual({ failures: 0, wait_seconds: 0 });
});

test("another PIN opens the same key", async () => {
  const vault = await door.enrol("X", PIN, "", async () => ANSWER);
  const sealed = await vault.seal({ word: "mật" }, "here");
  await door.changePin(PIN, "805173");
  expect(await refusal(door.unlock(PIN))).toBe("wrong-pin");
  expect(await (await door.unlock("805173")).open(sealed, "here")).toEqual({ word: "mật" });
});

test("the lease counts forward only", async () => {
  await door.enrol("X", PIN, "", async () => ANSWER);
  expect(await door.lease()).toBe("fresh");
  clock.at += SENSITIVE_LEASE - 10;
  expect(await door.lease()).toBe("fresh");
  clock.at -= 50 * 365 * 86_400; // back to the seventies
  expect(await door.lease()).toBe("fresh");
  clock.at += 20;
  expect(await door.lease()).toBe("sensitive_locked");
  clock.at += WHOLE_LEASE - SENSITIVE_LEASE;
  expect(await door.lease()).toBe("all_locked");
  expect(await door.heard()).toBe("fresh");
  expect(await door.lease()).toBe("fresh");
});

test("a sealed piece cannot stand in another's place, nor be opened by another phone", async () => {
  const binding = await newBinding();
  const [vault, wrapped] = await Vault.create(PIN, binding, 10);
  const sealed = await vault.seal({ n: 1 }, "outbox|a");
  await expect(vault.open(sealed, "outbox|b")).rejects.toThrow();
  sealed[sealed.length - 1] = (sealed[sealed.length - 1] as number) ^ 1;
  await expect(vault.open(sealed, "outbox|a")).rejects.toThrow();
  await expect(Vault.unlock(PIN, await newBinding(), wrapped)).rejects.toThrow(WrongPin);
  await expect(Vault.unlock("294017", binding, wrapped)).rejects.toThrow(WrongPin);
});

test("codes are read as people type them", () => {
  expect(normalCode(" il0o-ab ")).toBe("1100AB");
});
