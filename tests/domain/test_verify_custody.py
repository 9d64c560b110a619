"""Tampering with seizures and exhibits: whatever is changed, taken or added, `verify_evidence` names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.utils import timezone

from apps.audit.actions import sign_head
from apps.audit.models import Event
from apps.common.records import new_id
from apps.custody import actions
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Seal, StoreCount
from apps.seizures.models import Decision, ReportVersion, SeizureReport
from tests.cast import Cast
from tests.evidence import on_disk
from tests.holding import Holding
from tests.tampering import CUSTODY, other, rewrite, undone, verify, watched

Row = models.Model


@pytest.fixture
def chain(holding: Holding, cast: Cast, settings: Any, tmp_path: Any) -> Exhibit:
    """An exhibit that went through a hand-over with a difference and a decision, a laboratory result, and a count."""
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path / "evidence")}
    report = holding.seizing.verified(holding.seizing.submitted(), "unit_verified")
    exhibit = holding.stored(holding.sealed(holding.recorded(report)))
    holding.through_a_difference(exhibit)
    actions.count_store(
        actor=cast.custodian.actor(), unit_id=exhibit.unit_id, found=["x"], fields={"witness": "Hai"}
    )
    holding.seizing.submitted(place="Kho không có tang vật")
    other = holding.sealed(holding.recorded(holding.seizing.submitted(place="Kho khác")), "NP-000777")
    holding.offer(other)
    sign_head()
    return Exhibit.objects.get(pk=exhibit.pk)


def found(*arguments: str) -> set[tuple[str, str]]:
    return {(f["code"], f["place"].split()[0]) for f in verify(*arguments)[1]}


def test_a_sound_chain_is_sound(chain: Exhibit) -> None:
    assert verify() == (0, [])
    assert verify("--report", str(chain.report.number)) == (0, [])
    assert verify("--report", str(chain.report_id)) == (0, [])


# Columns that repeat nothing and prove nothing.
IGNORED = {"updated_at", "created_at"}
# Columns that the database lets nobody change by themselves.
TOGETHER: dict[Any, set[str]] = {Exhibit: {"outside"}, HandOver: {"kind"}}


@pytest.mark.parametrize("model", CUSTODY)
def test_every_column_is_watched(chain: Exhibit, model: Any) -> None:
    row = model.objects.order_by("pk")[0]
    if model is CustodyEvent:
        row = CustodyEvent.objects.filter(exhibit=chain).latest("seq")  # its number is free elsewhere
    assert watched(row, IGNORED) == (set(), TOGETHER.get(model, set()))


def test_columns_that_the_database_holds_together_are_watched(chain: Exhibit) -> None:
    with undone():
        rewrite(Exhibit.objects.get(pk=chain.pk), holder=None, posting=None, outside="PC04: Ai đó")
        assert ("record-differs", "exhibit") in found()
    with undone():
        offer = HandOver.objects.order_by("pk")[0]
        rewrite(offer, kind="police", receiver=None, receiver_office="PC04")
        assert ("record-differs", "hand_over") in found()


def test_a_seal_that_no_step_put_on_is_named(chain: Exhibit) -> None:
    """Beside its own step, or under one of another exhibit: either would use up a number."""
    mine, theirs = Seal.objects.get(number="NP-000123"), Seal.objects.get(number="NP-000777")
    for event in (mine.event_id, theirs.event_id):
        with undone():
            Seal.objects.create(
                exhibit=chain, event_id=event, issuer="NBA", year=2026, number="X1", spelling="X1", type=""
            )
            assert found() == {("custody-differs", "exhibit")}


@pytest.mark.parametrize(
    "field", ["fields", "lines", "persons", "number", "stage", "version", "rev", "field_revs"]
)
def test_a_changed_report_is_named(chain: Exhibit, field: str) -> None:
    with undone():
        report = SeizureReport.objects.get(pk=chain.report_id)
        value = "closed" if field == "stage" else other(report, SeizureReport._meta.get_field(field))  # type: ignore[arg-type]
        rewrite(report, **{field: value})
        assert ("record-differs", "seizure") in found()


@pytest.mark.parametrize("field", ["body", "stage", "author_id"])
def test_a_changed_version_is_named(chain: Exhibit, field: str) -> None:
    with undone():
        version = ReportVersion.objects.get(report=chain.report_id, version=1)
        told = ReportVersion._meta.get_field(field.removesuffix("_id"))
        rewrite(version, **{field: other(version, told)})  # type: ignore[arg-type]
        assert found() == {("version-differs", "seizure")}


def _no_step(chain: Exhibit) -> None:
    CustodyEvent.objects.filter(exhibit=chain, seq=2).update(exhibit=_stray(chain))


def _stray(chain: Exhibit) -> UUID:
    """Give another exhibit to hang things on, past every action."""
    row = Exhibit.objects.get(pk=chain.pk)
    row.pk, row.number = new_id(), 77
    row.save(force_insert=True)
    return UUID(str(row.pk))


def _swapped(chain: Exhibit) -> None:
    one, two = CustodyEvent.objects.filter(exhibit=chain)[1:3]
    body, said = one.body, one.hash
    rewrite(one, body=two.body, hash=two.hash)
    rewrite(two, body=body, hash=said)


def _added(chain: Exhibit) -> None:
    last = CustodyEvent.objects.filter(exhibit=chain).latest("seq")
    last.pk, last.seq = new_id(), last.seq + 1
    last.save(force_insert=True)


def _no_seal(chain: Exhibit) -> None:
    Seal.objects.filter(number="NP-000123")._raw_delete("default")


def _no_count(chain: Exhibit) -> None:
    StoreCount.objects.all()._raw_delete("default")


def _no_version(chain: Exhibit) -> None:
    ReportVersion.objects.filter(version=1).delete()


def _decision(chain: Exhibit) -> None:
    Decision.objects.create(
        report_id=chain.report_id, verb="accept", from_stage="x", to_stage="y", version=1, at=timezone.now()
    )


@pytest.mark.parametrize(
    ("harm", "code", "kind"),
    [
        (_no_step, "custody-missing", "exhibit"),
        (_swapped, "custody-differs", "exhibit"),
        (_added, "event-missing", "exhibit"),
        (_no_seal, "custody-missing", "exhibit"),
        (_no_count, "record-missing", "store_count"),
        (_no_version, "version-missing", "seizure"),
        (_decision, "record-differs", "seizure"),
    ],
)
def test_what_is_taken_added_or_swapped_is_named(
    chain: Exhibit, harm: Callable[[Exhibit], None], code: str, kind: str
) -> None:
    with undone():
        harm(chain)
        assert (code, kind) in found()


def test_an_event_that_is_taken_from_the_ledger_is_missed(chain: Exhibit) -> None:
    with undone():
        gone = Event.objects.get(action="custody.sealed", oid=chain.pk)
        Event.objects.filter(pk=gone.pk)._raw_delete("default")
        assert ("event-missing", "exhibit") in found()
