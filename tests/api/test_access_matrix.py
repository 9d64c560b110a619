"""Every person at every address: the hand-written `tests/access/matrix.csv` against what the product answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from apps.accounts.models import Officer
from apps.inspections.models import InspectionReport
from tests.access.matrix import METHODS, Case, Line, Matrix, load, speaking
from tests.access.records import Records
from tests.access.requests import Answer, Person, is_for_phones, kind_of, send, send_as_nobody
from tests.cast import Cast

MATRIX: Matrix = load()
Mismatch = str


@dataclass(frozen=True)
class Route:
    """One place of the resolver: its name (an address of the file when it has none) and its parameters."""

    name: str
    pattern: str
    parameters: tuple[str, ...]


@cache
def routes() -> dict[str, Route]:
    """Give the routes the file can speak of, by name, or by address for those without a name."""
    found = {r.name: r for r in _walk(get_resolver().url_patterns) if r.name}
    return found | {a: Route(a, resolve(a).route, ()) for a in MATRIX.addresses()}


@cache
def cases(surface: str = "") -> dict[Case, tuple[Line, ...]]:
    """Give every request that the file speaks of (of one surface), with the lines about it."""
    wanted = [name for name in routes() if not surface or is_for_phones(name) == (surface == "phone")]
    return {case: MATRIX.about(case) for case in MATRIX.cases(wanted)}


def _walk(
    patterns: Sequence[Any], before: str = "", space: str = "", named: tuple[str, ...] = ()
) -> Iterator[Route]:
    for part in patterns:
        pattern = before + str(part.pattern).removeprefix("^" if before else "")  # as Django joins them
        names = (*named, *part.pattern.regex.groupindex)
        if isinstance(part, URLResolver):
            inside = f"{space}{part.namespace}:" if part.namespace else space
            yield from _walk(part.url_patterns, pattern, inside, names)
        else:
            assert isinstance(part, URLPattern)
            yield Route(f"{space}{part.name}" if part.name else "", pattern, names)


def test_the_file_speaks_of_every_route_and_method() -> None:
    silent = [
        f"{method} {name}"
        for name in routes()
        for method in METHODS
        if not any((case.route, case.method) == (name, method) for case in cases())
    ]
    assert not silent, "add lines to tests/access/matrix.csv:\n" + "\n".join(silent)


def test_the_file_speaks_of_every_route_without_a_name() -> None:
    spoken = {resolve(address).route for address in MATRIX.addresses()}
    silent = [r.pattern for r in _walk(get_resolver().url_patterns) if not r.name and r.pattern not in spoken]
    assert not [pattern for pattern in silent if not _is_shadowed(pattern)]


def _is_shadowed(pattern: str) -> bool:
    """Tell whether another pattern, which stands before it, takes the one address of this pattern."""
    return not re.search(r"[$(<*]", pattern) and resolve(f"/{pattern}").route != pattern


def test_no_line_speaks_of_a_route_that_is_not_there() -> None:
    known = routes()
    for line in MATRIX.lines:
        for pattern in line.routes:
            alone = Line(line.number, line.actors, (pattern,), line.cells, line.statuses, line.see)
            assert any(map(alone.names_route, known)), f"line {line.number}: no route {pattern}"


def test_one_line_speaks_for_each_person_and_request() -> None:
    faults = [
        f"{actor}: {case}: lines {[line.number for line in lines] or 'none'}"
        for case, about in cases().items()
        for actor in MATRIX.actors
        if len(lines := speaking(about, actor)) != 1
    ]
    assert not faults, "\n".join(faults)


def test_the_actors_are_the_cast() -> None:
    everybody = {"anonymous", *(n for n in vars(Cast) if not n.startswith("_") and n != "everyone")}
    assert set(MATRIX.actors) == everybody


@pytest.mark.parametrize("surface", ["phone", "console"])
@pytest.mark.parametrize("actor", MATRIX.actors)
def test_each_person_gets_what_the_file_says(actor: str, surface: str, records: Records) -> None:
    person = Person.of(records.cast, actor)
    hidden = _hidden_words(records.cast, actor)
    faults = [
        f"line {line.number}: {case}: {fault}"
        for case, about in cases(surface).items()
        for line in speaking(about, actor)
        for fault in _faults(person, case, line, records, hidden)
    ]
    assert not faults, f"{len(faults)} answers to {actor} are not as written:\n" + "\n".join(faults)


def _hidden_words(cast: Cast, actor: str) -> list[bytes]:
    own = None if actor == "anonymous" else getattr(cast, actor).officer.pk
    names = Officer.objects.exclude(pk=own).values_list("full_name", flat=True)
    numbers = InspectionReport.objects.exclude(number=None).values_list("number", flat=True)
    return [word.encode() for word in (*names, *numbers) if word]


def _faults(
    person: Person, case: Case, line: Line, records: Records, hidden: list[bytes]
) -> Iterator[Mismatch]:
    parameters = list(routes()[case.route].parameters)
    before = records.find(kind_of(case), case.record)
    answer = send(person, case, records, parameters)
    if answer.status not in line.statuses:
        yield f"{answer.status} instead of {'/'.join(map(str, line.statuses))} {answer.body[:120]!r}"
        return
    for word in line.see:
        if word != "like-nobody" and not _is_so(word, case, answer, before, hidden):
            yield f"not so: {word} ({_state(answer.record)}) {answer.body[:200]!r}"
    if before is not None and (answer.status == 404 or "like-nobody" in line.see):
        unknown = send_as_nobody(person, case, records, parameters)
        if unknown.shape != answer.shape:
            yield f"unlike an unknown id: {answer.body[:300]!r} / {unknown.body[:300]!r}"


def _is_so(word: str, case: Case, answer: Answer, before: Any, hidden: list[bytes]) -> bool:
    if word.startswith("->"):
        return answer.headers.get("Location", "").startswith(word[2:])
    if word.startswith("state"):
        return _is_state(word, answer.record, before)
    return case.method == "HEAD" or _is_in_body(word, answer.body, before, hidden)


def _is_in_body(word: str, body: bytes, before: Any, hidden: list[bytes]) -> bool:
    match word:
        case "+id" | "-id":
            return (str(before.pk).encode() in body) == (word == "+id")
        case "+badge" | "-badge":
            return (before.officer.badge_no.encode() in body) == (word == "+badge")
        case "no-names":
            return not any(name in body for name in hidden)
        case "code-shown":
            return b"#c=" in body
    return _is_json(word, json.loads(body))


def _is_state(word: str, record: Any, before: Any) -> bool:
    name, _, wanted = word.partition("=")
    if wanted == "untouched":
        return bool(record is not None and model_to_dict(record) == model_to_dict(before))
    return (_state(record) == wanted) == (name == "state")


def _state(record: Any) -> str:
    told = (getattr(record, name, None) for name in ("state", "stage", "status"))
    return str(next(filter(None, told), ""))


def _is_json(word: str, body: dict[str, Any]) -> bool:
    name, _, wanted = word.partition("=")
    match name:
        case "keys":
            return set(body) == set(wanted.split("|"))
        case "verdict" | "verdict!":
            return (str(body["results"][0]["status"]) == wanted) == (name == "verdict")
        case "code":
            return bool(body["code"] == wanted)
        case "wipe":
            return bool(body["wipe"] is (wanted == "true"))
    raise AssertionError(f"the matrix has a word nobody knows: {word}")
