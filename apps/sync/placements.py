"""What should stand in the streams, told by each domain app: the one registry that `sync_audit` compares with.

A new kind of record on phones gets a `Source` here, next to its operation. The bodies are made by the same functions
that the actions use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
from django.db.models import F, QuerySet

from apps.accounts.actions.people import POSTING, posting_body
from apps.accounts.actions.server_keys import key_body, key_rev
from apps.accounts.models import Posting
from apps.audit.actions.keys import KIND as SERVER_KEY
from apps.audit.models import KeyStatement
from apps.changes.rules import REF, post_stream
from apps.checklists.models import ON_PHONES, ChecklistVersion
from apps.checklists.queries import KIND as CHECKLIST
from apps.checklists.queries import body as checklist_body
from apps.custody.models import Exhibit, HandOver
from apps.custody.queries import HAND_OVER, hand_over_body, hand_over_streams
from apps.custody.queries import KIND as EXHIBIT
from apps.custody.queries import body as exhibit_body
from apps.custody.queries import streams_of as exhibit_streams
from apps.evidence.models import Attachment, Receipt
from apps.evidence.queries import KIND as ATTACHMENT
from apps.evidence.queries import RECEIPT, receipt_body, receipt_streams
from apps.evidence.queries import body as attachment_body
from apps.inspections.models import InspectionReport
from apps.inspections.queries import KIND as INSPECTION
from apps.inspections.queries import body as inspection_body
from apps.reference.models import ReferenceEntry
from apps.reference.queries import KIND as ENTRY
from apps.reference.queries import body as entry_body
from apps.reference.rules import list_stream
from apps.seizures.models import SeizureReport
from apps.seizures.queries import KIND as SEIZURE
from apps.seizures.queries import body as seizure_body
from apps.seizures.queries import streams_of


@dataclass(frozen=True, slots=True)
class Placed:
    """In which streams a record should stand, at which revision, as which JSON; no revision: at any."""

    oid: UUID
    streams: tuple[str, ...]
    rev: int | None
    body: str

    def agrees(self, rev: int, body: str) -> bool:
        """Tell whether an entry says the same, however its moments are spelt."""
        return self.rev in {rev, None} and (
            self.body == body or _same(orjson.loads(self.body), orjson.loads(body))
        )


@dataclass(frozen=True)
class Source:
    """The records of one kind; `place` is given what `rows` gives."""

    rows: Callable[[], QuerySet[Any]]
    place: Callable[[Any], Placed]

    def batches(self, size: int) -> Iterator[tuple[UUID | None, UUID | None]]:
        """Give the borders of batches of the table by id, each (after, up to); the last is open."""
        borders: list[UUID | None] = [None]
        while (border := self._next_border(borders[-1], size)) is not None:
            borders.append(border)
        yield from pairwise([*borders, None])

    def between(self, after: UUID | None, to: UUID | None) -> dict[UUID, Placed]:
        """Give the placements of one batch."""
        rows = self.rows().order_by("pk")
        rows = rows.filter(pk__gt=after) if after else rows
        rows = rows.filter(pk__lte=to) if to else rows
        return {placed.oid: placed for placed in map(self.place, rows)}

    def locked(self, oid: UUID) -> Placed | None:
        """Lock one record and give its placement; None when there is none."""
        row = self.rows().select_for_update(of=("self",)).filter(pk=oid).first()
        return None if row is None else self.place(row)

    def known(self, oids: set[UUID]) -> set[UUID]:
        """Give those of the ids that records have."""
        return set(self.rows().order_by().filter(pk__in=oids).values_list("pk", flat=True))

    def _next_border(self, after: UUID | None, size: int) -> UUID | None:
        pks = self.rows().order_by("pk").values_list("pk", flat=True)
        pks = pks.filter(pk__gt=after) if after else pks
        return next(iter(pks[size - 1 : size]), None)


def _json(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body).decode()


def _checklist(version: ChecklistVersion) -> Placed:
    streams = (REF,) if version.status in ON_PHONES else ()
    return Placed(version.pk, streams, version.rev, _json(checklist_body(version)))


def _posting(posting: Posting) -> Placed:
    return Placed(posting.pk, (post_stream(posting.pk),), None, _json(posting_body(posting)))


def _inspection(report: InspectionReport) -> Placed:
    return Placed(report.pk, (post_stream(report.posting_id),), report.rev, _json(inspection_body(report)))


def _attachment(photo: Attachment) -> Placed:
    return Placed(photo.pk, (post_stream(photo.posting_id),), photo.rev, _json(attachment_body(photo)))


def _receipt(receipt: Receipt) -> Placed:
    return Placed(receipt.pk, tuple(receipt_streams(receipt)), 1, _json(receipt_body(receipt)))


def _entry(entry: ReferenceEntry) -> Placed:
    body = entry_body(
        entry.key,
        (entry.label_vi, entry.label_en),
        orjson.dumps(entry.data, option=orjson.OPT_SORT_KEYS).decode(),
        valid=entry.valid,
    )
    streams = (list_stream(entry.list.slug),) if entry.is_listed else ()
    return Placed(entry.pk, streams, entry.rev, body)


def _seizure(report: SeizureReport) -> Placed:
    return Placed(report.pk, tuple(streams_of(report)), report.rev, _json(seizure_body(report)))


def _exhibit(exhibit: Exhibit) -> Placed:
    streams = tuple(exhibit_streams(exhibit))
    return Placed(exhibit.pk, streams, exhibit.rev, _json(exhibit_body(exhibit)))


def _hand_over(offer: HandOver) -> Placed:
    return Placed(offer.pk, tuple(hand_over_streams(offer)), offer.rev, _json(hand_over_body(offer)))


def _server_key(announcement: KeyStatement) -> Placed:
    body = key_body(announcement)
    return Placed(announcement.pk, (REF,), key_rev(body), _json(body))


SOURCES: Mapping[str, Source] = {
    CHECKLIST: Source(lambda: ChecklistVersion.objects.select_related("checklist"), _checklist),
    POSTING: Source(lambda: Posting.objects.select_related("officer", "unit"), _posting),
    SEIZURE: Source(SeizureReport.objects.all, _seizure),
    EXHIBIT: Source(lambda: Exhibit.objects.select_related("report", "offer"), _exhibit),
    HAND_OVER: Source(HandOver.objects.all, _hand_over),
    INSPECTION: Source(InspectionReport.objects.all, _inspection),
    ATTACHMENT: Source(Attachment.objects.all, _attachment),
    RECEIPT: Source(Receipt.objects.all, _receipt),
    # The first key announced itself: phones have pinned it.
    SERVER_KEY: Source(
        lambda: KeyStatement.objects.filter(kind=KeyStatement.Kind.ADDED).exclude(signed_by=F("key_id")),
        _server_key,
    ),
    ENTRY: Source(lambda: ReferenceEntry.objects.select_related("list"), _entry),
}


def _same(one: Any, other: Any) -> bool:
    """Compare JSON; the same moment in two spellings is the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if one == other:
        return True
    return isinstance(one, str) and isinstance(other, str) and _moment(one) == _moment(other) is not None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
