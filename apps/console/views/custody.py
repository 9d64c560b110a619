"""The exhibits of a seizure, and one exhibit with its steps, samples, differences and laboratory results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import Role
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.records import new_id
from apps.common.text import pick
from apps.console.custody_forms import (
    CorrectionForm,
    ExhibitForm,
    OfferForm,
    ResultForm,
    SampleForm,
    StepForm,
)
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import EXHIBITS, SEIZURES, ConsoleRequest, opens
from apps.console.seizures import name_of
from apps.console.templatetags.console import grams
from apps.custody import actions
from apps.custody.actions import Done
from apps.custody.actions.common import hand_of, post_at
from apps.custody.errors import NotHolder
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Stop
from apps.custody.queries import balances, label
from apps.custody.rules.moves import UNDER_SEAL, steps_from
from apps.organisation.queries import names
from apps.reference.queries import label as vocabulary_label
from apps.seizures.models import SeizureReport


@opens(SEIZURES)
@require_safe
def custody(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """List the exhibits of a seizure, its hand-overs, and where lines and exhibits do not add up."""
    return page(request, report_of(request.actor, report_id))


@opens(SEIZURES)
@require_POST
def record(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Write down a package."""
    found = report_of(request.actor, report_id)
    form = ExhibitForm(found, request.POST)
    if not form.is_valid():
        return page(request, found, status=422, exhibit_form=form)
    fields = {**form.said(), "report": str(found.pk)}
    try:
        done = actions.record_exhibit(actor=request.actor, exhibit_id=new_id(), fields=fields)
    except DomainError as error:
        return page(request, found, refusal=refusal_of(error), exhibit_form=form)
    messages.success(request, f"{label(done.exhibit)}: {pick('đã lập biên bản.', 'written down.')}")
    return redirect("console:custody", found.pk)


def page(
    request: ConsoleRequest,
    found: SeizureReport,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
    **typed: Any,
) -> HttpResponse:
    """Show the exhibits of a seizure, with what was typed."""
    actor = request.actor
    rows = list(
        Exhibit.objects.visible_to(actor)
        .filter(report=found)
        .select_related("holder", "parent", "offer", "report")
    )
    called = names({row.unit_id for row in rows} | {found.unit_id})
    free = [(str(row.pk), label(row)) for row in rows if _may_offer(actor, row)]
    may_record = found.unit_id in actor.reach_of(Role.LEADER) and post_at(actor, found.unit_id) is not None
    context = {
        "report": found,
        "unit": called.get(found.unit_id, ""),
        "rows": [{"exhibit": row, "label": label(row), "unit": called.get(row.unit_id, "")} for row in rows],
        "uneven": [balance for balance in balances(found) if not balance.is_even],
        "hand_overs": HandOver.objects.visible_to(actor).filter(report=found).select_related("giver"),
        "exhibit_form": typed.get("exhibit_form") or (ExhibitForm(found) if may_record else None),
        "offer_form": typed.get("offer_form") or (OfferForm(found, free) if free else None),
        "refusal": refusal,
    }
    code = refusal.status if refusal else status
    return render(request, "console/custody/report.html", context, status=code)


def _may_offer(actor: Actor, exhibit: Exhibit) -> bool:
    return (
        exhibit.state in UNDER_SEAL
        and not exhibit.stop
        and exhibit.offer_id is None
        and _handles(actor, exhibit)
    )


def _handles(actor: Actor, exhibit: Exhibit) -> bool:
    try:
        hand_of(actor, exhibit)
    except NotHolder:
        return False
    return True


@opens(EXHIBITS)
@require_safe
def exhibit(request: ConsoleRequest, exhibit_id: UUID) -> HttpResponse:
    """Show one exhibit with what happened to it."""
    return _exhibit_page(request, _visible(request.actor, exhibit_id))


@opens(EXHIBITS)
@require_POST
def step(request: ConsoleRequest, exhibit_id: UUID) -> HttpResponse:
    """Do what a form of the exhibit's page says: a step, a sample, a word about a difference, a result."""
    found = _visible(request.actor, exhibit_id)
    deed = request.POST.get("deed", "")
    if deed not in _DEEDS:
        raise Http404
    make, do = _DEEDS[deed]
    form = make(found, request.POST, request.FILES)
    if not form.is_valid():
        return _exhibit_page(request, found, {deed: form}, status=422)
    try:
        done = do(request, found, form)
    except DomainError as error:
        again = _visible(request.actor, exhibit_id)
        return _exhibit_page(request, again, {deed: form}, refusal=refusal_of(error))
    if done.warnings:
        stopped = pick("có sai lệch, dừng luân chuyển: ", "it differs and is stopped: ")
        words = ", ".join(str(Stop(code).label) for code in done.warnings)
        messages.warning(request, f"{label(found)}: {stopped}{words}.")
    else:
        messages.success(request, f"{label(found)}: {pick('đã ghi.', 'written down.')}")
    return redirect("console:exhibit", found.pk)


def _step(request: ConsoleRequest, found: Exhibit, form: Any) -> Done:
    return actions.take_step(
        actor=request.actor,
        exhibit_id=found.pk,
        step=form.cleaned_data["step"],
        base_rev=_rev(request),
        fields=form.said(),
    )


def _sample(request: ConsoleRequest, found: Exhibit, form: Any) -> Done:
    return actions.take_sample(
        actor=request.actor,
        exhibit_id=found.pk,
        base_rev=_rev(request),
        sample_id=new_id(),
        fields=form.said(),
    )


def _verdict(request: ConsoleRequest, found: Exhibit, form: Any) -> Done:
    return actions.decide_discrepancy(
        actor=request.actor,
        exhibit_id=found.pk,
        base_rev=_rev(request),
        verdict=request.POST.get("verdict", ""),
        note=request.POST.get("note", ""),
    )


def _result(request: ConsoleRequest, found: Exhibit, form: Any) -> Done:
    return actions.record_result(actor=request.actor, exhibit_id=found.pk, fields=form.result())


def _correction(request: ConsoleRequest, found: Exhibit, form: Any) -> Done:
    return actions.correct_exhibit(
        actor=request.actor,
        exhibit_id=found.pk,
        base_rev=_rev(request),
        fields=form.said(),
        reason=form.cleaned_data["reason"],
    )


Deed = tuple[Callable[[Exhibit, Any, Any], forms.Form], Callable[[ConsoleRequest, Exhibit, Any], Done]]
_DEEDS: dict[str, Deed] = {
    "step": (StepForm, _step),
    "sample": (lambda _, data, _files: SampleForm(data), _sample),
    "verdict": (lambda _, data, _files: forms.Form(data), _verdict),
    "result": (ResultForm, _result),
    "correction": (CorrectionForm, _correction),
}


def _rev(request: ConsoleRequest) -> int | None:
    given = request.POST.get("base_rev", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _exhibit_page(
    request: ConsoleRequest,
    found: Exhibit,
    typed: Mapping[str, Any] | None = None,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, typed = request.actor, typed or {}
    events = list(CustodyEvent.objects.visible_to(actor).filter(exhibit=found).select_related("officer"))
    report = SeizureReport.objects.visible_to(actor).filter(pk=found.report_id).first()
    reads_seizures = not SEIZURES.roles.isdisjoint(actor.roles)
    is_free = not found.stop and found.offer_id is None and _handles(actor, found)
    may_step = is_free and StepForm(found).fields["step"].choices  # type: ignore[attr-defined]
    decides = found.unit_id in actor.reach_of(Role.LEADER, Role.HQ_REVIEWER)
    judges = report is not None and report.unit_id in actor.reach_of(Role.LEADER, Role.HQ_REVIEWER)
    context = {
        "exhibit": found,
        "label": label(found),
        "report": report if reads_seizures else None,
        "unit": names([found.unit_id]).get(found.unit_id, ""),
        "samples": Exhibit.objects.visible_to(actor).filter(parent=found),
        "events": [_told(event) for event in events],
        "step": typed.get("step") or (StepForm(found) if may_step else None),
        "sample": typed.get("sample")
        or (SampleForm() if is_free and "sampled" in steps_from(found.state) else None),
        "result": typed.get("result") or (ResultForm(found) if judges else None),
        "correction": typed.get("correction")
        or (CorrectionForm(found) if actions.may_correct(actor, found) else None),
        "decides": decides and bool(found.stop),
        "note": request.POST.get("note", ""),
        "refusal": refusal,
    }
    code = refusal.status if refusal else status
    return render(request, "console/custody/exhibit.html", context, status=code)


def _told(event: CustodyEvent) -> dict[str, Any]:
    """Give an event as the page shows it; witnesses by their number, not by name."""
    body = event.said
    said = body["said"]
    facts = [
        (pick("Địa điểm", "Place"), said.get("place")),
        (pick("Mục đích", "Purpose"), said.get("purpose")),
        (pick("Niêm phong mới", "New seals"), ", ".join(s["number"] for s in said.get("seals", ()))),
        (pick("Người ký nhãn", "Label signed by"), ", ".join(said.get("signers", ()))),
        (pick("Đóng dấu của", "Stamp of"), said.get("stamp_of")),
        (pick("Tình trạng gói", "State of the package"), said.get("condition")),
        (pick("Số biên bản", "Record number"), said.get("record_doc_number")),
        (pick("Số đọc được", "Seals as read"), ", ".join(said.get("seals_read", ()))),
        (pick("Khối lượng (g)", "Mass (g)"), _grams(said.get("mass_read") or said.get("gross_mass_g"))),
        (
            pick("Khác với khối lượng đã ghi (g)", "Differs from what stood (g)"),
            _grams(said.get("mass_before")),
        ),
        (pick("Lấy mẫu (g)", "Taken (g)"), _grams(said.get("taken_mass_g"))),
        (pick("Người chứng kiến", "Witnesses"), len(said.get("witnesses", ())) or None),
        (pick("Bàn giao", "Hand-over"), said.get("hand_over")),
        (pick("Bên nhận", "Receiver"), said.get("to")),
        (pick("Sai lệch", "Differs"), ", ".join(str(Stop(c).label) for c in said.get("differs") or ())),
        (pick("Kết luận", "Result"), said.get("lab_number")),
        (pick("Phương pháp", "Method"), said.get("method")),
        (pick("SHA-256 của bản kết luận", "SHA-256 of the paper"), said.get("attachment_sha256")),
        *((str(name_of(name)), _from_to(pair)) for name, pair in said.get("changed", {}).items()),
        (pick("Ghi chú", "Note"), said.get("note")),
    ]
    return {
        "event": event,
        "name": vocabulary_label("custody_event", event.kind),
        "facts": [(name, value) for name, value in facts if value],
    }


def _from_to(pair: list[Any]) -> str:
    before, now = (str(value).replace(".", ",") if value not in {None, ""} else "–" for value in pair)
    return f"{before} → {now}"


def _grams(value: str | None) -> str:
    return grams(value) if value else ""


def report_of(actor: Actor, report_id: UUID) -> SeizureReport:
    """Give a visible report that was sent; anything else is not there."""
    rows = SeizureReport.objects.visible_to(actor).filter(is_draft=False)
    return get_object_or_404(rows.select_related("officer", "incident"), pk=report_id)


def _visible(actor: Actor, exhibit_id: UUID) -> Exhibit:
    rows = Exhibit.objects.visible_to(actor).select_related("report", "holder", "parent", "offer")
    return get_object_or_404(rows, pk=exhibit_id)
