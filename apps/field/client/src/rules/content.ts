/**
 * The steps of a checklist version. Their shapes are the engine's; the server judged the content before it was published
 * (apps/checklists/rules/content.py), and nothing here judges it again.
 */

import type { Section, Step } from "../engine/types.ts";

export type { Answer, Option, PhotoRule, Section, Step } from "../engine/types.ts";

export interface Content {
  readonly sections: readonly Section[];
}

/** Give the steps in order. */
export function stepsOf(content: Content): Step[] {
  return content.sections.flatMap((section) => section.steps);
}
