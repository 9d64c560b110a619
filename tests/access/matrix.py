"""Reads `matrix.csv`: groups, lines, and which line speaks for a person and a request.

What stands in the column `see`, separated by blanks:

- `+id`, `-id`: the answer's body holds the record's id, or does not; `+badge`, `-badge`: its officer's badge number
- `keys=a|b`: the answer is a JSON object of exactly these keys; `code=x`: a problem of this code
- `wipe=true`: a phone is told to wipe itself; `verdict=x`, `verdict!=x`: what became of the one pushed mutation
- `like-nobody`: the same answer, byte for byte, as for an id that no record has (also demanded of every 404)
- `->/path`: a redirect that begins so; `code-shown`: an enrolment code stands on the page
- `state=x`, `state!=x`: the record's state afterwards; `state=untouched`: no field of the record has changed
- `no-names`: no name of another person, no report's number
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).with_name("matrix.csv")
COLUMNS = ("actor", "route", "method", "body", "object", "handling", "state", "status", "see")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ANY = "*"
OTHERS = "others"


@dataclass(frozen=True)
class Case:
    """One request, whoever sends it."""

    route: str
    method: str
    body: str
    object: str
    handling: str
    state: str

    @property
    def record(self) -> tuple[str, str, str]:
        """Whose record, how closely held, how far come."""
        return self.object, self.handling, self.state

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.route, self.body, *self.record)))


@dataclass(frozen=True)
class Line:
    """One line of the file, with its groups written out."""

    number: int
    actors: tuple[str, ...]
    routes: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    statuses: tuple[int, ...]
    see: tuple[str, ...]

    @property
    def is_door(self) -> bool:
        """Whether the line speaks of whatever other lines say."""
        return any(ANY in cell for cell in self.cells)

    def names_route(self, route: str) -> bool:
        """Tell whether the line speaks of the route."""
        return any(fnmatchcase(route, pattern) for pattern in self.routes)

    def speaks_of(self, case: Case) -> bool:
        """Tell whether the line, which names the route, speaks of the request."""
        given = (case.method, case.body, case.object, case.handling, case.state)
        return all(ANY in cell or value in cell for cell, value in zip(self.cells, given, strict=True))


@dataclass(frozen=True)
class Matrix:
    """The file."""

    actors: tuple[str, ...]
    lines: tuple[Line, ...]
    _by_route: dict[str, tuple[Line, ...]] = field(default_factory=dict, compare=False, repr=False)

    def addresses(self) -> list[str]:
        """Give the addresses that stand for routes without a name."""
        return sorted({route for line in self.lines for route in line.routes if route.startswith("/")})

    def cases(self, routes: Iterable[str]) -> Iterator[Case]:
        """Give every request that the file speaks of, of the given routes, each once."""
        found: dict[Case, None] = {}
        for route in routes:
            for line in self._naming(route):
                if not line.is_door:
                    found.update({Case(route, *cells): None for cells in itertools.product(*line.cells)})
        return iter(found)

    def about(self, case: Case) -> tuple[Line, ...]:
        """Give the lines that speak of the request."""
        return tuple(line for line in self._naming(case.route) if line.speaks_of(case))

    def _naming(self, route: str) -> tuple[Line, ...]:
        if route not in self._by_route:
            self._by_route[route] = tuple(line for line in self.lines if line.names_route(route))
        return self._by_route[route]


def speaking(about: Iterable[Line], actor: str) -> list[Line]:
    """Give, of the lines about a request, those that say what this person gets; a sound file has exactly one."""
    named = [line for line in about if actor in line.actors]
    return named or [line for line in about if OTHERS in line.actors]


def load(file: Path = FILE) -> Matrix:
    """Read the file."""
    groups: dict[str, list[str]] = {}
    rows: list[tuple[int, str]] = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if text.startswith("@") and " = " in text:
            name, _, members = text.partition(" = ")
            groups[name] = _members(members, groups)
        elif text and not text.startswith("#"):
            rows.append((number, text))
    (_, header), *lines = rows
    assert tuple(header.split(",")) == COLUMNS, header
    return Matrix(tuple(groups["@actors"]), tuple(_line(n, text, groups) for n, text in lines))


def _members(text: str, groups: dict[str, list[str]]) -> list[str]:
    return [one for word in text.split() for one in groups.get(word, [word])]


def _line(number: int, text: str, groups: dict[str, list[str]]) -> Line:
    row = next(csv.reader([text]))
    assert len(row) == len(COLUMNS), f"line {number}: {len(row)} columns"
    actor, route, *cells = row[:7]
    see = " ".join(row[8].split())
    for name, members in groups.items():
        see = see.replace(f"={name}", "=" + " ".join(members))
    return Line(
        number,
        tuple(_members(actor, groups)),
        tuple(_members(route, groups)),
        tuple(tuple(_members(cell, groups)) or ("",) for cell in cells),
        tuple(int(status) for status in row[7].split("/")),
        tuple(see.split()),
    )
