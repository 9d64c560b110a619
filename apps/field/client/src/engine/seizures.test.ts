/** Seizures and custody on the phone: patches by mark, the true state of a flash, steps laid over exhibits. */

import { beforeEach, expect, test } from "vitest";
import { openPhone, type TestPhone } from "../testing/phone.ts";
import { takePage } from "./base.ts";
import { buildExhibit, buildHandOver } from "./custody.ts";
import type { Seizure } from "./find-types.ts";
import { Forms } from "./forms.ts";
import { Mirror } from "./mirror.ts";
import { Photos } from "./photos.ts";
import { buildSeizure, flatSeizure, joined, SeizureWork } from "./seizures.ts";
import type { Json } from "./types.ts";

let phone: TestPhone;
let mirror: Mirror;
let work: SeizureWork;

beforeEach(async () => {
  phone = await openPhone();
  const { db, vault, outbox, wire, clock } = phone;
  mirror = new Mirror(db, vault, outbox, new Photos(db, vault, wire));
  work = new SeizureWork(db, mirror, outbox, clock, () => undefined, () => undefined);
});

function seen(id: string): Seizure {
  const found = buildSeizure(mirror, id, false);
  if (!found) throw new Error("no seizure");
  return found;
}

const rows = () => phone.outbox.all();
const take = () => phone.outbox.take(50, phone.clock.now(), 900);
const rowsOf = async (id: string) => (await rows()).filter((row) => row.object === id);

async function answered(id: string, verdict: Record<string, unknown>, isRefused = true): Promise<void> {
  await phone.outbox.settle(id, { status: "rejected", ...verdict }, { state: isRefused ? "attention" : "done" });
  await mirror.loadOutbox();
}

async function pulled(kind: string, id: string, rev: number, body: Record<string, Json>): Promise<void> {
  const changes = [{ s: "post:p1", k: kind, id, rev, op: "put" as const, body }];
  await takePage(phone.db, phone.vault, {
    ...{ epoch: "e", cursor: "c", more: false, drop: [], reset: [], changes },
    complete: {},
  });
  await mirror.follow(changes, false);
}

test("patches merge by mark and field, and what takes away goes on doing so", () => {
  const first = { place: "A", lines: { "1": { substance: "mdma", net_mass_g: "5" } } };
  const second = { place: null, lines: { "1": { net_mass_g: null, count: 3 }, "2": { substance: "heroin" } } };
  expect(joined(first, second)).toEqual({
    place: null,
    lines: { "1": { substance: "mdma", net_mass_g: null, count: 3 }, "2": { substance: "heroin" } },
  });
  expect(flatSeizure({ fields: { place: "A" }, lines: { "1": { count: 3 } }, number: "SZ" })).toEqual({
    place: "A",
    "lines.1.count": 3,
    number: "SZ",
  });
});

test("a flash is one mutation with everything that was typed, and says that it waits", async () => {
  const id = work.open("p1", { mode: "air_passenger" });
  work.change(seen(id), { lines: { "1": { substance: "mdma" } } });
  work.change(seen(id), { lines: { "1": { net_mass_g: "120" } }, place: "Ga đến" });
  expect(seen(id)).toMatchObject({ state: "draft", lines: { "1": { substance: "mdma", net_mass_g: "120" } } });
  await work.sendOn(seen(id), "flash", { handling: "internal" });
  const [row, ...more] = await rows();
  expect([row?.type, more.length]).toEqual(["seizure.flash", 0]);
  expect(row?.fields).toEqual({
    ...{ posting: "p1", mode: "air_passenger", place: "Ga đến", handling: "internal" },
    lines: { "1": { substance: "mdma", net_mass_g: "120" } },
  });
  expect(seen(id)).toMatchObject({ state: "waiting", goal: "flash", is_saved_on_server: false });
});

test("a flash that waits can be written on; the edit is sent after it, on the revision it made", async () => {
  const id = work.open("p1", { place: "A" });
  await work.sendOn(seen(id), "flash", {});
  work.change(seen(id), { summary: "Bổ sung" });
  await work.flush();
  expect((await rowsOf(id)).map((row) => row.type)).toEqual(["seizure.flash", "seizure.save"]);
  const [flash, ...others] = await take();
  expect(others).toEqual([]);
  expect(flash?.base_rev).toBe(null);
  await phone.outbox.applied(flash as never, { status: "applied", rev: 1 }, phone.clock.now(), true);
  await mirror.loadOutbox();
  const [edit] = await take();
  expect([edit?.type, edit?.base_rev]).toEqual(["seizure.save", 1]);
});

test("once the server has it, the flash is shown as sent with its number", async () => {
  const id = work.open("p1", { place: "A" });
  await work.sendOn(seen(id), "flash", {});
  const [sent] = await take();
  await phone.outbox.applied(sent as never, { status: "applied", rev: 1, warnings: ["flash-late"] }, phone.clock.now(), true);
  await mirror.loadOutbox();
  expect(seen(id)).toMatchObject({ state: "received", warnings: ["flash-late"] });
  await pulled("seizure", id, 1, { stage: "flash", number: "SZ-1", fields: { place: "A" }, lines: {}, flags: ["flash-late"] });
  expect(seen(id)).toMatchObject({ state: "received", server_state: "flash", number: "SZ-1", is_editable: true });
});

test("what another phone wrote into the same field is shown beside mine", async () => {
  const id = work.open("p1", {});
  const body = { stage: "flash", fields: { place: "A" }, lines: { "1": { net_mass_g: "5" } } };
  await work.flush();
  await pulled("seizure", id, 3, body);
  work.change(seen(id), { lines: { "1": { net_mass_g: "7" } } });
  await work.flush();
  const row = (await rowsOf(id)).at(-1);
  expect(row?.base_rev).toBe(3);
  const current = { ...body, lines: { "1": { net_mass_g: "6" } } };
  await answered(row?.id ?? "", { status: "conflict", code: "field-conflict", fields: ["lines.1.net_mass_g"], current, rev: 4 });
  const [trouble] = seen(id).troubles;
  expect(trouble).toMatchObject({
    ...{ record: "seizure", kind: "conflict", fields: ["lines.1.net_mass_g"] },
    ...{ mine: { "lines.1.net_mass_g": "7" }, theirs: { "lines.1.net_mass_g": "6" } },
  });
  expect(seen(id).state).toBe("attention");
  await work.insist(trouble?.id ?? "");
  expect((await rowsOf(id)).at(-1)).toMatchObject({ state: "waiting", base_rev: 4 });
});

test("a refused flash stays in view, names its places, and is put right by editing it", async () => {
  const id = work.open("p1", { place: "A" });
  await work.sendOn(seen(id), "flash", {});
  const [sent] = await take();
  const errors = [{ pointer: "/fields/lines/1/count_unit", code: "required" }];
  await answered(sent?.id ?? "", { code: "invalid-field", errors });
  expect(seen(id)).toMatchObject({ state: "attention", is_editable: true, fields: { place: "A" } });
  expect(seen(id).troubles[0]?.fields).toEqual(["lines.1.count_unit"]);
  work.change(seen(id), { lines: { "1": { count_unit: "tablet" } } });
  await work.flush();
  expect(seen(id)).toMatchObject({ state: "draft", troubles: [] });
});

test("a submitted report is closed to edits here too", async () => {
  const id = work.open("p1", {});
  await work.sendOn(seen(id), "submit", {});
  expect(seen(id).is_editable).toBe(false);
  expect(() => work.change(seen(id), { place: "B" })).toThrow("not-editable");
});

test("a draft that was never sent is gone when it is discarded", async () => {
  const id = work.open("p1", { place: "A" });
  await work.flush();
  await work.discard(seen(id));
  await mirror.loadOutbox();
  expect(buildSeizure(mirror, id, false)).toBe(null);
  expect(await rows()).toEqual([]);
});

test("custody steps lie over the exhibit until the server has answered, and an offer shows what it names", async () => {
  const exhibit = "0192f0b0-1111-7222-8333-00000000000e";
  const offer = "0192f0b0-1111-7222-8333-00000000000f";
  const said = (fields: Record<string, Json>) => ({ fields, made_at: "2026-01-01T00:00:00+07:00" });
  await phone.outbox.add("exhibit.record", exhibit, said({ report: "r", mark: "1", description: "Túi", gross_mass_g: "12" }));
  await phone.outbox.add("exhibit.seal", exhibit, said({ seals: [{ number: "HQ 01", type: "plastic" }], gross_mass_g: "12.5" }));
  await phone.outbox.add("hand_over.offer", offer, said({ kind: "inside", badge_no: "B-2", exhibits: [exhibit] }));
  await mirror.loadOutbox();
  expect(buildExhibit(mirror, exhibit)).toMatchObject({
    ...{ state: "sealed", gross_mass_g: "12.5", seals: [{ number: "HQ 01" }], offer },
    waiting: ["exhibit.record", "exhibit.seal"],
  });
  expect(buildHandOver(mirror, offer, "me")).toMatchObject({
    ...{ state: "offered", giver: "me", receiver_badge: "B-2" },
    items: { [exhibit]: { seals: ["HQ 01"], gross_mass_g: "12.5" } },
  });
  expect((await take()).map(({ type, base_rev }) => [type, base_rev])).toEqual([
    ["exhibit.record", null],
    ["hand_over.offer", null],
  ]);
});

test("the second step of a package names the revision that its own first step made", async () => {
  const exhibit = "0192f0b0-1111-7222-8333-00000000000e";
  const said = (fields: Record<string, Json>) => ({ fields, made_at: "2026-01-01T00:00:00+07:00" });
  await phone.outbox.add("exhibit.record", exhibit, said({ report: "r" }));
  await phone.outbox.add("exhibit.seal", exhibit, said({}));
  const [record] = await take();
  await phone.outbox.applied(record as never, { status: "applied", rev: 1 }, phone.clock.now(), true);
  expect((await take()).map(({ type, base_rev }) => [type, base_rev])).toEqual([["exhibit.seal", 1]]);
});

test("a sample that waits is a package of its own, and less is left of what it was taken from", async () => {
  const body = { report: "r1", number: 1, mark: "1", state: "unsealed", seals: [], holder: "o1", unit: "u1" };
  await pulled("exhibit", "e1", 4, { ...body, gross_mass_g: "1250", net_mass_g: "1200.5", count: 100, count_unit: "tablet" });
  const fields = { exhibit: "e1", exhibit_rev: 4, description: "Mẫu", taken_mass_g: "5.25", taken_count: 2 };
  await phone.outbox.add("exhibit.sample", "s1", { fields, made_at: "2026-11-20T00:00:00Z" }, 0, []);
  await mirror.loadOutbox();
  expect(buildExhibit(mirror, "s1")).toMatchObject({
    ...{ parent: "e1", report: "r1", mark: "1", state: "recorded", number: null, rev: null },
    ...{ gross_mass_g: "5.25", net_mass_g: "5.25", count: 2, count_unit: "tablet", description: "Mẫu" },
  });
  expect(buildExhibit(mirror, "e1")).toMatchObject({ gross_mass_g: "1244.75", net_mass_g: "1195.25", count: 98, rev: 4 });
  const [row] = await rows();
  await phone.outbox.settle(String(row?.id), { status: "applied", rev: 1 }, { state: "done", rev: 1 });
  await mirror.loadOutbox();
  await pulled("exhibit", "s1", 1, { ...body, number: 2, parent: "e1", state: "recorded", net_mass_g: "5.25" });
  await pulled("exhibit", "e1", 5, { ...body, gross_mass_g: "1244.75", net_mass_g: "1195.25", count: 98 });
  expect(buildExhibit(mirror, "e1")).toMatchObject({ gross_mass_g: "1244.75", count: 98 });
});

test("a correction that waits is laid over the package, and its reason is no part of it", async () => {
  await pulled("exhibit", "e1", 2, { report: "r1", number: 1, state: "recorded", mark: "1", description: "Túi đen", net_mass_g: "5", count: 3 });
  const fields = { description: "Túi trắng", net_mass_g: "50", count: null, reason: "Đọc nhầm cân" };
  await phone.outbox.add("exhibit.correct", "e1", { fields, made_at: "2026-11-20T00:00:00Z" }, 2, []);
  await mirror.loadOutbox();
  const seen = buildExhibit(mirror, "e1");
  expect(seen).toMatchObject({ state: "recorded", description: "Túi trắng", net_mass_g: "50", count: null, waiting: ["exhibit.correct"] });
  expect(JSON.stringify(seen)).not.toContain("Đọc nhầm");
});

test("what comes back from the laboratory is in hand again", async () => {
  await pulled("exhibit", "e1", 7, { report: "r1", number: 1, state: "at_lab", outside: "Viện KHHS", holder: null, unit: "u1" });
  const fields = { seals: [{ number: "VK-1", type: "plastic", issuer: "VKHS" }], gross_mass_g: "1240" };
  await phone.outbox.add("exhibit.receive", "e1", { fields, made_at: "2026-11-20T00:00:00Z" }, 7, []);
  await mirror.loadOutbox();
  expect(buildExhibit(mirror, "e1")).toMatchObject({ state: "sealed", outside: "", holder: null, gross_mass_g: "1240" });
});

test("a half-filled form survives the phone, goes when it is given up, and with its record", async () => {
  const forms = () => new Forms(phone.db, mirror, phone.clock, (fault) => expect.fail(fault.code));
  const first = forms();
  await pulled("exhibit", "e1", 1, { report: "r1", state: "recorded" });
  first.keep("e1/seal", { seal_numbers: ["NP-1"] });
  first.keep("e1/seal", { seal_numbers: ["NP-1", "NP-2"] });
  first.keep("gone/seal", { gross_mass_g: "3" });
  await first.flush();
  await mirror.load();
  await mirror.tidy(new Set(), new Set());
  await mirror.load();
  expect(forms().of("e1/seal")).toEqual({ seal_numbers: ["NP-1", "NP-2"] });
  expect(forms().of("gone/seal")).toBeNull();
  first.keep("e1/seal", null);
  await first.flush();
  await mirror.load();
  expect(forms().of("e1/seal")).toBeNull();
});
