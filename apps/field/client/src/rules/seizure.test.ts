/** The rules of seizures against the vectors that the server's rules pass too. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Json } from "../engine/types.ts";
import { type Amounts, differences, remaining } from "./custody.ts";
import { type Aim, HEADER, lacksScale, missingAt, PARTS, type Said, suspicious } from "./seizure.ts";

interface Case {
  name: string;
  aim: Aim;
  set: Record<string, Json>;
  found: [string, string][];
  warnings: string[];
}
interface Reading {
  seals: string[];
  mass: string | null;
  read: string[];
  mass_read: string | null;
  differs: string[];
}
type Held = Record<string, Record<string, Json>>;

const FILE = new URL("../../../../../tests/vectors/seizures.json", import.meta.url);
interface Vectors {
  header: object;
  parts: object;
  whole: Held;
  cases: Case[];
  scale: { name: string; lines: Said["lines"]; reason: string; purposes: (string | null)[]; lacks: boolean }[];
  readings: Reading[];
  samples: { now: Amounts; taken: Amounts; left: Amounts; faults: [string, string][] }[];
}
const VECTORS = JSON.parse(readFileSync(FILE, "utf8")) as Vectors;

/** The whole report with the case's changes; null takes away. */
function saidOf({ set }: Case): Said {
  const held = structuredClone(VECTORS.whole);
  for (const [key, value] of Object.entries(set)) {
    if (key in held) {
      held[key] = value as Record<string, Json>;
      continue;
    }
    const way = key.split(".");
    const name = way.at(-1) as string;
    let store = held[way.length > 1 ? (way[0] as string) : "fields"] as Record<string, Json>;
    if (way.length > 2) store = (store[way[1] as string] ??= {}) as Record<string, Json>;
    if (value === null) delete store[name];
    else store[name] = value;
  }
  return held as unknown as Said;
}

describe("a photo of the scale", () => {
  test.each(VECTORS.scale)("$name", ({ lines, reason, purposes, lacks }) => {
    expect(lacksScale({ lines, fields: { no_scale_photo_reason: reason } }, purposes)).toBe(lacks);
  });
});

describe("what a seizure lacks", () => {
  test.each(VECTORS.cases)("$name", (given) => {
    const said = saidOf(given);
    const found = missingAt(given.aim, said).map(({ pointer, code }) => [pointer, code]);
    expect(found.sort()).toEqual(given.found);
    expect(suspicious(said.lines).sort()).toEqual(given.warnings);
  });
});

test("whether a lead by another unit fits the leading force is left to the server", () => {
  const police = { "participations": [{ unit: "PC04", agency: "", role: "lead" }], lead_force: "police" };
  const ours = new Set(["NBA"]);
  const faults = (fields: Record<string, unknown>) => {
    const said = { fields, lines: {}, persons: {}, conveyances: {}, consignments: {}, ours } as unknown as Said;
    return missingAt("submitted", said).filter(({ code }) => code === "lead-force");
  };
  expect(faults(police)).toEqual([]);
  expect(faults({ ...police, participations: [{ unit: "NBA", agency: "", role: "lead" }] })).toHaveLength(1);
  expect(faults({ ...police, participations: [{ unit: "", agency: "Công an", role: "lead" }] })).toEqual([]);
  expect(faults({ ...police, lead_force: "customs" })).toEqual([]);
});

test("the fields are the server's", () => {
  expect(HEADER).toEqual(VECTORS.header);
  expect(PARTS).toEqual(VECTORS.parts);
});

test.each(VECTORS.readings)("a package of $mass g read as $mass_read g", ({ seals, mass, read, mass_read, differs }) => {
  expect(differences(seals, mass, read, mass_read)).toEqual(differs);
});

test.each(VECTORS.samples)("a sample of $taken from $now", ({ now, taken, left, faults }) => {
  const found = remaining(now, taken);
  expect(found.left).toEqual(left);
  expect(found.faults.sort()).toEqual(faults);
});
