"""Tampering in tests: rows rewritten as only a database's owner can, and what `verify_evidence` finds then."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from apps.accounts.models import Device
from apps.audit.models import Event, Head, KeyStatement, Leaf, Pending, Stamp, Tile
from apps.common.insert_only import InsertOnly, releasing
from apps.common.records import new_id
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Seal, StoreCount
from apps.evidence.models import Attachment, Capture, Piece, Receipt, Upload
from apps.inspections.models import (
    InspectionReport,
    NumberSeries,
    ReportVersion,
    ReviewNote,
    SingleUseValue,
)
from apps.seizures import models as seizures

Row = models.Model
Kind = type[models.Model]

# Whose every column is changed by a test, and where that test stands; `test_evidence_watched` holds the lists to the
# models that there are.
LEDGER: tuple[Kind, ...] = (Event, Leaf, Tile, Head, KeyStatement)  # test_verify_evidence
RECORDS: tuple[Kind, ...] = (  # test_verify_evidence
    *(InspectionReport, ReportVersion, ReviewNote, Attachment, Capture, Receipt, Device),
    *(seizures.SeizureReport, seizures.ReportVersion, seizures.SeizureLine),
)
SAID: tuple[Kind, ...] = (  # test_verify_seizures
    *(seizures.Merge, seizures.Decision, seizures.Agreement, seizures.DistinctPair, seizures.Participation),
    *(seizures.Participant, seizures.ReportNumber, seizures.SeizureLine, seizures.Incident, NumberSeries),
)
CUSTODY: tuple[Kind, ...] = (Exhibit, CustodyEvent, Seal, HandOver, StoreCount)  # test_verify_custody
STAMPS: tuple[Kind, ...] = (Stamp,)  # test_timestamps
NOT_EVIDENCE: Mapping[Kind, str] = {
    Pending: "the queue of events that have no number yet; it is empty a second later",
    Upload: "bytes on their way; what has arrived stands in the attachment",
    Piece: "bytes on their way; what has arrived stands in the attachment",
    SingleUseValue: "numbers of submissions once more, for a search; made anew from them by a task",
}


def verify(*arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Run the command; gives its exit status and what it found."""
    out = StringIO()
    try:
        call_command("verify_evidence", "--json", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as end:
        status = int(end.code or 0)
    else:
        status = 0
    found: list[dict[str, str]] = json.loads(out.getvalue())["findings"] if out.getvalue() else []
    assert status == (1 if found else status)
    return status, found


def codes(*arguments: str) -> set[str]:
    return {finding["code"] for finding in verify(*arguments)[1]}


@contextmanager
def undone() -> Iterator[None]:
    """Undo what is done inside, and let the insert-only tables be rewritten there."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for model in InsertOnly.__subclasses__():
                for statement in releasing(model._meta.db_table, connection.vendor):
                    cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def rewrite(row: Row, **fields: Any) -> None:
    """Change a row as its owner can, past every action."""
    type(row)._base_manager.filter(pk=row.pk).update(**fields)


def is_taken(row: Row, column: str, *values: Any) -> bool:
    """Change one column to the first value that is taken; False when constraints do not let even its owner."""
    for value in values:
        with suppress(IntegrityError), transaction.atomic():
            rewrite(row, **{column: value})
            return True
    return False


def other(row: Row, field: models.Field[Any, Any]) -> Any:  # noqa: PLR0911  a flat table
    """Give a value that the field could hold and does not."""
    value = getattr(row, field.attname)
    if isinstance(field, models.ForeignKey):
        model: Any = field.related_model
        return model._base_manager.exclude(pk=value).values_list("pk", flat=True).first()
    if isinstance(field, models.UUIDField):
        return new_id()
    if isinstance(field, models.DateTimeField):
        return (value or datetime.fromisoformat("2026-11-01T00:00:00+00:00")) + timedelta(seconds=1)
    if isinstance(field, models.DateField):
        return (value or date(2026, 11, 1)) + timedelta(days=1)
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.JSONField):
        return [*value, "x"] if isinstance(value, list) else {**value, "x": 1}
    if isinstance(field, models.BinaryField):
        raw = bytearray(bytes(value) or b"\\0")
        raw[len(raw) // 2] ^= 1
        return bytes(raw)
    if isinstance(field, models.DecimalField):
        return (value or 0) + 1
    if isinstance(field, models.IntegerField):
        return (value or 0) + (1000 if field.primary_key else 1)
    choices = [choice for choice, _ in field.flatchoices if choice not in {value, "local_draft"}]
    return choices[0] if choices else f"{value}x"[-(field.max_length or 9) :] if value != "x" else "y"


# Columns whose change is no tampering with evidence, or that cannot change by themselves.
IGNORED = {
    (Attachment, "updated_at"),
    (InspectionReport, "updated_at"),
    (InspectionReport, "is_draft"),  # the database holds it to the state
    (Device, "name"),
    (Device, "app_version"),
    (Device, "os_version"),
    (Device, "state"),  # counts by its events
    (Device, "last_seen_at"),
    (Device, "clock_skew_ms"),
    (KeyStatement, "id"),
    (Tile, "id"),
    (Head, "id"),
    (ReportVersion, "id"),
    (ReviewNote, "id"),
    (seizures.SeizureReport, "updated_at"),
    (seizures.SeizureReport, "is_draft"),  # the database holds it to the stage
    (seizures.ReportVersion, "id"),
    (seizures.SeizureLine, "id"),
}


def flips(row: Row) -> Iterator[tuple[str, str, list[Any]]]:
    """Give each column of a row with other values for it."""
    for field in row._meta.concrete_fields:
        if (type(row), field.name) not in IGNORED and not (field.primary_key and type(row) in HELD):
            yield f"{type(row).__name__}.{field.name}", field.attname, list(others(row, field))


def watched(row: Row, ignored: Collection[str] = ()) -> tuple[set[str], set[str]]:
    """Change each column of a row; gives those whose change nothing finds, and those that could not be changed."""
    silent, untried = set(), set()
    for field in row._meta.concrete_fields:
        if field.attname in ignored or field.primary_key or (type(row), field.name) in IGNORED:
            continue
        with undone():
            if not is_taken(row, field.attname, *others(row, field)):
                untried.add(field.attname)
            elif not verify()[1]:
                silent.add(field.attname)
    return silent, untried


def others(row: Row, field: models.Field[Any, Any]) -> Iterator[Any]:
    """Give values that the field could hold and does not; constraints may refuse some of them."""
    value = getattr(row, field.attname)
    if isinstance(field, models.ForeignKey):
        model: Any = field.related_model
        yield from model._base_manager.exclude(pk=value).order_by("pk").values_list("pk", flat=True)[:9]
        yield new_id() if isinstance(model._meta.pk, models.UUIDField) else 10**6  # looked for at the commit
    elif field.flatchoices:
        yield from (choice for choice, _ in field.flatchoices if choice != value)
    else:
        yield other(row, field)
        yield from [(value or 0) + 1000] if isinstance(field, models.IntegerField) else []


# Rows that others point at by foreign key: their id cannot change.
HELD = (Attachment, InspectionReport, seizures.SeizureReport, Device)


def swap(one: Row, two: Row, *columns: str) -> None:
    """Give each of two rows these columns of the other."""
    for row, source in ((one, two), (two, one)):
        rewrite(row, **{column: getattr(source, column) for column in columns})
