/** What officers do: kept in order, joined as long as nothing was sent, never lost by a crash or a refusal. */

import { beforeEach, expect, test } from "vitest";
import { openPhone, type TestPhone } from "../testing/phone.ts";
import { takePage } from "./base.ts";
import { settleOvertaken } from "./decisions.ts";
import { Mirror } from "./mirror.ts";
import { Photos } from "./photos.ts";
import { buildReport } from "./reports.ts";
import type { ChecklistVersion, Report } from "./types.ts";
import { Work } from "./work.ts";

const VERSION: ChecklistVersion = {
  id: "0192ef00-aaaa-7bbb-8ccc-ddddeeeeffff",
  checklist: "c",
  code: "plain",
  applies_to: "express",
  title: { vi: "Kiểm tra", en: "Check" },
  semver: "1.0.0",
  status: "published",
  content_hash: "h",
  content: { sections: [] },
};
let phone: TestPhone;
let mirror: Mirror;
let work: Work;

beforeEach(async () => {
  phone = await openPhone();
  ({ mirror, work } = workOn(phone));
});

function workOn({ db, vault, outbox, wire, clock }: TestPhone) {
  const opened = new Mirror(db, vault, outbox, new Photos(db, vault, wire));
  const look = (id: string) => buildReport(opened, id, false);
  return { mirror: opened, work: new Work(db, opened, outbox, clock, look, () => undefined, () => undefined) };
}

function seen(id: string): Report {
  const report = buildReport(mirror, id, false);
  if (!report) throw new Error("no report");
  return report;
}

const rows = () => phone.outbox.all();
const take = () => phone.outbox.take(50, phone.clock.now(), 900);

test("answers show at once and become one mutation", async () => {
  const id = work.begin(VERSION, "p1", { mode: "express" });
  work.saveAnswer(seen(id), "s1", { value: true });
  work.saveAnswer(seen(id), "s2", { value: "a" });
  work.saveAnswer(seen(id), "s1", { value: false });
  expect(seen(id).answers).toEqual({ s1: { value: false }, s2: { value: "a" } });
  await work.flush();
  const [row, ...more] = await rows();
  expect(more).toEqual([]);
  expect(row?.type).toBe("inspection.save");
  expect(row?.fields).toMatchObject({ posting: "p1", mode: "express", answers: { s1: { value: false }, s2: { value: "a" } } });
});

test("what is half said is kept on the phone, also over a crash, and never sent", async () => {
  const id = work.begin(VERSION, "p1", {});
  work.keepUnfinished(seen(id), "s1", { value: "99" });
  work.saveAnswer(seen(id), "s2", { value: "a" });
  work.keepUnfinished(seen(id), "s3", { na: true });
  work.keepUnfinished(seen(id), "s3", null);
  await work.flush();
  ({ mirror, work } = workOn(phone));
  await mirror.load();
  expect(seen(id)).toMatchObject({ answers: { s2: { value: "a" } }, unfinished: { s1: { value: "99" } } });
  expect(JSON.stringify((await take())[0])).not.toContain("99\"");
});

test("what was sent is never changed; later edits are a mutation of their own, sent after it", async () => {
  const id = work.begin(VERSION, null, {});
  await work.flush();
  const [first] = await take();
  work.saveAnswer(seen(id), "s1", { value: 1 });
  await work.flush();
  expect((await rows()).map((row) => [row.state, row.fields.answers ?? null])).toEqual([
    ["sent", null],
    ["waiting", { s1: { value: 1 } }],
  ]);
  expect((await take()).map((one) => one.id)).toEqual([first?.id]);
});

test("a submission takes in what was not sent", async () => {
  const id = work.begin(VERSION, null, {});
  work.saveAnswer(seen(id), "s1", { value: 1 });
  await work.submit(seen(id), { outcome: "nothing_found" });
  const [row, ...more] = await rows();
  expect([row?.type, more.length]).toEqual(["inspection.submit", 0]);
  expect(row?.fields).toMatchObject({ outcome: "nothing_found", answers: { s1: { value: 1 } } });
  expect(seen(id)).toMatchObject({ state: "waiting", is_editable: false });
  expect(() => work.saveAnswer(seen(id), "s1", null)).toThrow("not-editable");
});

test("an answer taken back stays taken back", async () => {
  const id = work.begin(VERSION, null, {});
  work.saveAnswer(seen(id), "s1", { value: 1 });
  await work.flush();
  work.saveAnswer(seen(id), "s1", null);
  await work.flush();
  expect(seen(id).answers).toEqual({});
  expect((await rows())[0]?.fields.answers).toEqual({ s1: null });
});

test("everything is there after a crash", async () => {
  const id = work.begin(VERSION, null, { remarks: "ghi chú" });
  work.saveAnswer(seen(id), "s1", { value: "chữ" });
  await work.flush();
  ({ mirror, work } = workOn(phone));
  await mirror.load();
  expect(seen(id)).toMatchObject({ state: "draft", answers: { s1: { value: "chữ" } }, header: { remarks: "ghi chú" } });
  expect(mirror.kept.get(VERSION.id)?.semver).toBe("1.0.0");
});

test("a refused report stays in view and is put right by editing it", async () => {
  const id = work.begin(VERSION, null, { outcome: "finding" });
  await work.submit(seen(id), {});
  const [sent] = await take();
  const errors = [{ pointer: "/fields/answers/s1/value", code: "min", detail: "Nhỏ quá." }];
  await phone.outbox.settle(sent?.id ?? "", { status: "rejected", code: "invalid-field", errors }, { state: "attention" });
  await mirror.loadOutbox();
  expect(seen(id)).toMatchObject({ state: "attention", is_editable: true, header: { outcome: "finding" } });
  expect(seen(id).troubles).toMatchObject([{ what: "submit", kind: "rejected", fields: ["answers.s1"] }]);
  work.saveAnswer(seen(id), "s1", { value: 5 });
  await work.flush();
  expect(seen(id)).toMatchObject({ state: "draft", troubles: [], header: { outcome: "finding" } });
  await work.submit(seen(id), {});
  const waiting = (await rows()).filter((row) => row.state === "waiting");
  expect(waiting.map((row) => [row.type, row.fields.answers])).toEqual([["inspection.submit", { s1: { value: 5 } }]]);
  expect(waiting[0]?.id).not.toBe(sent?.id);
});

test("a draft the server never heard of leaves without a word; one it knows is taken back there", async () => {
  const silent = work.begin(VERSION, null, {});
  await work.flush();
  await work.discard(seen(silent));
  expect(await rows()).toEqual([]);
  const known = work.begin(VERSION, null, {});
  await work.flush();
  await take();
  await mirror.loadOutbox();
  await work.discard(seen(known));
  expect((await rows()).map((row) => row.type)).toEqual(["inspection.save", "inspection.discard"]);
  expect(buildReport(mirror, known, false)).toBeNull();
});

test("a conflict shows both; insisting sends mine as a new mutation, giving way all but what is in conflict", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000001";
  await pulled(id, 1, { state: "local_draft", remarks: "thứ nhất" });
  for (const how of ["insist", "give_way"] as const) {
    work.saveHeader(seen(id), { remarks: `của tôi ${how}`, place: "A" });
    await work.flush();
    const [sent] = await take();
    const verdict = { status: "conflict", code: "field-conflict", fields: ["remarks"], current: { remarks: "của họ" } };
    await phone.outbox.settle(sent?.id ?? "", verdict, { state: "attention" });
    await pulled(id, 2, { state: "local_draft", remarks: "của họ" });
    await mirror.loadOutbox();
    const [trouble] = seen(id).troubles;
    expect(trouble).toMatchObject({ kind: "conflict", mine: { remarks: `của tôi ${how}` }, theirs: { remarks: "của họ" } });
    expect(seen(id).header.remarks).toBe("của họ");
    await (how === "insist" ? work.insist(trouble?.id ?? "") : work.giveWay(trouble?.id ?? ""));
    const again = await take();
    const rest = { place: "A" };
    expect(again.map((one) => [one.type, one.base_rev, one.fields])).toEqual([
      ["inspection.save", 2, how === "insist" ? { remarks: "của tôi insist", ...rest } : rest],
    ]);
    for (const one of again) await phone.outbox.applied(one, { status: "applied", rev: 2 }, 1_800_000_000, true);
    await phone.outbox.prune(await phone.outbox.doneIds());
    await mirror.loadOutbox();
    expect(seen(id).troubles).toEqual([]);
  }
});

test("a conflict about what was said anew since is no question; the rest is sent again, and nothing older replaces it", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000005";
  await pulled(id, 1, { state: "local_draft", remarks: "thứ nhất" });
  const edit = async (fields: Record<string, string>) => {
    work.saveHeader(seen(id), fields);
    await work.flush();
  };
  const clash = async (sent: { id: string } | undefined) => {
    const verdict = { status: "conflict", code: "field-conflict", fields: ["remarks"], current: { remarks: "của họ" }, rev: 2 };
    await phone.outbox.settle(sent?.id ?? "", verdict, { state: "attention" });
    await settleOvertaken(phone.db, phone.outbox, id);
    await mirror.loadOutbox();
  };
  await edit({ remarks: "một", place: "A" });
  const [first] = await take();
  await edit({ remarks: "hai" });
  await clash(first);
  expect(seen(id).troubles).toEqual([]);
  const [second] = await take();
  expect(second?.fields).toEqual({ remarks: "hai" });
  await clash(second);
  expect(seen(id).troubles).toMatchObject([{ kind: "conflict", mine: { remarks: "hai" } }]);
  const [rest] = await take();
  expect([rest?.base_rev, rest?.fields]).toEqual([2, { place: "A" }]);
  await phone.outbox.applied(rest!, { status: "applied", rev: 3 }, 1_800_000_000, true);
  await phone.outbox.prune(await phone.outbox.doneIds());
  await edit({ remarks: "ba", place: "B" });
  await mirror.loadOutbox();
  expect(seen(id).troubles).toEqual([]);
  const [third] = await take();
  await clash(third);
  await edit({ place: "C" });
  const [fourth] = await take();
  await phone.outbox.applied(fourth!, { status: "applied", rev: 4 }, 1_800_000_000, true);
  await phone.outbox.prune(await phone.outbox.doneIds());
  await work.insist(third?.id ?? "");
  expect((await take()).map((one) => one.fields)).toEqual([{ remarks: "ba" }]);
});

test("an edit names the revision it was made on, whatever was pulled since", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000003";
  await pulled(id, 4, { state: "local_draft", remarks: "thứ nhất", place: "A" });
  work.saveHeader(seen(id), { remarks: "của tôi" });
  await work.flush();
  await pulled(id, 5, { state: "local_draft", remarks: "của họ", place: "A" });
  work.saveHeader(seen(id), { place: "B" });
  await work.flush();
  const first = await take();
  expect(first.map((one) => [one.base_rev, one.fields])).toEqual([[4, { remarks: "của tôi" }]]);
  const verdict = { status: "conflict", code: "field-conflict", fields: ["remarks"], current: { remarks: "của họ" }, rev: 5 };
  await phone.outbox.settle(first[0]?.id ?? "", verdict, { state: "attention" });
  const second = await take();
  expect(second.map((one) => [one.base_rev, one.fields])).toEqual([[5, { place: "B" }]]);
  await mirror.loadOutbox();
  await work.insist(first[0]?.id ?? "");
  await phone.outbox.applied(second[0]!, { status: "applied", rev: 6 }, 1_800_000_000, true);
  expect((await take()).map((one) => [one.base_rev, one.fields])).toEqual([[5, { remarks: "của tôi" }]]);
});

test("edits made before the server has the report name its creation", async () => {
  const id = work.begin(VERSION, null, {});
  await work.flush();
  const [creation] = await take();
  await mirror.loadOutbox();
  work.saveHeader(seen(id), { remarks: "hai" });
  await work.flush();
  await phone.outbox.applied(creation!, { status: "applied", rev: 1 }, 1_800_000_000, true);
  const [second] = await take();
  await phone.outbox.applied(second!, { status: "applied", rev: 3 }, 1_800_000_000, true);
  await mirror.loadOutbox();
  work.saveHeader(seen(id), { remarks: "ba" });
  await work.flush();
  expect([creation?.base_rev, second?.base_rev, (await take())[0]?.base_rev]).toEqual([null, 1, 1]);
});

test("an edit made after the record has left the phone names what its own earlier edit was made on", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000009";
  const submitted = { id: "m", device_seq: 1, type: "inspection.submit", object: id, base_rev: 1, fields: {}, depends_on: [], made_on_device_at: "" };
  await phone.outbox.applied(submitted, { status: "applied", rev: 4 }, 1_800_000_000, true);
  await phone.outbox.add("inspection.save", id, { fields: { remarks: "của tôi" }, made_at: "" });
  expect((await take()).map((one) => one.base_rev)).toEqual([1]);
});

test("an edit typed before a page came, and stored after, names what was on the screen", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000004";
  await pulled(id, 1, { state: "local_draft", remarks: "" });
  work.saveHeader(seen(id), { remarks: "đang gõ" });
  await pulled(id, 2, { state: "local_draft", remarks: "của họ" });
  await work.flush();
  expect((await take()).map((one) => one.base_rev)).toEqual([1]);
});

async function pulled(id: string, rev: number, body: { [key: string]: string }): Promise<void> {
  const change = { s: "post:a", k: "inspection", id, rev, op: "put" as const, body };
  const page = { epoch: "e", cursor: "c", more: true, drop: [], reset: rev === 1 ? ["post:a"] : [], changes: [change], complete: {} };
  await takePage(phone.db, phone.vault, page);
  await mirror.load();
}

test("a record and a sent edit of another gate are gone when its stream is dropped", async () => {
  const id = "0192f0c1-0000-7000-8000-000000000002";
  await pulled(id, 1, { state: "complete" });
  const page = { epoch: "e", cursor: "d", more: false, drop: ["post:a"], reset: [], changes: [], complete: {} };
  await takePage(phone.db, phone.vault, page);
  await mirror.follow([], true);
  expect(buildReport(mirror, id, false)).toBeNull();
  const left = await phone.db.read(["base", "body", "stream"], (tx) =>
    Promise.all((["base", "body", "stream"] as const).map((table) => tx.objectStore(table).count())),
  );
  expect(left).toEqual([0, 0, 0]);
});

test("the journal is let go after 14 days of the server's time, never of the phone's", async () => {
  const mutation = { id: "m", device_seq: 1, type: "inspection.save", object: "o", base_rev: null, fields: {}, depends_on: [], made_on_device_at: "" };
  await phone.outbox.applied(mutation, { status: "applied", rev: 1 }, 1000, true);
  phone.clock.at += 400 * 86_400;
  await phone.outbox.applied({ ...mutation, id: "n" }, { status: "applied", rev: 2 }, 1000 + 13 * 86_400, true);
  expect((await phone.outbox.journal()).map((one) => one.id)).toEqual(["m", "n"]);
  await phone.outbox.applied({ ...mutation, id: "o" }, { status: "applied", rev: 3 }, 1000 + 15 * 86_400, false);
  expect(await phone.outbox.journal()).toHaveLength(3);
  await phone.outbox.applied({ ...mutation, id: "p" }, { status: "applied", rev: 4 }, 1000 + 15 * 86_400, true);
  expect((await phone.outbox.journal()).map((one) => one.id)).toEqual(["n", "o", "p"]);
});
