/**
 * The tokeniser of the condition language and the one error that it and the parser throw. Positions count Unicode code
 * points from 0, as docs/expressions.md has it.
 */

import { isDecimal } from "./decimal.ts";

const MAX_LENGTH = 1000;
const MAX_NAME_LENGTH = 64;

export const FUNCTIONS: ReadonlySet<string> = new Set([
  "answered",
  "selected",
  "count",
  "na",
  "unavailable",
  "photos",
]);
const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "true", "false", "null", "report"]);

/** The text is not a condition; `code` says why and `position` where. */
export class ExpressionError extends Error {
  constructor(
    readonly code: string,
    readonly position: number,
  ) {
    super(`${code} at ${position}`);
  }
}

export interface Token {
  readonly kind: "name" | "word" | "number" | "string" | "symbol" | "end";
  /** Of a string: its value. */
  readonly text: string;
  readonly position: number;
}

/** Split a text into tokens, ending with one `end`. */
export function tokenise(text: string): Token[] {
  const points = Array.from(text);
  if (points.length > MAX_LENGTH) throw new ExpressionError("too-long", MAX_LENGTH);
  const tokens: Token[] = [];
  let position = 0;
  while (position < points.length) {
    if (" \t\r\n".includes(points[position] as string)) {
      position += 1;
      continue;
    }
    const [token, next] = nextToken(points, position);
    tokens.push(token);
    position = next;
  }
  tokens.push({ kind: "end", text: "", position: points.length });
  return tokens;
}

function nextToken(points: readonly string[], start: number): [Token, number] {
  const first = points[start] as string;
  if (first === "'") return quoted(points, start);
  if (first === "-" || isDigit(first)) return number(points, start);
  if (/^[a-z]$/.test(first)) return word(points, start);
  const two = first + (points[start + 1] ?? "");
  const symbol = ["!=", "<=", ">="].includes(two) ? two : "=<>()[],.".includes(first) ? first : null;
  if (symbol === null) throw new ExpressionError("unexpected-character", start);
  return [{ kind: "symbol", text: symbol, position: start }, start + symbol.length];
}

function word(points: readonly string[], start: number): [Token, number] {
  const end = runEnd(points, start, (c) => /^[a-z0-9_]$/.test(c));
  if (end - start > MAX_NAME_LENGTH) throw new ExpressionError("bad-name", start);
  const text = points.slice(start, end).join("");
  const kind = FUNCTIONS.has(text) || KEYWORDS.has(text) ? "word" : "name";
  return [{ kind, text, position: start }, end];
}

function number(points: readonly string[], start: number): [Token, number] {
  let end = runEnd(points, points[start] === "-" ? start + 1 : start, isDigit);
  if (points[end] === "." && isDigit(points[end + 1] ?? "")) end = runEnd(points, end + 1, isDigit);
  const text = points.slice(start, end).join("");
  if (!isDecimal(text) || /^[A-Za-z0-9_.]$/.test(points[end] ?? "")) {
    throw new ExpressionError("bad-number", start);
  }
  return [{ kind: "number", text, position: start }, end];
}

function quoted(points: readonly string[], start: number): [Token, number] {
  let value = "";
  for (let position = start + 1; position < points.length; position += 1) {
    let char = points[position] as string;
    if (char === "'") return [{ kind: "string", text: value, position: start }, position + 1];
    if (char === "\\") {
      position += 1;
      char = points[position] ?? "";
      if (char !== "'" && char !== "\\") throw new ExpressionError("bad-escape", position - 1);
    } else if (isUnwanted(char)) {
      throw new ExpressionError("bad-string", position);
    }
    value += char;
  }
  throw new ExpressionError("unterminated-string", start);
}

function isUnwanted(char: string): boolean {
  const code = char.codePointAt(0) as number;
  return code < 0x20 || code === 0x7f || (code >= 0xd800 && code <= 0xdfff);
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9" && char.length === 1;
}

function runEnd(points: readonly string[], start: number, fits: (char: string) => boolean): number {
  let end = start;
  while (end < points.length && fits(points[end] as string)) end += 1;
  return end;
}
