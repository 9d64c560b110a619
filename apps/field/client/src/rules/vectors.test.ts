/** The rules against the vectors that the server's rules pass too. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CompiledChecklist, isWarning, stepOf } from "./answers.ts";
import type { Content, Step } from "./content.ts";
import { compare, decimal, plain } from "./decimal.ts";
import { evaluate, isObject } from "./evaluate.ts";
import { ExpressionError, parse } from "./expression.ts";
import { compilePattern } from "./patterns.ts";
import { cleanText } from "./values.ts";

type Json = Record<string, unknown>;

interface ExpressionCase {
  name: string;
  expression: string;
  answers?: Json;
  report?: Json;
  photos?: Json;
  expected?: unknown;
  error?: { code: string; position: number };
}

interface AnswerCase {
  name: string;
  answers: Json;
  report?: Json;
  photos?: Json;
  draft?: boolean;
  found: [string, string][];
  visible?: string[];
  progress?: [number, number];
}

const ROOT = new URL("../../../../../", import.meta.url);

function read<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), "utf-8")) as T;
}

const EXPRESSIONS = read<{ cases: ExpressionCase[] }>("tests/vectors/expressions.json").cases;
const ANSWERS = read<{
  cases: (AnswerCase & { steps: Step[] })[];
  walks: (AnswerCase & { checklist: string; semver: string })[];
}>("tests/vectors/answers.json");

describe("conditions", () => {
  test.each(EXPRESSIONS.filter((c) => "expected" in c))("$name", ({ expression, expected, ...scope }) => {
    const { answers = {}, report = {}, photos = {} } = scope;
    const value = evaluate(parse(expression), { answers, report, photos });
    if (isObject(expected)) {
      expect(isObject(value) && compare(value as never, decimal(String(expected.number)))).toBe(0);
    } else {
      expect(value).toEqual(expected);
    }
  });

  test.each(EXPRESSIONS.filter((c) => "error" in c))("$name", ({ expression, error }) => {
    let caught: unknown;
    try {
      parse(expression);
    } catch (problem) {
      caught = problem;
    }
    expect(caught).toBeInstanceOf(ExpressionError);
    const { code, position } = caught as ExpressionError;
    expect({ code, position }).toEqual(error);
  });
});

function judged(content: Content, given: AnswerCase): void {
  const checklist = new CompiledChecklist(content);
  const { answers, report = {}, photos = {} } = given;
  const found = checklist.check(answers, report, photos, { final: !given.draft });
  expect(found.map(({ pointer, code }) => [pointer, code])).toEqual(given.found);
  if (given.visible) expect(checklist.visibleSteps(answers, report, photos)).toEqual(given.visible);
  if (given.progress) {
    const { required, answered } = checklist.progress(answers, report, photos);
    expect([required, answered]).toEqual(given.progress);
  }
}

describe("answers", () => {
  test.each(ANSWERS.cases)("$name", ({ steps, ...given }) => {
    judged({ sections: [{ key: "s", title: { vi: "Mục", en: "Section" }, steps }] }, given);
  });

  test.each(ANSWERS.walks)("$name", ({ checklist, semver, ...given }) => {
    const file = read<{ versions: { semver: string; content: Content }[] }>(`apps/checklists/demo/${checklist}.json`);
    const version = file.versions.find((one) => one.semver === semver);
    judged(version?.content as Content, given);
  });

  test("a stale answer of a hidden step is a warning only", () => {
    expect(isWarning({ pointer: "/answers/a", code: "answer-not-visible" })).toBe(true);
    expect(isWarning({ pointer: "/answers/a", code: "required" })).toBe(false);
    expect(stepOf({ pointer: "/answers/a/value", code: "required" })).toBe("a");
  });
});

test.each(["a+", "(a)", "a{3,2}", "a|b", "[z-a]", "", "x".repeat(201), "\\d?".repeat(14)])(
  "the pattern %s is outside the subset",
  (pattern) => {
    expect(compilePattern(pattern)).toBeNull();
  },
);

test("typed text is made storable", () => {
  expect(cleanText("Hòa\u0300\r\nBa\u0301o cáo\u202e\u0007")).toBe("Hòa\u0300\nBáo cáo".normalize("NFC"));
});

test.each([
  ["12.50", "12.50"],
  ["-0.05", "-0.05"],
  ["0", "0"],
])("decimals are written as they were read: %s", (text, written) => {
  expect(plain(decimal(text))).toBe(written);
});
