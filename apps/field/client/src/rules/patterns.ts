/**
 * The small pattern language of text steps: literals, `\d`, escaped punctuation and ASCII classes, each with an optional
 * `?`, `{n}` or `{m,n}`. The same subset as apps/checklists/rules/patterns.py, so that no text can make matching slow.
 */

const MAX_PATTERN = 200;
const MAX_REPEAT = 64;
const MAX_WAYS = 10_000;
const IN_CLASS = String.raw`(?:[A-Za-z0-9 _/:.,<]|[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]|\\d)`;
const ATOM = String.raw`(?:[A-Za-z0-9 _/:,<@#-]|\\d|\\[.()\[\]{}+*?^$|\\/-]|\[${IN_CLASS}+\])`;
const ITEM = new RegExp(String.raw`${ATOM}(\?|\{([0-9]{1,2})(?:,([0-9]{1,2}))?\})?`, "y");

/** Compile a pattern that must fit the whole text; null when it is outside the subset or too complex. */
export function compilePattern(pattern: string): RegExp | null {
  if (pattern.length === 0 || pattern.length > MAX_PATTERN) return null;
  let ways = 1;
  ITEM.lastIndex = 0;
  while (ITEM.lastIndex < pattern.length) {
    const item = ITEM.exec(pattern);
    if (item === null) return null;
    const [low, high] = repeat(item);
    if (low > high || high > MAX_REPEAT) return null;
    ways *= high - low + 1;
    if (ways > MAX_WAYS) return null;
  }
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return null; // a class with its ends crossed: [z-a]
  }
}

function repeat([, times, low, high]: RegExpExecArray): [number, number] {
  if (times === undefined) return [1, 1];
  return times === "?" ? [0, 1] : [Number(low), Number(high ?? low)];
}
