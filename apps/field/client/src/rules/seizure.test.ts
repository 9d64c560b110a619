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

test("a lead by a unit fits the leading force; of a unit that is not known here the server judges", () => {
  const lead = (unit: string, lead_force: string, agency = "") => ({ participations: [{ unit, agency, role: "lead" }], lead_force });
  const forces = new Map([
    ["NBA", "customs"],
    ["CPN", "customs"],
    ["PC04-HN", "police"],
  ]);
  const faults = (fields: Record<string, unknown>) => {
    const said = { fields, lines: {}, persons: {}, conveyances: {}, consignments: {}, forces } as unknown as Said;
    return missingAt("submitted", said).filter(({ code }) => code === "lead-force").length;
  };
  expect(faults(lead("NBA", "customs"))).toBe(0);
  expect(faults(lead("CPN", "police"))).toBe(1);
  expect(faults(lead("PC04-HN", "police"))).toBe(0);
  expect(faults(lead("PC04-HN", "customs"))).toBe(1);
  expect(faults(lead("NEW", "police"))).toBe(0);
  expect(faults(lead("NEW", "customs"))).toBe(0);
  expect(faults(lead("", "police", "Công an"))).toBe(0);
  expect(faults(lead("", "customs", "Công an"))).toBe(1);
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
