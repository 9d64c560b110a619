"""Hands that only have keys, at a phone or at a desk: they see where they are after every key."""

from __future__ import annotations

from playwright.sync_api import Page

# Why a person does not see what has the focus; nothing when they do. What takes the focus to be read out (headings, the
# page's content) has no frame; a box, a radio button and a file have theirs around the label.
UNSEEN = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return 'nothing has the focus';
  if (here.matches('h1, h2, main, #refusal')) return '';
  const framed = here.matches('[type=radio], [type=checkbox], [type=file]') ? (here.closest('label') ?? here) : here;
  const box = framed.getBoundingClientRect();
  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return 'out of sight';
  const isFramed = [framed, here].some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  if (!isFramed) return 'no frame';
  const [x, left] = [Math.max(0, box.left), Math.min(innerWidth, box.right)];
  const places = [0.1, 0.5, 0.9].map((part) => box.top + box.height * part).filter((y) => y >= 0 && y < innerHeight);
  const isCovered = places.every((y) => {
    const there = document.elementFromPoint((x + left) / 2, y);
    return !there || !(framed.contains(there) || there.contains(framed));
  });
  return isCovered ? 'covered' : '';
}"""
NOTHING = "nothing has the focus"
NAME = """(kind) => {
  const here = document.activeElement;
  if (!here.matches(kind)) return '';
  const label = here.labels?.[0]?.textContent ?? '';
  const named = document.getElementById(here.getAttribute('aria-labelledby'))?.textContent ?? '';
  return [here.getAttribute('aria-label') ?? '', label, named, here.textContent].join(' ');
}"""


class Keys:
    """A keyboard. With `looking`, each key must leave the focus where a person sees it."""

    def __init__(self, page: Page, *, looking: bool = False) -> None:
        self.page, self.looking = page, looking

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self._look(key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)
        self._look(text)

    def to(self, text: str, *, kind: str = "*", most: int = 90, back: bool = False) -> None:
        """Tab until what has the focus is of a kind and called so."""
        for _ in range(most):
            if text in self.page.evaluate(NAME, kind):
                return
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"no way by Tab to {text!r}; stopped at {self.here()!r}")

    def here(self, kind: str = "*") -> str:
        """Give what the focused element is called."""
        return " ".join(str(self.page.evaluate(NAME, kind)).split())

    def is_at(self, text: str = "", kind: str = "*") -> bool:
        """Tell whether the focus is there, or comes there soon: it is moved once the screen stands."""
        for _ in range(80):
            here = self.here(kind)
            if here and text in here:
                return True
            self.page.wait_for_timeout(25)
        return False

    def group(self) -> list[str]:
        """Give what the radio buttons are called among which the focus is."""
        script = """() => document.activeElement.type === 'radio'
          ? [...document.getElementsByName(document.activeElement.name)].map((one) => one.labels[0].textContent.trim())
          : []"""
        return [str(one) for one in self.page.evaluate(script)]

    def _look(self, key: str) -> None:
        if not self.looking:
            return
        unseen = ""
        for _ in range(40):  # what a key asks for may take a moment: a screen that is read from the store
            unseen = self.page.evaluate(UNSEEN)
            if not unseen or (
                key.endswith("Tab") and unseen == NOTHING
            ):  # behind the last link the page begins anew
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"after {key}: {unseen} ({self.here()!r}, {self.page.url})")
