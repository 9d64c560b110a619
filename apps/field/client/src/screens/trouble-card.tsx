/** Something the officer must decide, in short: what, why in plain words, and the way to decide it. */

import type { Trouble } from "../engine/types.ts";
import { named, words } from "../i18n/index.ts";
import { Icon } from "../ui/icons.tsx";
import { href } from "../ui/router.ts";

/** Why the server did not take it, in a sentence. */
export function reason(trouble: Trouble): string {
  const w = words().trouble;
  return Object.hasOwn(w.codes, trouble.code) ? named(w.codes, trouble.code) : w.other(trouble.code);
}

export function TroubleCard({ trouble }: { trouble: Trouble }) {
  const w = words().trouble;
  return (
    <a class="item bad" href={href({ screen: "decide", id: trouble.id })}>
      <span class="words">
        <span class="title">{trouble.kind === "conflict" ? w.conflict_title : w.refused_title}</span>
        <span>{reason(trouble)}</span>
        <span class="soft small">{named(w.what, trouble.record === "exhibit" || trouble.record === "hand_over" ? trouble.record : trouble.what)}</span>
      </span>
      <Icon name="next" />
    </a>
  );
}
