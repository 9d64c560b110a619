/**
 * Are the answers of a report in order? A content is compiled once; then each keystroke can ask what is shown, what is
 * missing and what is wrong. The same judgements as apps/checklists/rules/answers.py (tests/vectors/answers.json).
 */

import { type Content, type Step, stepsOf } from "./content.ts";
import { holds, isObject, type Scope } from "./evaluate.ts";
import { type Node, parse, references } from "./expression.ts";
import { isBlank, isEmpty, MAX_REASON, textFault, type ValueChecker, valueChecker } from "./values.ts";

/** One fault or warning: a JSON pointer below the report, and a code that the words know. */
export interface Finding {
  readonly pointer: string;
  readonly code: string;
}

export interface Progress {
  readonly required: number;
  readonly answered: number;
}

interface PhotoRule {
  readonly low: number;
  readonly high: number;
  readonly condition: Node | null;
}

interface CompiledStep {
  readonly step: Step;
  readonly checkValue: ValueChecker;
  readonly requiredIf: Node | null;
  readonly photos: PhotoRule | null;
}

interface View extends Scope {
  readonly hidden: ReadonlySet<string>;
}

type Json = Readonly<Record<string, unknown>>;

const WARNINGS: ReadonlySet<string> = new Set(["answer-not-visible"]);
const ANSWER_FIELDS: ReadonlySet<string> = new Set(["value", "na", "unavailable", "reason", "note"]);
const MAX_FINDINGS = 200;
const MAX_NAMED = 64;

/** Whether a finding leaves the report acceptable. */
export function isWarning(finding: Finding): boolean {
  return WARNINGS.has(finding.code);
}

/** The step a finding is about. */
export function stepOf(finding: Finding): string {
  return finding.pointer.split("/")[2] ?? "";
}

/** The checker of one content. */
export class CompiledChecklist {
  private readonly steps = new Map<string, CompiledStep>();
  private readonly visibleIf: ReadonlyMap<string, Node>;

  constructor(content: Content) {
    const conditions = new Map<string, Node>();
    for (const step of stepsOf(content)) {
      this.steps.set(step.key, compileStep(step));
      if (step.visible_if) conditions.set(step.key, parse(step.visible_if));
    }
    this.visibleIf = inDependencyOrder(conditions);
  }

  /** Check the answers of a draft, or of a report about to be submitted (`final`). At most 200 findings. */
  check(answers: unknown, report: Json, photos: Json, { final }: { final: boolean }): Finding[] {
    if (!isObject(answers)) return [{ pointer: "/answers", code: "wrong-type" }];
    const found: Finding[] = [];
    for (const [key, answer] of Object.entries(answers)) {
      const step = this.steps.get(key);
      if (step) found.push(...answerFindings(step, answer));
      else found.push({ pointer: `/answers/${token(key)}`, code: "unknown-step" });
      if (found.length >= MAX_FINDINGS) return found.slice(0, MAX_FINDINGS);
    }
    const view = this.view(answers, report, photos);
    for (const key of this.steps.keys()) {
      if (view.hidden.has(key) && Object.hasOwn(answers, key) && isGiven(answers[key])) {
        found.push({ pointer: `/answers/${key}`, code: "answer-not-visible" });
      }
    }
    found.push(...this.photoFindings(photos));
    if (final) for (const step of this.steps.values()) found.push(...missing(step, view));
    return found.slice(0, MAX_FINDINGS);
  }

  /** List the keys of the steps shown for these answers, in the order of the checklist. */
  visibleSteps(answers: Json, report: Json, photos: Json): string[] {
    const { hidden } = this.view(answers, report, photos);
    return [...this.steps.keys()].filter((key) => !hidden.has(key));
  }

  /** Count the steps that must be answered now and those of them that are, "not applicable" and the like included. */
  progress(answers: Json, report: Json, photos: Json): Progress {
    const view = this.view(answers, report, photos);
    const required = [...this.steps.values()].filter((step) => isRequired(step, view));
    return { required: required.length, answered: required.filter((step) => isDone(step, view)).length };
  }

  /** Tell whether a step must be answered now. */
  isRequired(key: string, answers: Json, report: Json, photos: Json): boolean {
    const step = this.steps.get(key);
    return step !== undefined && isRequired(step, this.view(answers, report, photos));
  }

  /** Hide steps in dependency order, so that a hidden step counts as unanswered for those that follow. */
  private view(answers: Json, report: Json, photos: Json): View {
    const shown = { ...answers };
    const counts = { ...photos };
    const hidden = new Set<string>();
    for (const [key, condition] of this.visibleIf) {
      if (holds(condition, { answers: shown, report, photos: counts })) continue;
      hidden.add(key);
      delete shown[key];
      delete counts[key];
    }
    return { answers: shown, report, photos: counts, hidden };
  }

  private photoFindings(photos: Json): Finding[] {
    return Object.entries(photos).flatMap(([key, taken]) => {
      const step = this.steps.get(key);
      if (!step) return [{ pointer: `/photos/${token(key)}`, code: "unknown-step" }];
      const tooMany = step.photos !== null && (taken as number) > step.photos.high;
      return tooMany ? [{ pointer: `/photos/${key}`, code: "too-many-photos" }] : [];
    });
  }
}

function compileStep(step: Step): CompiledStep {
  const rule = step.photos;
  return {
    step,
    checkValue: valueChecker(step),
    requiredIf: step.required_if ? parse(step.required_if) : null,
    photos: rule
      ? { low: rule.min, high: rule.max, condition: rule.required_if ? parse(rule.required_if) : null }
      : null,
  };
}

/** Sort conditions so that each comes after those of the steps it refers to; published content has no cycle. */
function inDependencyOrder(conditions: ReadonlyMap<string, Node>): ReadonlyMap<string, Node> {
  const ordered = new Map<string, Node>();
  const place = (key: string): void => {
    const condition = conditions.get(key);
    if (!condition || ordered.has(key)) return;
    for (const needed of references(condition)) place(needed);
    ordered.set(key, condition);
  };
  for (const key of conditions.keys()) place(key);
  return ordered;
}

/** Write an unknown key as a token of a JSON pointer: ASCII, bounded. */
function token(key: string): string {
  const safe = Array.from(key).slice(0, MAX_NAMED).map(escapeChar).join("");
  return safe.replaceAll("~", "~0").replaceAll("/", "~1");
}

function escapeChar(char: string): string {
  const code = char.codePointAt(0) as number;
  if (code < 0x80) return char;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

function isExcused(answer: unknown): boolean {
  return isObject(answer) && (answer.na === true || answer.unavailable === true);
}

/** Tell whether an answer says something: a value, or a reason why there is none. */
export function isGiven(answer: unknown): boolean {
  return isObject(answer) && (isExcused(answer) || !isEmpty(answer.value));
}

function answerFindings(compiled: CompiledStep, answer: unknown): Finding[] {
  const pointer = `/answers/${compiled.step.key}`;
  if (!isObject(answer)) return [{ pointer, code: "answer-shape" }];
  const found: Finding[] = [];
  const add = (code: string | null, below = ""): void => {
    if (code !== null) found.push({ pointer: pointer + below, code });
  };
  if (Object.keys(answer).some((key) => !ANSWER_FIELDS.has(key))) add("unknown-field");
  if (answer.note !== null && answer.note !== undefined) add(textFault(answer.note), "/note");
  const ways = ["value", "na", "unavailable"].filter((way) => Object.hasOwn(answer, way));
  const [way] = ways;
  if (ways.length > 1 || (way === "value" && Object.hasOwn(answer, "reason"))) add("answer-shape");
  else if (way === "value") add(answer.value === null ? null : compiled.checkValue(answer.value), "/value");
  else if (way) {
    add(excuseFault(compiled.step, answer, way));
    add(reasonFault(answer.reason), "/reason");
  }
  return found;
}

function excuseFault(step: Step, answer: Json, way: string): string | null {
  if (answer[way] !== true) return "answer-shape";
  if (way === "na" && step.allow_na !== true) return "na-not-allowed";
  return way === "unavailable" && step.kind === "sign" ? "unavailable-not-allowed" : null;
}

function reasonFault(reason: unknown): string | null {
  const none = reason === null || reason === undefined || (typeof reason === "string" && isBlank(reason));
  return none ? "reason-missing" : textFault(reason, MAX_REASON);
}

function isRequired({ step, requiredIf }: CompiledStep, view: View): boolean {
  if (view.hidden.has(step.key)) return false;
  return step.required === true || (requiredIf !== null && holds(requiredIf, view));
}

function taken(step: Step, view: View): number {
  return Object.hasOwn(view.photos, step.key) ? (view.photos[step.key] as number) : 0;
}

function isDone({ step }: CompiledStep, view: View): boolean {
  const answer = Object.hasOwn(view.answers, step.key) ? view.answers[step.key] : undefined;
  return step.kind === "photo" ? isExcused(answer) || taken(step, view) > 0 : isGiven(answer);
}

/**
 * Find what is missing at one step. Without a condition of its own, the photo rule follows the step: photos are due once
 * the step is required, answered or has a photo. "Not applicable" and "equipment unavailable" excuse both.
 */
function missing(compiled: CompiledStep, view: View): Finding[] {
  const { step, photos: rule } = compiled;
  const answer = Object.hasOwn(view.answers, step.key) ? view.answers[step.key] : undefined;
  if (view.hidden.has(step.key) || isExcused(answer)) return [];
  const found: Finding[] = [];
  const [required, done, count] = [isRequired(compiled, view), isDone(compiled, view), taken(step, view)];
  if (required && !done && step.kind !== "photo") found.push({ pointer: `/answers/${step.key}`, code: "required" });
  if (rule === null) return found;
  const followed = rule.condition ? holds(rule.condition, view) : required || done || count > 0;
  const due = followed || (step.kind === "photo" && (required || count > 0));
  if (due && count < rule.low) found.push({ pointer: `/photos/${step.key}`, code: "photos-missing" });
  return found;
}
