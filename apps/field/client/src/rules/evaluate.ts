/**
 * What a condition means: values, null rules, comparison, Kleene's logic. Evaluation is total: it never throws. The rules
 * are written out in docs/expressions.md and pinned by tests/vectors/expressions.json.
 */

import { compare, type Decimal, decimal, fromNumber, isDecimal } from "./decimal.ts";
import type { Call, Literal, Node, Reference } from "./expression.ts";

export type Value = boolean | Decimal | string | readonly string[] | null;
type Json = Readonly<Record<string, unknown>>;

/** What a condition looks at: the answers by step, the report's header, the photo counts by step. */
export interface Scope {
  readonly answers: Json;
  readonly report: Json;
  readonly photos: Json;
}

/** Evaluate a condition. */
export function evaluate(node: Node, scope: Scope): Value {
  switch (node.op) {
    case "literal":
      return node.value;
    case "answer":
    case "report":
      return reference(node, scope);
    case "call":
      return call(node, scope);
    case "compare":
      return compared(node.operator, node.left, node.right, scope);
    case "in": {
      const found = member(node.left, node.items, scope);
      return node.negated ? negated(found) : found;
    }
    case "not":
      return negated(evaluate(node.item, scope));
    default:
      return joined(node.items, node.op === "or", scope);
  }
}

/** Say whether the condition is true; false and null both mean that it does not hold. */
export function holds(node: Node, scope: Scope): boolean {
  return evaluate(node, scope) === true;
}

/** Tell whether a JSON value is an object, neither list nor null. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

function isNumber(value: Value): value is Decimal {
  return isObject(value);
}

function own(of: Json, key: string): unknown {
  return Object.hasOwn(of, key) ? of[key] : undefined;
}

function plain(raw: unknown): Value {
  if (typeof raw === "string") return raw || null;
  if (typeof raw === "boolean") return raw;
  if (typeof raw === "number") return fromNumber(raw);
  if (Array.isArray(raw)) return raw.length > 0 && raw.every((item) => typeof item === "string") ? raw : null;
  if (!isObject(raw)) return null;
  const named = Object.hasOwn(raw, "raw") ? raw.raw : own(raw, "name");
  return typeof named === "string" && named !== "" ? named : null;
}

function reference(node: Reference, { answers, report }: Scope): Value {
  if (node.op === "report") return plain(own(report, node.field));
  const answer = own(answers, node.key);
  if (!isObject(answer) || answer.na === true || answer.unavailable === true) return null;
  return plain(own(answer, "value"));
}

function call(node: Call, scope: Scope): Value {
  const { name, target } = node;
  if (target.op === "answer") {
    if (name === "photos") return photoCount(own(scope.photos, target.key));
    if (name === "na" || name === "unavailable") {
      const answer = own(scope.answers, target.key);
      return isObject(answer) && answer[name] === true;
    }
  }
  const value = reference(target, scope);
  if (name === "answered") return value !== null;
  if (name === "count") return whole(value === null ? 0 : isList(value) ? value.length : 1);
  if (value === null) return null;
  return isList(value) ? value.includes(node.argument as string) : value === node.argument;
}

function photoCount(taken: unknown): Decimal {
  const counted = typeof taken === "number" && Number.isInteger(taken) && taken > 0;
  return whole(counted ? Math.min(taken, Number.MAX_SAFE_INTEGER) : 0);
}

function whole(count: number): Decimal {
  return { digits: BigInt(count), scale: 0 };
}

function negated(value: Value): boolean | null {
  return typeof value === "boolean" ? !value : null;
}

/** `or` for `decisive` true, `and` for false: one decisive operand decides; otherwise one unknown makes it unknown. */
function joined(items: readonly Node[], decisive: boolean, scope: Scope): boolean | null {
  let unknown = false;
  for (const item of items) {
    const value = evaluate(item, scope);
    if (value === decisive) return decisive;
    unknown ||= value !== !decisive;
  }
  return unknown ? null : !decisive;
}

function numberOf(value: Value, node: Node): Decimal | null {
  if (isNumber(value)) return value;
  return typeof value === "string" && node.op !== "literal" && isDecimal(value) ? decimal(value) : null;
}

function isNull(node: Node): boolean {
  return node.op === "literal" && node.value === null;
}

function compared(operator: string, left: Node, right: Node, scope: Scope): boolean | null {
  const a = evaluate(left, scope);
  const b = evaluate(right, scope);
  if (operator === "=") return same(left, a, right, b);
  if (operator === "!=") return negated(same(left, a, right, b));
  const order = ordered(left, a, right, b);
  if (order === null) return null;
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

function same(left: Node, a: Value, right: Node, b: Value): boolean | null {
  if (isNull(left) || isNull(right)) return a === null && b === null;
  if (a === null || b === null || isList(a) || isList(b)) return null;
  const [x, y] = [numberOf(a, left), numberOf(b, right)];
  return x && y ? compare(x, y) === 0 : a === b;
}

function ordered(left: Node, a: Value, right: Node, b: Value): number | null {
  const [x, y] = [numberOf(a, left), numberOf(b, right)];
  if (x && y) return compare(x, y);
  return typeof a === "string" && typeof b === "string" ? byCodePoint(a, b) : null;
}

function byCodePoint(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  const at = x.findIndex((char, index) => char !== y[index]);
  if (at === -1) return x.length - y.length;
  return at >= y.length ? 1 : (x[at]?.codePointAt(0) ?? 0) - (y[at]?.codePointAt(0) ?? 0);
}

function member(left: Node, items: readonly Literal[], scope: Scope): boolean | null {
  const value = evaluate(left, scope);
  if (value === null || isList(value)) return null;
  return items.some((item) => same(left, value, item, item.value) === true);
}
