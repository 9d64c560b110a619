"""Tampering with what hangs on seizures: merges, pairs held apart, agreements, incidents, derived rows, counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from apps.audit.actions import sign_head
from apps.audit.models import Event
from apps.common.records import new_id
from apps.inspections.models import NumberSeries
from apps.reference.models import ReferenceEntry
from apps.seizures import actions
from apps.seizures.models import (
    Agreement,
    Decision,
    DistinctPair,
    Incident,
    Merge,
    Participant,
    Participation,
    ReportNumber,
    SeizureLine,
    SeizureReport,
)
from tests.cast import Cast
from tests.evidence import on_disk
from tests.seizing import Seizing, flash
from tests.tampering import SAID, flips, is_taken, rewrite, swap, undone, verify

JOINT = [{"unit": "NBA", "role": "lead"}, {"unit": "CPN", "role": "co_lead"}]


@dataclass
class Told:
    """Reports of which much was said: one stands, one is merged into it, one was and is parted, one is held apart."""

    one: SeizureReport
    merged: SeizureReport
    parted: SeizureReport
    apart: SeizureReport


@pytest.fixture
def told(seizing: Seizing, cast: Cast, settings: Any, tmp_path: Any) -> Told:
    """Sound reports, with a draft beside them, under a signed head."""
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path / "evidence")}
    person = {"document_kind": "passport_no", "document_number": "C1234567", "status": "arrested"}
    mate = cast.team_mate.officer.badge_no
    found = [
        seizing.submitted(participations=JOINT, participants=[mate], persons={"1": person}, place=f"Kho {n}")
        for n in range(4)
    ]
    one, merged, parted, apart = found
    actions.agree_participation(actor=cast.region_leader.actor(), report_id=one.pk)
    by = cast.hq_reviewer.actor()
    long = "Cùng một lô hàng, hai đơn vị cùng báo cáo. " * 20
    for gone in (merged, parted):
        actions.merge_seizures(actor=by, report_id=gone.pk, survivor_id=one.pk, reason=long)
    actions.part_seizures(actor=by, report_id=parted.pk, reason="Hai lô khác nhau")
    actions.hold_apart(actor=by, report_id=apart.pk, other_id=one.pk, reason="Hai kiện")
    actions.join_incidents(actor=by, report_id=parted.pk, other_id=apart.pk, reason="Bắt giữ mở rộng")
    seizing.decide(apart, "return", cast.leader, "Bổ sung ảnh")
    seizing.send(actions.save_seizure, flash())
    sign_head()
    assert verify() == (0, [])
    assert verify("--report", str(one.number)) == (0, [])
    return Told(*(SeizureReport.objects.get(pk=report.pk) for report in found))


# Columns that say nothing of a seizure.
IGNORED = {"id", "created_at", "updated_at", "rev"}


@pytest.mark.parametrize("model", SAID)
def test_every_column_is_watched(told: Told, model: Any) -> None:
    refused, silent = set(), []
    rows = [row for row in model.objects.order_by("pk") if getattr(row, "report_id", None) != told.apart.pk]
    assert rows
    for row in rows if model in {Merge, Decision} else rows[:1]:
        for name, column, values in flips(row):
            if column not in IGNORED:
                with undone():
                    if is_taken(row, column, *values):
                        silent += [] if verify()[1] else [name]
                    else:
                        refused.add(name)
    assert (silent, refused - {"Participation.agency"}) == ([], set())


def test_a_unit_that_became_an_agency_is_watched(told: Told) -> None:
    """The database holds the two columns together."""
    with undone():
        rewrite(Participation.objects.get(report=told.one, position=1), unit=None, agency="PC04")
        assert "units that took part" in {f["detail"] for f in verify()[1]}


def _gone(row: models.Model) -> Callable[[], object]:
    return lambda: type(row)._base_manager.filter(pk=row.pk)._raw_delete("default")


def test_what_is_deleted_is_named(told: Told) -> None:
    one = str(told.one.number)
    deeds = {
        "a merge": (Merge.objects.get(report=told.merged), str(told.merged.number), "merges: one is gone"),
        "a merge that was taken back": (
            Merge.objects.get(report=told.parted, counts_on=False),
            str(told.parted.number),
            "merges: one is gone",
        ),
        "an incident that was joined": (
            Merge.objects.get(report=told.parted, counts_on=True),
            str(told.parted.number),
            "merges: one is gone",
        ),
        "a decision": (
            Decision.objects.get(report=told.apart),
            str(told.apart.number),
            "decisions: one is gone",
        ),
        "an agreement": (Agreement.objects.order_by("pk")[0], one, "agreement of a unit"),
        "a pair held apart": (DistinctPair.objects.get(), str(told.one.pk), "held apart"),
        "a unit that took part": (
            Participation.objects.get(report=told.one, position=1),
            one,
            "units that took part",
        ),
        "a person who works on it": (
            Participant.objects.get(report=told.one),
            one,
            "people who work on it",
        ),
        "a number": (
            ReportNumber.objects.get(report=told.one, kind="passport_no"),
            one,
            "numbers that are compared",
        ),
        "a counter": (NumberSeries.objects.get(series__startswith="SZ-"), "series SZ-", "counter at 0"),
    }
    for name, (row, place, detail) in deeds.items():
        with undone():
            _gone(row)()
            found = [(f["place"], f["detail"]) for f in verify()[1]]
            assert any(place in p and detail in d for p, d in found), f"{name}: {found}"


def test_what_is_added_is_named(told: Told, cast: Cast) -> None:
    now, by = timezone.now(), cast.hq_reviewer.officer
    fresh: dict[str, tuple[models.Model, str]] = {
        "a merge": (
            Merge(
                report=told.apart,
                survivor=told.one,
                stage_before="submitted",
                reason="x",
                officer=by,
                at=now,
                undone_at=now,
            ),
            "merges: one is too many",
        ),
        "a pair held apart, so that a duplicate stays unseen": (
            DistinctPair(one=told.merged, other=told.parted, reason="x", officer=by, at=now),
            "held apart",
        ),
        "an agreement": (
            Agreement(report=told.parted, unit=cast.express, role="co_lead", officer=by, at=now),
            "agreement of a unit",
        ),
        "a unit that took part": (
            Participation(report=told.one, position=7, agency="PC04", role="support"),
            "units that took part",
        ),
        "a person who works on it, and so sees it": (
            Participant(
                report=told.one, officer=cast.leader.officer, posting=cast.leader.officer.postings.get()
            ),
            "people who work on it",
        ),
        "a number": (
            ReportNumber(
                report=told.one,
                part="persons",
                mark="9",
                field="document_number",
                kind="passport_no",
                raw="x",
                normalised="X",
                valid="unknown",
            ),
            "numbers that are compared",
        ),
        "an incident": (Incident(id=new_id(), number="VV-2026-NBA-000077", unit=cast.noi_bai), "no report"),
        "a counter": (NumberSeries(series="SZ-2030-NBA", last=3), "counter at 3"),
    }
    for name, (row, detail) in fresh.items():
        with undone():
            row.save(force_insert=True)
            found = [f["detail"] for f in verify()[1]]
            assert any(detail in d for d in found), f"{name}: {found}"


def test_what_is_swapped_between_sound_reports_is_named(told: Told) -> None:
    here, there = (
        ReportNumber.objects.filter(report=r, kind="passport_no").get() for r in (told.one, told.apart)
    )
    with undone():
        rewrite(there, normalised="ANOTHER")
        assert verify()[1]
    incidents = Incident.objects.filter(pk__in=[told.one.incident_id, told.apart.incident_id])
    with undone():
        first, second = incidents
        rewrite(first, number=None)
        rewrite(second, number=first.number)
        rewrite(first, number=second.number)
        assert {f["place"].split()[0] for f in verify()[1]} >= {"incident"}
    with undone():
        told_first, told_second = Merge.objects.filter(counts_on=False).order_by("id")
        swap(told_first, told_second, "reason", "stage_before", "undone_by_id", "undone_reason")
        assert {f["code"] for f in verify()[1]} == {"record-differs"}
    assert here.report_id != there.report_id


def test_rows_that_a_migration_wrote_anew_by_what_the_report_says_are_sound(told: Told) -> None:
    with undone():
        entry = ReferenceEntry.objects.get(list__slug="substances", key="ketamine")
        rewrite(entry, data={**entry.data, "report_group": "other"})
        line = SeizureLine.objects.get(report=told.one)
        assert verify() == (0, []), "the list of today changes nothing that was counted"
        rewrite(line, report_group="other")
        assert verify() == (0, []), "what the report says today"
        rewrite(line, report_group="heroin")
        assert verify()[1]


def test_events_from_before_they_told_of_rows_leave_the_lines_to_the_report(told: Told) -> None:
    with undone():
        line = SeizureLine.objects.get(report=told.one)
        for event in Event.objects.filter(record_kind="seizure"):
            old = {k: v for k, v in event.data.items() if k not in {"rows", "incident", "survivor", "at"}}
            if isinstance(old.get("note"), str):
                old["note"] = old["note"][:500]
            Event.objects.filter(pk=event.pk).update(data=old)
        assert {f["code"] for f in verify()[1]} == {"event-columns"}, "nothing but what this test did"
        rewrite(line, mass_g=1)
        assert "lines that are counted" in {f["detail"] for f in verify()[1]}
