/**
 * Do two readings of a package agree: its seals, its mass. The server's comparison again (apps/custody/rules/comparison.py),
 * held together by `tests/vectors/seizures.json`; and which steps may follow from where a package is.
 */

import { compare, type Decimal, decimal, minus, placesUsed, plain } from "./decimal.ts";

/** The spelling under which seal numbers are compared: capitals and digits alone. */
export function spelling(number: string): string {
  return number.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** Name what differs between what a package should bear and weigh, and what was read on it. */
export function differences(
  seals: readonly string[],
  mass: string | null,
  read: readonly string[],
  massRead: string | null,
): string[] {
  const [should, is] = [seals, read].map((numbers) => [...new Set(numbers.map(spelling))].sort().join("|"));
  const found = should === is ? [] : ["seal_mismatch"];
  const agrees = mass === null || (massRead !== null && agree(decimal(mass), decimal(massRead)));
  return agrees ? found : [...found, "weight_discrepancy"];
}

/** Two scales may differ by one gram, or by one part in a thousand when that is more. */
function agree(one: Decimal, other: Decimal): boolean {
  const [high, low] = compare(one, other) > 0 ? [one, other] : [other, one];
  const scale = Math.max(high.scale, low.scale);
  const [most, least] = [high, low].map(({ digits, scale: own }) => digits * 10n ** BigInt(scale - own)) as [bigint, bigint];
  const apart = (most - least) * 1000n;
  const gram = 1000n * 10n ** BigInt(scale);
  return apart <= (most > gram ? most : gram);
}

export type Step = "seal" | "reseal" | "unseal" | "store" | "move" | "offer" | "sample" | "receive" | "correct";
const UNDER_SEAL: readonly Step[] = ["store", "move", "offer", "unseal"];
const FROM: Readonly<Record<string, readonly Step[]>> = {
  recorded: ["seal", "correct"],
  sealed: UNDER_SEAL,
  unit_store: ["move", "offer", "unseal"],
  in_transit: UNDER_SEAL,
  unsealed: ["sample", "reseal"],
  at_lab: ["receive"],
};

/** The steps that may follow, of those that are taken on a phone. */
export function stepsFrom(state: string): readonly Step[] {
  return FROM[state] ?? [];
}

export type Amounts = Readonly<Record<string, string | null | undefined>>;
const TAKEN_FROM = [
  ["net_mass_g", "taken_mass_g"],
  ["gross_mass_g", "taken_mass_g"],
  ["volume_ml", "taken_volume_ml"],
  ["count", "taken_count"],
] as const;

/** What is left when a sample was taken, and what is wrong with that, by field: the server's rule again (`remaining`). */
export function remaining(now: Amounts, taken: Amounts): { left: Record<string, string>; faults: [field: string, code: string][] } {
  const left: Record<string, string> = {};
  const faults: [string, string][] = [];
  const isTaken = (of: string): boolean => Number(taken[of] ?? 0) > 0;
  for (const [key, of] of TAKEN_FROM) {
    const have = now[key];
    if (have === null || have === undefined || !isTaken(of)) continue;
    const rest = minus(decimal(have), decimal(String(taken[of])));
    if (rest.digits < 0n) faults.push([of, "more-than-left"]);
    left[key] = written(rest);
  }
  for (const [key, of] of TAKEN_FROM.slice(1)) {
    if (isTaken(of) && (now[key] === null || now[key] === undefined)) faults.push([of, "not-measured"]);
  }
  if (!TAKEN_FROM.some(([, of]) => isTaken(of))) faults.push(["taken_mass_g", "no-measure"]);
  return { left, faults };
}

function written(value: Decimal): string {
  const places = placesUsed(value);
  return plain({ digits: value.digits / 10n ** BigInt(value.scale - places), scale: places });
}
