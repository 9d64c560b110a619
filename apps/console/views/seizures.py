"""Seizure reports at a desk: the list, a report with its versions, decisions, laboratory results, corrections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import Officer, Role
from apps.audit.models import Event
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.text import pick
from apps.console.reading import Photo
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import SEIZURES, ConsoleRequest, opens
from apps.console.seizure_forms import AmendForm, LabForm, SeizureFilter
from apps.console.seizures import Called, amount, differences, header_of, name_of, names_known, rows_of
from apps.console.views.seizure_pairs import REASONS
from apps.console.words import FLAGS, PHOTO_STATES
from apps.custody.actions import export_seizure
from apps.evidence.models import Attachment
from apps.evidence.queries import receipts_of
from apps.evidence.serving import download
from apps.inspections.actions.review import REVIEWERS
from apps.organisation.queries import names
from apps.reference.queries import controls_on, substances
from apps.seizures.actions import (
    DECIDERS,
    amend_seizure,
    decide_seizure,
    read_persons,
    record_lab_result,
)
from apps.seizures.actions.deciding import AMENDERS
from apps.seizures.duplicates import candidates
from apps.seizures.models import Decision, Merge, ReportVersion, SeizureLine, SeizureReport
from apps.seizures.queries import KIND, joined, parts_of, photo_purposes, reported
from apps.seizures.rules.checks import numbers_of
from apps.seizures.rules.fields import NOMINAL, PARTS
from apps.seizures.rules.lines import NOT_A_DRUG
from apps.seizures.rules.stages import CLOSED, ENDED, MERGED, MOVES

PAGE = 25


@opens(SEIZURES)
@require_safe
def seizures(request: ConsoleRequest) -> HttpResponse:
    """List the reports by the filters of the address, each with what its lines count as."""
    filters = SeizureFilter(request.GET, actor=request.actor)
    lines = SeizureLine.objects.visible_to(request.actor).filter(excluded__in=["", NOT_A_DRUG])
    lines = lines.order_by("mark")
    found = (
        filters.found()
        .select_related("officer", "incident")
        .prefetch_related(Prefetch("counted_lines", lines, "shown_lines"))
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    called = names({report.unit_id for report in page})
    substance = {key: pick(s.vi, s.en) for key, s in substances().items()}
    rows = [
        {
            "report": report,
            "unit": called.get(report.unit_id, ""),
            "lines": [
                {
                    "substance": substance.get(line.substance, line.substance)
                    or report.lines[line.mark].get("article", ""),
                    "amount": amount(line),
                }
                for line in report.shown_lines
            ],
        }
        for report in page
    ]
    context = {"page": page, "rows": rows, "filters": filters, "is_filtered": bool(request.GET)}
    return render(request, "console/seizures/list.html", context)


@opens(SEIZURES)
@require_safe
def report(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Show one report as it stands, or one of its versions (`?version=`)."""
    return _page(request, _visible(request.actor, report_id))


@opens(SEIZURES)
@require_POST
def persons(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Show who the people are, for a stated purpose that is written down."""
    _visible(request.actor, report_id)
    try:
        found = read_persons(
            actor=request.actor, report_id=report_id, purpose=request.POST.get("purpose", "")
        )
    except DomainError as error:
        return _page(request, _visible(request.actor, report_id), refusal=refusal_of(error))
    called = names_known()
    context = {
        "report": found,
        "persons": rows_of("persons", found.persons, called, with_names=True),
        "consignments": rows_of("consignments", found.consignments, called, with_names=True),
        "witnesses": found.fields.get("witnesses", []),
        "photos": _photos(request.actor, found, of_persons=True),
    }
    return render(request, "console/seizures/persons.html", context)


@opens(SEIZURES)
@require_POST
def decide(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Carry out a decision; a refusal keeps the note."""
    found = _visible(request.actor, report_id)
    verb, note = request.POST.get("decision", ""), request.POST.get("note", "")
    if verb not in DECIDERS:
        raise Http404
    try:
        decide_seizure(
            actor=request.actor,
            report_id=found.pk,
            verb=verb,
            note=note,
            base_rev=_number(request.POST.get("base_rev")),
        )
    except DomainError as error:
        return _page(request, _visible(request.actor, report_id), refusal=refusal_of(error), note=note)
    messages.success(request, f"{found.number}: {_done(verb)}")
    return redirect("console:seizure", found.pk)


@opens(SEIZURES)
@require_POST
def laboratory(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Write down what the laboratory found of a line."""
    found = _visible(request.actor, report_id)
    form = LabForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, lab=form, status=422)
    try:
        record_lab_result(
            actor=request.actor,
            report_id=found.pk,
            mark=form.cleaned_data["mark"],
            result=form.result(),
            base_rev=_number(request.POST.get("base_rev")),
        )
    except DomainError as error:
        return _page(request, _visible(request.actor, report_id), refusal=refusal_of(error), lab=form)
    done = pick("đã ghi kết quả giám định thành phiên bản mới.", "the result stands as a new version.")
    messages.success(request, f"{found.number}: {done}")
    return redirect("console:seizure", found.pk)


@opens(SEIZURES)
@require_POST
def amend(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Correct the report, with a reason, as a new version."""
    found = _visible(request.actor, report_id)
    form = AmendForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, amendment=form, status=422)
    try:
        amend_seizure(
            actor=request.actor,
            report_id=found.pk,
            fields=form.patch(),
            reason=form.cleaned_data["reason"],
            base_rev=_number(request.POST.get("base_rev")),
        )
    except DomainError as error:
        return _page(request, _visible(request.actor, report_id), refusal=refusal_of(error), amendment=form)
    done = pick("đã đính chính; bản trước vẫn xem được.", "corrected; the version before stays readable.")
    messages.success(request, f"{found.number}: {done}")
    return redirect(reverse("console:seizure", args=[found.pk]))


@opens(SEIZURES)
@require_POST
def bundle(request: ConsoleRequest, report_id: UUID) -> HttpResponse | FileResponse:
    """Hand out everything that proves the seizure, as a zip; who, and what for, is an audit event."""
    found = _visible(request.actor, report_id)
    try:
        done = export_seizure(
            actor=request.actor, report_id=found.pk, reason=request.POST.get("bundle_reason", "")
        )
    except DomainError as error:
        return _page(request, found, refusal=refusal_of(error))
    return download(done.file, name=done.name, mime="application/zip")


def _page(
    request: ConsoleRequest,
    found: SeizureReport,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
    **typed: Any,
) -> HttpResponse:
    actor = request.actor
    versions = list(ReportVersion.objects.visible_to(actor).filter(report=found).select_related("author"))
    wanted = _number(request.GET.get("version"))
    shown = next((v for v in versions if v.version == wanted), None)
    before = next((v for v in versions if shown and v.version == shown.version - 1), None)
    called = names_known()
    said = shown.body if shown else {**reported(found), "fields": found.fields}
    context = {
        "report": found,
        "unit": names([found.unit_id]).get(found.unit_id, ""),
        "shown": shown,
        "versions": versions,
        "changes": differences(before.body, shown.body, called) if before and shown else [],
        "header": header_of(said["fields"], called),
        "lines": _lines(found, called),
        "parts": [(part, rows_of(part, said[part], called)) for part in PARTS],
        "controls": controls_on(found.occurred_on) if found.occurred_on else {},
        "failed": [
            (name_of(n["field"]), "" if n["field"] in NOMINAL.get(n["part"], ()) else n["raw"])
            for n in numbers_of(parts_of(found))
            if n["valid"] == "no"
        ],
        "flags": [FLAGS.get(flag, (flag, "plain")) for flag in found.flags],
        "photos": _photos(actor, found),
        "receipts": receipts_of(found),
        "may_export": found.unit_id in actor.reach_of(*REVIEWERS),
        "decisions": list(Decision.objects.visible_to(actor).filter(report=found).select_related("officer")),
        "related": SeizureReport.objects.visible_to(actor)
        .filter(incident_id=found.incident_id, is_draft=False)
        .exclude(pk=found.pk),
        "events": Event.objects.visible_to(actor).filter(record_kind=KIND, oid=found.pk).order_by("at"),
        "note": typed.get("note", ""),
        **_desk(actor, found, typed),
    }
    amendment = context["amendment"]
    context["refusal"] = refusal.pointing(amendment) if refusal and amendment else refusal
    code = refusal.status if refusal else status
    return render(request, "console/seizures/report.html", context, status=code)


def _desk(actor: Actor, found: SeizureReport, typed: dict[str, Any]) -> dict[str, Any]:
    """Give what this person may do here: decisions of this stage, and the forms."""
    badge = Officer.objects.visible_to(actor).filter(pk=actor.officer_id).values_list("badge_no", flat=True)
    is_own = found.officer_id == actor.officer_id or not found.people_badges.isdisjoint(
        b.upper() for b in badge
    )
    moves = [
        verb
        for verb, roles in DECIDERS.items()
        if found.stage in MOVES[verb] and found.unit_id in actor.reach_of(*roles) and not is_own
    ]
    may_amend = found.unit_id in actor.reach_of(*AMENDERS) and not is_own
    amends = may_amend and found.stage not in {*ENDED, CLOSED}
    joined_to = Merge.objects.visible_to(actor).filter(report=found, counts_on=True, undone_at=None)
    led_by = joined_to.select_related("survivor").first()
    return {
        **_pairing(actor, found),
        "may_judge": may_amend,
        "may_part": may_amend and (found.stage == MERGED or led_by is not None),
        "may_join": may_amend and found.stage not in ENDED and led_by is None,
        "led_by": led_by,
        "moves": [(verb, _verb(verb)) for verb in moves],
        "is_own": is_own,
        "lab": typed.get("lab") or (LabForm(found) if amends else None),
        "amendment": typed.get("amendment") or (AmendForm(found) if amends else None),
    }


def _pairing(actor: Actor, found: SeizureReport) -> dict[str, Any]:
    """Give the reports that may tell of the same seizure, and who took part."""
    others = candidates(actor, found)
    joint = joined(found)
    called = names({*(c.report.unit_id for c in others), *(p["unit_id"] for p in joint if p["unit_id"])})
    led = {str(unit) for unit in actor.reach_of(Role.LEADER)}
    waiting = {str(p["unit_id"]) for p in joint if p["force"] == "customs" and not p["is_agreed"]}
    return {
        "candidates": [
            {
                "report": c.report,
                "unit": called.get(c.report.unit_id, ""),
                "why": [REASONS[reason] for reason in c.reasons],
            }
            for c in others
        ],
        "joint": [{**p, "name": called.get(p["unit_id"]) or p["unit"] or p["agency"]} for p in joint],
        "may_agree": not led.isdisjoint(waiting),
    }


def _lines(found: SeizureReport, called: Called) -> list[dict[str, Any]]:
    day = controls_on(found.occurred_on) if found.occurred_on else {}
    return [
        {
            "measure": m,
            "substance": called.substances.get(m.substance, m.substance)
            or found.lines[m.mark].get("article", ""),
            "amount": amount(m),
            "controls": day.get(m.substance, []),
        }
        for m in found.measured
    ]


def _photos(actor: Actor, found: SeizureReport, *, of_persons: bool = False) -> list[Photo]:
    """Give what the report names and what was declared for it; those of persons are veiled, or (`of_persons`) alone.

    Units that take part in a joint seizure see its report, the photos stay with the unit that made it.
    """
    rows = Attachment.objects.visible_to(actor).filter(owner_kind=KIND, owner_id=found.pk)
    known = {str(a.pk): a for a in rows}
    announced = {pk for pk, purpose in photo_purposes(found).items() if purpose is not None}
    named = dict.fromkeys((*(found.fields.get("photos") or ()), *known))
    every = []
    for pk in named:
        attachment = known.get(pk)
        state = attachment.state if attachment else "elsewhere" if pk in announced else "missing"
        is_veiled = attachment is not None and attachment.is_nominal
        every.append(Photo(pk, state, str(PHOTO_STATES[state]), attachment, is_veiled))
    return [replace(photo, is_veiled=False) for photo in every if photo.is_veiled] if of_persons else every


def _visible(actor: Actor, report_id: UUID) -> SeizureReport:
    """Give a report that was sent; drafts are for the phones of their people alone."""
    rows = SeizureReport.objects.visible_to(actor).filter(is_draft=False)
    return get_object_or_404(
        rows.select_related("officer", "incident", "device", "merged_into"), pk=report_id
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _verb(verb: str) -> str:
    return pick(*_VERBS[verb])


def _done(verb: str) -> str:
    return pick(*_DONE[verb])


_VERBS = {
    "verify_unit": ("Đơn vị xác nhận", "Verify for the unit"),
    "verify_region": ("Khu vực, Cục xác nhận", "Verify for the region"),
    "accept": ("Ghi nhận", "Accept"),
    "confirm_lab": ("Xác nhận đã có giám định", "Confirm the laboratory"),
    "close": ("Kết thúc", "Close"),
    "return": ("Trả lại bổ sung", "Return for correction"),
    "void": ("Hủy báo cáo", "Void"),
}
_DONE = {
    "verify_unit": ("đơn vị đã xác nhận.", "verified by the unit."),
    "verify_region": ("khu vực đã xác nhận.", "verified by the region."),
    "accept": ("đã ghi nhận.", "accepted."),
    "confirm_lab": ("đã xác nhận giám định.", "laboratory confirmed."),
    "close": ("đã kết thúc.", "closed."),
    "return": ("đã trả lại để bổ sung.", "returned for correction."),
    "void": ("đã hủy, không tính vào số liệu.", "voided; it no longer counts."),
}
