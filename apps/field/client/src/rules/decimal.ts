/**
 * Exact decimal numbers, as many digits as the checklists need: read, compare, count places, take one from another
 * (what is left of an exhibit). No arithmetic beyond that: conditions and limits only compare (docs/expressions.md).
 */

export interface Decimal {
  readonly digits: bigint;
  /** How many of the digits stand after the point. */
  readonly scale: number;
}

const SHAPE = /^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?$/;
const FRACTION_DIGITS = 18;

/** Tell whether a text is a decimal as conditions and answers write it: `-12.50`, never `1e2` or `007`. */
export function isDecimal(text: string): boolean {
  return SHAPE.test(text);
}

/** Read a text of decimal shape. */
export function decimal(text: string): Decimal {
  const [whole = "0", fraction = ""] = text.split(".");
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

/** Read a JSON number as its shortest exact decimal; null beyond ±(2^53 − 1) or with more than 18 fractional digits. */
export function fromNumber(value: number): Decimal | null {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return null;
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const plain = decimal(mantissa);
  const scale = plain.scale - Number(exponent);
  return scale > FRACTION_DIGITS ? null : { digits: plain.digits, scale };
}

/** Order two decimals: negative, zero or positive. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale, 0);
  const left = a.digits * 10n ** BigInt(scale - a.scale);
  const right = b.digits * 10n ** BigInt(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What is left of one when the other is taken from it. */
export function minus(one: Decimal, other: Decimal): Decimal {
  const scale = Math.max(one.scale, other.scale, 0);
  const [have, less] = [one, other].map(({ digits, scale: own }) => digits * 10n ** BigInt(scale - own)) as [bigint, bigint];
  return { digits: have - less, scale };
}

/** Count the decimal places that are not trailing zeros. */
export function placesUsed(value: Decimal): number {
  let { digits, scale } = value;
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return Math.max(scale, 0);
}

/** Write a decimal plainly. */
export function plain(value: Decimal): string {
  if (value.scale <= 0) return String(value.digits * 10n ** BigInt(-value.scale));
  const negative = value.digits < 0n;
  const digits = String(negative ? -value.digits : value.digits).padStart(value.scale + 1, "0");
  return `${negative ? "-" : ""}${digits.slice(0, -value.scale)}.${digits.slice(-value.scale)}`;
}
