"""The review queue and the page of one report: read, return with notes at the questions, approve, void."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import REPORT_READERS
from apps.audit.models import Event
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.text import pick
from apps.console.amendments import late_edits
from apps.console.queue import QueueFilter, filter_query, following, neighbours, queue
from apps.console.reading import read_report, trail
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import REVIEW, ConsoleRequest, opens
from apps.console.words import FLAGS
from apps.evidence.models import Attachment
from apps.evidence.queries import receipts_of
from apps.evidence.serving import download
from apps.inspections.actions import (
    approve_inspection,
    export_bundle,
    return_for_correction,
    start_review,
    void_inspection,
)
from apps.inspections.actions.review import REVIEWERS
from apps.inspections.models import InspectionReport, ReportVersion, ReviewNote
from apps.inspections.rules import MOVES
from apps.inspections.single_use import seen_elsewhere
from apps.organisation.queries import names
from apps.sync.amendments import proposed_amendments

PAGE = 25
NOTE = "note__"


@dataclass(frozen=True)
class Draft:
    """What a reviewer has typed and not sent: the overall note, notes at questions, a reason to void."""

    note: str = ""
    reason: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed."""
        return not (self.note or self.reason or self.notes)


@opens(REVIEW)
@require_safe
def review_queue(request: ConsoleRequest) -> HttpResponse:
    """List the reports that wait, by the filters of the address."""
    filters = QueueFilter(request.GET, actor=request.actor)
    reports = queue(request.actor, filters).select_related("officer", "checklist_version__checklist")
    page = Paginator(reports.defer("answers", "extra", "field_revs"), PAGE).get_page(request.GET.get("page"))
    called = names({report.unit_id for report in page})
    stored = _stored({report.pk for report in page}, request.actor)
    rows = [
        {
            "report": r,
            "unit": called.get(r.unit_id, ""),
            "named": sum(map(len, r.photos.values())),
            "stored": len({p for ids in r.photos.values() for p in ids} & stored),
        }
        for r in page
    ]
    context = {"page": page, "rows": rows, "filters": filters, "kept": filter_query(request.GET)}
    return render(request, "console/review/queue.html", context)


@opens(REVIEW)
@require_safe
def report(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Show one report."""
    return _page(request, _visible(request.actor, report_id), Draft())


@opens(REVIEW)
@require_POST
def decide(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Carry out the reviewer's decision, then open the next report; a refusal keeps everything that was typed."""
    found = _visible(request.actor, report_id)
    draft = _typed(request)
    verb = request.POST.get("decision", "")
    try:
        _carry_out(request.actor, found, verb, draft, _base_rev(request))
    except DomainError as error:
        return _page(request, _visible(request.actor, report_id), draft, refusal_of(error))
    except _Hesitation as why:
        return _page(request, found, draft, Refusal(str(why), (), 422, is_conflict=False))
    messages.success(request, f"{found.number}: {_DONE[verb]()}")
    if verb == "start":
        return redirect(reverse("console:report", args=[report_id]) + filter_query(request.GET))
    return _to_next(request, found)


@opens(REVIEW)
@require_POST
def bundle(request: ConsoleRequest, report_id: UUID) -> HttpResponse | FileResponse:
    """Hand out everything that proves the report, as a zip; who, and what for, is an audit event."""
    found = _visible(request.actor, report_id)
    reason = request.POST.get("bundle_reason", "")
    try:
        done = export_bundle(actor=request.actor, report_id=found.pk, reason=reason)
    except DomainError as error:
        return _page(request, found, _typed(request), refusal_of(error))
    return download(done.file, name=done.name, mime="application/zip")


class _Hesitation(Exception):
    """The page asks once more before doing what would lose something."""


def _carry_out(actor: Actor, found: InspectionReport, verb: str, draft: Draft, base_rev: int) -> None:
    the_report: dict[str, Any] = {"actor": actor, "report_id": found.pk, "base_rev": base_rev}
    if verb == "start":
        start_review(**the_report)
    elif verb == "return":
        notes = [{"step_key": key, "text": text} for key, text in draft.notes.items()]
        return_for_correction(**the_report, notes=notes, note=draft.note)
    elif verb == "approve":
        if draft.notes:
            raise _Hesitation(
                pick(
                    "Ghi chú tại câu hỏi chỉ được gửi khi trả lại. Xóa các ghi chú đó rồi duyệt, hoặc trả lại báo cáo.",
                    "Notes at questions are sent only with a return. Clear them to approve, or return the report.",
                )
            )
        approve_inspection(**the_report, note=draft.note)
    elif verb == "void":
        void_inspection(**the_report, reason=draft.reason)
    else:
        raise Http404


_DONE = {
    "start": lambda: pick("đã nhận soát xét.", "taken up for review."),
    "return": lambda: pick("đã trả lại để bổ sung.", "returned for correction."),
    "approve": lambda: pick("đã duyệt.", "approved."),
    "void": lambda: pick("đã hủy, không tính vào số liệu.", "voided; it no longer counts."),
}


def _to_next(request: ConsoleRequest, done: InspectionReport) -> HttpResponse:
    kept = filter_query(request.GET)
    upcoming = following(queue(request.actor, QueueFilter(request.GET, actor=request.actor)), done)
    if upcoming is None:
        messages.info(
            request, pick("Không còn báo cáo nào trong danh sách này.", "Nothing is left in this list.")
        )
        return redirect(reverse("console:review") + kept)
    return redirect(reverse("console:report", args=[upcoming]) + kept)


def _page(
    request: ConsoleRequest, found: InspectionReport, draft: Draft, refusal: Refusal | None = None
) -> HttpResponse:
    actor = request.actor
    versions = list(ReportVersion.objects.visible_to(actor).filter(report=found).order_by("version"))
    notes = list(ReviewNote.objects.visible_to(actor).filter(report=found).select_related("author"))
    attachments = Attachment.objects.visible_to(actor).filter(owner_kind="inspection", owner_id=found.pk)
    filters = QueueFilter(request.GET, actor=actor)
    may_review = found.unit_id in actor.reach_of(*REVIEWERS) and found.officer_id != actor.officer_id
    moves = {verb for verb, states in MOVES.items() if found.state in states} if may_review else set()
    context = {
        "report": found,
        "unit": names([found.unit_id]).get(found.unit_id, ""),
        "reading": read_report(found, attachments, notes, versions, draft.notes),
        "trail": trail(found, versions, notes),
        "doubles": _doubles(actor, found),
        "late_edits": late_edits(found, proposed_amendments(actor, found)),
        "moves": moves,
        "receipts": receipts_of(found),
        "may_export": found.unit_id in actor.reach_of(*REVIEWERS),
        "is_own": found.officer_id == actor.officer_id,
        "draft": draft,
        "refusal": refusal,
        "flags": [FLAGS.get(flag, (flag, "plain")) for flag in found.flags],
        "near": neighbours(queue(actor, filters), found),
        "kept": filter_query(request.GET),
        "events": Event.objects.visible_to(actor)
        .filter(record_kind="inspection", oid=found.pk)
        .order_by("at"),
    }
    return render(request, "console/review/report.html", context, status=refusal.status if refusal else 200)


def _doubles(actor: Actor, found: InspectionReport) -> list[dict[str, Any]]:
    """Say where else the report's single-use numbers were seen."""
    seen = seen_elsewhere(actor, found)
    called = names({one.unit_id for one in seen}) if seen else {}
    return [{"seen": one, "unit": called.get(one.unit_id, "")} for one in seen]


def _visible(actor: Actor, report_id: UUID) -> InspectionReport:
    """Give a submitted report in the reach of this person's office; one's own reports are not read here."""
    rows = InspectionReport.objects.visible_to(actor).filter(is_draft=False)
    rows = rows.filter(unit_id__in=list(actor.reach_of(*REPORT_READERS)))
    return get_object_or_404(
        rows.select_related("officer", "reviewer", "device", "checklist_version__checklist"), pk=report_id
    )


def _typed(request: ConsoleRequest) -> Draft:
    notes = {
        key.removeprefix(NOTE): str(text).strip()
        for key, text in request.POST.items()
        if key.startswith(NOTE)
    }
    return Draft(
        note=request.POST.get("note", "").strip(),
        reason=request.POST.get("reason", "").strip(),
        notes={key: text for key, text in notes.items() if text},
    )


def _base_rev(request: ConsoleRequest) -> int:
    given = request.POST.get("base_rev", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _stored(reports: set[UUID], actor: Actor) -> set[str]:
    rows = Attachment.objects.visible_to(actor).filter(
        owner_kind="inspection", owner_id__in=list(reports), state=Attachment.State.STORED
    )
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
