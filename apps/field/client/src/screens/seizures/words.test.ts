/** The two languages of the seizure screens have the same keys and are both written; every field that is shown has a name. */

import { expect, test, vi as vitest } from "vitest";
import { HEADER, PARTS } from "../../rules/seizure.ts";
import { en } from "./en.ts";
import { vi } from "./vi.ts";

vitest.mock("./words.ts", () => ({}));

function leaves(node: unknown, path = ""): Map<string, string> {
  if (typeof node === "string") return new Map([[path, node]]);
  if (typeof node === "function") return new Map([[`${path}()`, String(node(3, 4))]]);
  return new Map(Object.entries(node as object).flatMap(([key, below]) => [...leaves(below, `${path}/${key}`)]));
}

test("both languages have the same keys", () => {
  expect([...leaves(en).keys()].sort()).toEqual([...leaves(vi).keys()].sort());
});

test("every text is written, composed, and without stray space", () => {
  for (const [path, text] of [...leaves(vi), ...leaves(en)]) {
    expect(text.trim(), path).toBe(text);
    expect(text.normalize("NFC"), path).toBe(text);
    expect(text, path).not.toBe("");
    expect(text, path).not.toMatch(/undefined|NaN|\[object/);
  }
});

test("the languages differ where a reader would notice", () => {
  const english = leaves(en);
  expect([...leaves(vi)].filter(([path, text]) => english.get(path) === text && / \p{L}+ /u.test(text))).toEqual([]);
});

test("every field of a part has a name", () => {
  const names = [...new Set(Object.values(PARTS).flatMap((columns) => Object.keys(columns)))];
  expect(names.filter((name) => !Object.hasOwn(vi.fields, name))).toEqual([]);
  expect(Object.keys(vi.fields).filter((name) => !(name in HEADER || name in PARTS || names.includes(name)))).toEqual([]);
});

test("English bends for one and many", () => {
  expect([en.list.people(1), en.list.people(2)]).toEqual(["1 person", "2 people"]);
});
