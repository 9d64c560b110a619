"""Work on reports in tests, through the product's own actions, and `Pocket`: a phone's memory without the HTTP.

Tests that need the wire itself use `tests/phone.py`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection
from django.db.models import Max

from apps.audit.models import Event
from apps.changes.models import Change, Entry, Stream
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.checklists import actions as checklists
from apps.checklists.models import ChecklistVersion
from apps.common.actor import SYSTEM, Actor
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections import actions
from apps.inspections.actions import Edited
from apps.inspections.models import InspectionReport
from apps.sync.pull import pull
from apps.sync.rules import decode_cursor
from tests.cast import Cast, Member
from tests.reports import plain_content, plain_report
from tests.seed import publish

Key = tuple[str, str, str]


class Work:
    """One published checklist of plain steps, and what people do with it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.version = publish(cast, "plain", "express", plain_content())

    def fields(self, **changed: Any) -> dict[str, Any]:
        """Give all fields of a sound report."""
        return {**plain_report(self.version), **changed}

    def save(
        self,
        fields: Mapping[str, Any] | None = None,
        *,
        report: UUID | None = None,
        base_rev: int | None = None,
        by: Member | None = None,
    ) -> Edited:
        """Save a draft (all fields unless said) or a patch, as the officer unless said."""
        return actions.save_inspection(
            actor=(by or self.cast.officer).actor(),
            report_id=report or new_id(),
            base_rev=base_rev,
            fields=self.fields() if fields is None else fields,
        )

    def submit(
        self,
        fields: Mapping[str, Any] | None = None,
        *,
        report: UUID | None = None,
        base_rev: int | None = None,
        by: Member | None = None,
    ) -> Edited:
        """Submit a report (all fields unless said), as the officer unless said."""
        return actions.submit_inspection(
            actor=(by or self.cast.officer).actor(),
            report_id=report or new_id(),
            base_rev=base_rev,
            fields=self.fields() if fields is None else fields,
        )

    def in_state(self, state: str, *, by: Member | None = None) -> InspectionReport:
        """Give a report that has come to a state; `received` and `locked` are set by hand (no action leads there)."""
        if state == "local_draft":
            return self.save(by=by).report
        photos = {"step_3": [str(new_id())]} if state == "media_pending" else {}
        report = self.submit(self.fields(photos=photos), by=by).report
        to: dict[str, Any] = {"actor": self.cast.leader.actor(), "report_id": report.pk}
        moves: dict[str, Callable[[], InspectionReport]] = {
            "under_review": lambda: actions.start_review(**to),
            "returned": lambda: actions.return_for_correction(**to, notes=[], note="Bổ sung"),
            "approved": lambda: actions.approve_inspection(**to),
            "voided": lambda: actions.void_inspection(**to, reason="Nhập trùng"),
        }
        if state in moves:
            return moves[state]()
        InspectionReport.objects.filter(pk=report.pk).update(state=state)
        report.refresh_from_db()
        return report

    def photo(
        self, report: UUID, *, photo: UUID | None = None, state: str = "stored", by: Member | None = None
    ) -> Attachment:
        """Give a photo of a report whose bytes have come (unless said), straight in the table."""
        member = by or self.cast.officer
        attachment: Attachment = Attachment.objects.create(
            id=photo or new_id(),
            unit=member.posting.unit,
            posting=member.posting,
            officer=member.officer,
            owner_kind="inspection",
            owner_id=report,
            sha256="a" * 64,
            size=10,
            mime="image/jpeg",
            state=state,
            original="originals/a" if state == "stored" else "",
        )
        return attachment

    def next_version(self, semver: str) -> ChecklistVersion:
        """Publish a further version of the checklist; the one before moves to closing."""
        trainer, approver = self.cast.trainer.actor(), self.cast.approver.actor()
        first = ChecklistVersion.objects.get(pk=self.version)
        version = checklists.create_version(
            actor=trainer, checklist=first.checklist, semver=semver, content=plain_content()
        )
        checklists.submit_for_review(actor=trainer, version_id=version.pk)
        checklists.approve_version(actor=approver, version_id=version.pk)
        return checklists.publish_version(actor=trainer, version_id=version.pk)

    def retire(self, status: str) -> None:
        """Bring the first version to closing, closed or withdrawn."""
        if status == "withdrawn":
            checklists.withdraw_version(
                actor=self.cast.trainer.actor(), version_id=UUID(self.version), reason="An toàn"
            )
            return
        self.next_version("1.1.0")
        if status == "closed":
            checklists.close_version(actor=SYSTEM, version_id=UUID(self.version))


@pytest.fixture
def work(cast: Cast) -> Work:
    """The plain checklist, published."""
    return Work(cast)


class Pocket:
    """What a phone remembers of its pulls: rows by stream, kind and id, under generations; strict about digests."""

    def __init__(self) -> None:
        self.rows: dict[Key, tuple[int, Any]] = {}
        self.cursor: str | None = None
        self.pages = 0
        self._old: set[Key] = set()

    def pull(
        self, actor: Actor, *, rows: int = 2000, max_bytes: int = 1_000_000, reset: Sequence[str] = ()
    ) -> list[Any]:
        """Pull until nothing is left; gives the pages."""
        pages = [self.page(actor, rows=rows, max_bytes=max_bytes, reset=reset)]
        while pages[-1]["more"]:
            pages.append(self.page(actor, rows=rows, max_bytes=max_bytes))
            assert len(pages) < 10_000, "the pull never ends"
        return pages

    def page(
        self, actor: Actor, *, rows: int = 2000, max_bytes: int = 1_000_000, reset: Sequence[str] = ()
    ) -> Any:
        """Take one page."""
        cursor = decode_cursor(self.cursor) if self.cursor else None
        page = orjson.loads(orjson.dumps(pull(actor, cursor, rows=rows, max_bytes=max_bytes, reset=reset)))
        for key in [k for k in self.rows if k[0] in page["drop"]]:
            del self.rows[key]
        self._old |= {k for k in self.rows if k[0] in page["reset"]}
        for c in page["changes"]:
            key = (c["s"], c["k"], c["id"])
            self._old.discard(key)
            if c["op"] == "del":
                self.rows.pop(key, None)
            else:
                self.rows[key] = (c["rev"], c["body"])
        for stream, told in page["complete"].items():
            self._check(stream, told)
        self.cursor = page["cursor"]
        self.pages += 1
        return page

    def of_kind(self, kind: str) -> dict[str, tuple[int, Any]]:
        """Give the rows of a kind by id."""
        return {k[2]: row for k, row in self.rows.items() if k[1] == kind}

    def _check(self, stream: str, told: Mapping[str, int]) -> None:
        """Compare count and digest of what came under the newest generation, then sweep the old one."""
        live = {k: row for k, row in self.rows.items() if k[0] == stream and k not in self._old}
        h = sum(digest(k[1], k[2], rev) for k, (rev, _) in live.items()) & DIGEST_MASK
        assert (len(live), h) == (told["n"], told["h"]), f"{stream}: self-check failed"
        for key in [k for k in self._old if k[0] == stream]:
            self._old.discard(key)
            self.rows.pop(key, None)


def mutation(kind: str, fields: Mapping[str, Any], *, oid: object = None, **more: Any) -> dict[str, Any]:
    """Give a mutation as a phone sends it, with a new id."""
    return {
        "id": str(new_id()),
        "type": kind,
        "object": str(oid or new_id()),
        "base_rev": None,
        "fields": dict(fields),
        **more,
    }


def digest(kind: str, oid: str, rev: int) -> int:
    """Compute a row's digest as a phone does, apart from the server's code."""
    return int.from_bytes(hashlib.sha256(f"{kind}|{oid}|{rev}".encode()).digest(), "big") >> (256 - 53)


def fresh(actor: Actor) -> dict[Key, tuple[int, Any]]:
    """Give what a phone holds after loading everything anew."""
    pocket = Pocket()
    pocket.pull(actor)
    return pocket.rows


def check_feed() -> None:
    """Compare each stream's head, count and digest with its entries, and look for numbers given twice."""
    for stream in Stream.objects.all():
        entries = Entry.objects.filter(stream_id=stream.pk)
        live = list(entries.filter(op="put").values_list("kind", "oid", "rev"))
        assert stream.n == len(live), stream
        assert stream.h == sum(row_digest(*row) for row in live) & DIGEST_MASK, stream
        assert (entries.aggregate(top=Max("seq"))["top"] or 0) <= stream.seq, stream
        assert not entries.exclude(op="put").exclude(body="{}").exists(), "a tombstone keeps a body"


def at_once(*jobs: Callable[[], object]) -> list[str]:
    """Run the jobs on real threads that start together; gives what was raised."""
    start, raised = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        start.wait()
        try:
            job()
        except Exception as error:  # noqa: BLE001  told to the test
            raised.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def newest_change(oid: UUID) -> Change:
    """Give the last change of a record."""
    return Change.objects.filter(oid=oid).latest("id")


def newest_event(oid: UUID) -> Event:
    """Give the last audit event of a record."""
    return Event.objects.filter(oid=oid).latest("id")
