"""How a refusal of an action reads on a page: its title in the language, its faults, and the status it is sent with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.contrib import messages
from django.forms import BoundField
from django.http import Http404, HttpRequest

from apps.common.errors import Conflict, DomainError, Gone, Invalid, NotAllowed, NotFound, Unavailable
from apps.common.text import pick

_STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (Invalid, 422),
    (NotAllowed, 403),
    (Conflict, 409),
    (Gone, 410),
    (Unavailable, 503),
)


@dataclass(frozen=True)
class Fault:
    """One fault in the input, for people; `at` and `name` are the field of the page where it can be put right."""

    pointer: str
    words: str
    at: str = ""
    name: str = ""


@dataclass(frozen=True)
class Refusal:
    """A refused action as a page shows it."""

    title: str
    problems: tuple[Fault, ...]
    status: int
    is_conflict: bool
    detail: str = ""

    def pointing(self, fields: Iterable[BoundField]) -> Refusal:
        """Lead from each fault that a form of the page can put right to its field there."""
        known = {f"/fields/{bound.name}": (bound.auto_id, str(bound.label)) for bound in fields}
        found = [(problem, *known.get(problem.pointer, ("", ""))) for problem in self.problems]
        return replace(
            self, problems=tuple(replace(problem, at=at, name=name) for problem, at, name in found)
        )

    def naming(self, name: Callable[[str], str]) -> Refusal:
        """Call the places of the faults as people do, where the pointer means nothing to them."""
        named = (replace(problem, name=name(problem.pointer)) for problem in self.problems)
        return replace(self, problems=tuple(named))

    @property
    def points(self) -> bool:
        """Whether a form of the page can put a fault right."""
        return any(problem.at for problem in self.problems)


def refusal_of(error: DomainError) -> Refusal:
    """Put a refusal into words. What a person may not know of becomes the page of nothing."""
    if isinstance(error, NotFound):
        raise Http404 from error
    return Refusal(
        title=pick(*type(error).titles()),
        problems=tuple(Fault(p.pointer, pick(p.vi, p.en) or p.code) for p in error.errors),
        status=next((status for kind, status in _STATUS if isinstance(error, kind)), 400),
        is_conflict=isinstance(error, Conflict),
    )


@contextmanager
def told(request: HttpRequest, done: str) -> Iterator[None]:
    """Run an action of a simple button: tell the person on the next page that it is done, or why it was refused."""
    try:
        yield
    except DomainError as error:
        refusal = refusal_of(error)
        faults = " ".join(fault.words for fault in refusal.problems)
        messages.error(request, f"{refusal.title} {faults}".strip())
    else:
        messages.success(request, done)
