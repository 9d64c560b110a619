"""What people said of reports against their events: decisions, merges and their end, agreements, pairs held apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any
from uuid import UUID

from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.seizures.actions.deciding import CHANGES
from apps.seizures.actions.merging import CHANGES as MERGING
from apps.seizures.models import Agreement, Decision, DistinctPair, Merge, SeizureReport
from apps.seizures.queries import KIND

APART, AGREED = "seizure.held_apart", "seizure.agreed"
_VERBS = {change: verb for verb, change in (*CHANGES.items(), *MERGING.items())}
# How much of a text events told before they told all of it.
_TOLD = 500


@dataclass(frozen=True)
class _Merged:
    """The event of a merge, the stage before it, and the event that took it back."""

    event: Event
    before: str
    parted: Event | None = None


@dataclass
class Words:
    """What was loaded of some reports, by report."""

    decisions: dict[UUID, list[Decision]] = field(default_factory=dict)
    merges: dict[UUID, list[Merge]] = field(default_factory=dict)
    agreements: dict[UUID, list[Agreement]] = field(default_factory=dict)

    @classmethod
    def of(cls, reports: Collection[UUID]) -> Words:
        """Load what people said of these reports, in the order in which it was written."""
        found, ids = cls(), list(reports)
        for decision in Decision.objects.filter(report__in=ids).order_by("id"):
            found.decisions.setdefault(decision.report_id, []).append(decision)
        for merge in Merge.objects.filter(report__in=ids).select_related("survivor").order_by("id"):
            found.merges.setdefault(merge.report_id, []).append(merge)
        for agreement in Agreement.objects.filter(report__in=ids).order_by("id"):
            found.agreements.setdefault(agreement.report_id, []).append(agreement)
        return found


def check_words(place: str, row: SeizureReport, own: Sequence[Event], words: Words) -> Iterator[Finding]:
    """Compare decisions, merges and agreements of a report with its events."""
    decided = [(event, before) for event, before in _with_stage(own) if event.action in _VERBS]
    yield from _check_decisions(place, decided, words.decisions.get(row.pk, []))
    yield from _check_merges(place, row, decided, words.merges.get(row.pk, []))
    told = [_agreed(event) for event in own if event.action == AGREED]
    here = [
        (str(a.unit_id), a.role, a.officer_id, a.at.isoformat() if said[3] else "")
        for a, said in zip(words.agreements.get(row.pk, []), told, strict=False)
    ]
    if here != told or len(words.agreements.get(row.pk, [])) != len(told):
        yield Finding("record-differs", place, "agreement of a unit")


def _agreed(event: Event) -> tuple[Any, ...]:
    return (event.data["unit"], event.data["role"], event.actor_id, event.data.get("at", ""))


def _with_stage(own: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Give each event with the stage that the report had before it; empty where no event told of one yet."""
    stage = ""
    for event in own:
        yield event, stage
        stage = event.data.get("stage", stage)


def _check_decisions(
    place: str, decided: Sequence[tuple[Event, str]], rows: Sequence[Decision]
) -> Iterator[Finding]:
    for told, decision in zip_longest(decided, rows):
        if told is None or decision is None:
            yield Finding("record-differs", place, "decisions: one is " + ("gone" if told else "too many"))
            continue
        event, before = told
        wrong = [
            *_differing("verb", _VERBS[event.action], decision.verb),
            *_differing("officer", event.actor_id, decision.officer_id),
            *_differing("from", before or decision.from_stage, decision.from_stage),
            *_differing("to", event.data.get("stage", decision.to_stage), decision.to_stage),
            *_differing("version", event.data.get("version", decision.version), decision.version),
            *_text("note", event.data.get("note", ""), decision.note),
            *_time("time", event.data.get("at"), decision.at),
        ]
        if wrong:
            yield Finding("record-differs", place, f"decision {decision.verb}: {', '.join(wrong)}")


def _check_merges(
    place: str, row: SeizureReport, decided: Sequence[tuple[Event, str]], rows: Sequence[Merge]
) -> Iterator[Finding]:
    """Compare each merge with the event of it and, if it was taken back, with that event."""
    told: list[_Merged] = []
    for event, before in decided:
        if event.action in {MERGING["merge"], MERGING["join"]}:
            told.append(_Merged(event, before))
        elif event.action == MERGING["part"] and told:
            told[-1] = _Merged(told[-1].event, told[-1].before, event)
    for said, merge in zip_longest(told, rows):
        if said is None or merge is None:
            yield Finding("record-differs", place, "merges: one is " + ("gone" if said else "too many"))
            continue
        wrong = list(_merge_faults(said, merge))
        own = None if merge.counts_on else merge.survivor_id
        if merge.undone_at is None and own != row.merged_into_id:
            wrong.append("not the report's own")
        if wrong:
            yield Finding("record-differs", place, f"merge: {', '.join(wrong)}")


def _merge_faults(said: _Merged, merge: Merge) -> Iterator[str]:
    told: Mapping[str, Any] = said.event.data
    yield from _differing("survivor", told.get("survivor", str(merge.survivor_id)), str(merge.survivor_id))
    yield from _text("reason", told.get("note", ""), f"{merge.survivor.number}: {merge.reason}")
    yield from _differing("what was meant", said.event.action == MERGING["join"], merge.counts_on)
    yield from _differing("stage before", said.before or merge.stage_before, merge.stage_before)
    yield from _differing("officer", said.event.actor_id, merge.officer_id)
    yield from _time("time", told.get("at"), merge.at)
    parted = said.parted
    if parted is None:
        yield from _differing("undone", None, merge.undone_at)
        yield from _differing("undone by", None, merge.undone_by_id)
        yield from _differing("undone reason", "", merge.undone_reason)
        return
    yield from _differing("undone by", parted.actor_id, merge.undone_by_id)
    yield from _text("undone reason", parted.data.get("note", ""), merge.undone_reason)
    yield from ["undone"] if merge.undone_at is None else []
    yield from _time("undone at", parted.data.get("at"), merge.undone_at)


def check_pairs(report_id: UUID | None = None) -> Iterator[Finding]:
    """Compare the pairs that were held apart, all or those of one report: a false one would hide a duplicate."""
    told: dict[tuple[UUID, UUID], Event] = {}
    for event in Event.objects.filter(record_kind=KIND, action=APART).order_by("id"):
        one, other = sorted((UUID(str(event.oid)), UUID(event.data["other"])))
        told[one, other] = event
    rows = {(row.one_id, row.other_id): row for row in DistinctPair.objects.all()}
    for pair in sorted(told.keys() | rows.keys()):
        if report_id is not None and report_id not in pair:
            continue
        place = f"{KIND} {pair[0]} and {pair[1]}"
        said, row = told.get(pair), rows.get(pair)
        if row is None:
            yield Finding("record-missing", place, "held apart")
        elif said is None:
            yield Finding("event-missing", place, "held apart")
        else:
            wrong = [
                *_differing("officer", said.actor_id, row.officer_id),
                *_text("reason", said.data["reason"], row.reason),
                *_time("time", said.data.get("at"), row.at),
            ]
            if wrong:
                yield Finding("record-differs", place, f"held apart: {', '.join(wrong)}")


def _differing(name: str, told: object, here: object) -> list[str]:
    return [] if told == here else [name]


def _text(name: str, told: str, here: str) -> list[str]:
    return [] if is_told(told, here) else [name]


def is_told(told: str, here: str) -> bool:
    """Tell whether a text is what an event says; older events told the beginning alone."""
    return told == (here[:_TOLD] if len(told) == _TOLD else here)


def _time(name: str, told: str | None, here: dt.datetime | None) -> list[str]:
    """Compare a time, which older events did not tell."""
    return [] if told is None or here is None else _differing(name, told, here.isoformat())
