/** The two languages have the same keys and are both written; formats are those of the service. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test, vi as vitest } from "vitest";
import type { Lang } from "../engine/types.ts";
import { en } from "./en.ts";
import { vi as first } from "./vi.ts";
import { behind } from "./vi-behind.ts";

const vi = { ...first, ...behind };

const chosen = vitest.hoisted(() => ({ lang: "vi" as Lang }));
vitest.mock("./index.ts", () => ({ lang: () => chosen.lang }));

const format = await import("./format.ts");

/** Every leaf with its path; functions count as leaves and are called with numbers and texts. */
function leaves(node: unknown, path = ""): Map<string, string> {
  if (typeof node === "string") return new Map([[path, node]]);
  if (typeof node === "function") return new Map([[`${path}()`, String(node(3, 4, 2))]]);
  return new Map(Object.entries(node as object).flatMap(([key, below]) => [...leaves(below, `${path}/${key}`)]));
}

describe("words", () => {
  test("both languages have the same keys", () => {
    const of = (dictionary: object): string[] => [...leaves(dictionary).keys()].filter((key) => !/\/reasons\//.test(key)).sort();
    expect(of(en)).toEqual(of(vi));
  });

  test("what the first screens are made of uses no word that comes later", () => {
    const seen = new Map<string, string>();
    const read = (path: string): void => {
      if (seen.has(path)) return;
      const source = readFileSync(path, "utf8");
      seen.set(path, source);
      for (const [, next = ""] of source.matchAll(/^(?:import|export)(?! type)[^;]*?from "(\.[^"]+)";/gm)) read(join(dirname(path), next));
    };
    read(fileURLToPath(new URL("../main.tsx", import.meta.url)));
    expect([...seen.keys()].filter((path) => path.endsWith("today.tsx"))).toHaveLength(1);
    const later = Object.keys(behind).join("|");
    const used = new RegExp(`words\\(\\)\\.(${later})\\b|\\{[^}]*\\b(${later})\\b[^}]*\\} = words\\(\\)`);
    for (const [path, source] of seen) {
      expect(source, path).not.toMatch(used);
      const names = [...source.matchAll(/const (\w+) = words\(\);/g)].map(([, name]) => name);
      for (const name of names) expect(source, path).not.toMatch(new RegExp(`\\b${name}\\.(${later})\\b`));
    }
  });

  test("every text is written, composed, and without stray space", () => {
    for (const [path, text] of [...leaves(vi), ...leaves(en)]) {
      if (path.endsWith("/phases/idle")) continue;
      expect(text.trim(), path).toBe(text);
      expect(text.normalize("NFC"), path).toBe(text);
      expect(text, path).not.toBe("");
      expect(text, path).not.toMatch(/undefined|NaN|\[object/);
    }
  });

  test("the languages differ where a reader would notice", () => {
    const english = leaves(en);
    const same = [...leaves(vi)].filter(([path, text]) => english.get(path) === text && / \p{L}+ /u.test(text));
    expect(same).toEqual([]);
  });

  test("English bends for one and many", () => {
    expect(en.today.left(1)).toBe("1 required item left");
    expect(en.today.left(2)).toBe("2 required items left");
    expect(en.report.version(2)).toBe("sent for the 2nd time");
  });
});

describe.each(["vi", "en"] as const)("formats in %s", (lang) => {
  beforeEach(() => {
    chosen.lang = lang;
  });
  const inVietnamese = lang === "vi";

  test("days and times", () => {
    expect(format.day("2024-08-20T03:00:00Z")).toBe("20/08/2024");
    expect(format.clock("2024-08-20T03:05:00Z")).toMatch(/^\d\d:05$/);
  });

  test("numbers, bytes, spans", () => {
    expect(format.number(1234.5)).toBe(inVietnamese ? "1.234,5" : "1,234.5");
    expect(format.decimalText("12.50")).toBe(inVietnamese ? "12,50" : "12.50");
    expect(format.bytes(3_249_000)).toBe(inVietnamese ? "3,2 MB" : "3.2 MB");
    expect(format.bytes(512)).toBe(inVietnamese ? "1 kB" : "1 kB");
    expect(format.span(45)).toContain("45");
    expect(format.ago(30, "now")).toBe("now");
    expect(format.ago(7200, "now")).toBe(inVietnamese ? "2 giờ trước" : "2 hours ago");
  });
});

test.each([
  ["12,5", "12.5"],
  ["12.50", "12.50"],
  [" 007 ", "7"],
  ["0", "0"],
  ["-0", "0"],
  ["-3,10", "-3.10"],
  ["5,", "5"],
  ["1.234,5", null],
  ["", null],
  ["-", null],
  ["mười", null],
])("a typed number: %j is %j", (typed, read) => {
  expect(format.typedNumber(typed)).toBe(read);
});

test("moments carry this phone's offset", () => {
  const at = new Date("2024-08-20T03:00:00Z");
  expect(format.isoWithOffset(at)).toMatch(/^2024-08-\d\dT\d\d:00:00[+-]\d\d:\d\d$/);
  expect(Date.parse(format.isoWithOffset(at))).toBe(at.getTime());
});
