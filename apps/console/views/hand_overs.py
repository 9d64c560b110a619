"""Hand-overs at a desk: offered, confirmed exhibit by exhibit, refused, withdrawn, entered from paper."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.records import new_id
from apps.common.text import pick
from apps.console.custody_forms import OfferForm, ReceiptForm
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import EXHIBITS, SEIZURES, ConsoleRequest, opens
from apps.console.views.custody import page as custody_page
from apps.console.views.custody import report_of
from apps.custody import actions
from apps.custody.models import Exhibit, HandOver, Stop
from apps.custody.queries import label
from apps.evidence.serving import download
from apps.inspections.actions.review import REVIEWERS


@opens(SEIZURES)
@require_POST
def offer(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Offer exhibits of a seizure."""
    found = report_of(request.actor, report_id)
    rows = Exhibit.objects.visible_to(request.actor).filter(report=found).select_related("report")
    form = OfferForm(found, [(str(row.pk), label(row)) for row in rows], request.POST)
    if not form.is_valid():
        return custody_page(request, found, status=422, offer_form=form)
    try:
        made = actions.offer_hand_over(actor=request.actor, offer_id=new_id(), fields=form.said())
    except DomainError as error:
        return custody_page(request, found, refusal=refusal_of(error), offer_form=form)
    messages.success(request, f"{made.number}: {pick('đã đề nghị bàn giao.', 'offered.')}")
    return redirect("console:hand_over", made.pk)


@opens(EXHIBITS)
@require_safe
def hand_over(request: ConsoleRequest, offer_id: UUID) -> HttpResponse:
    """Show what was offered to whom, and what was read."""
    return show(request, visible(request.actor, offer_id))


@opens(EXHIBITS)
@require_POST
def answer(request: ConsoleRequest, offer_id: UUID) -> HttpResponse:
    """Accept, refuse or withdraw."""
    found = visible(request.actor, offer_id)
    deed = request.POST.get("deed", "")
    form = ReceiptForm(found, request.POST)
    if deed not in _DONE:
        raise Http404
    if not form.is_valid():
        return show(request, found, status=422, form=form)
    note = form.cleaned_data["note"]
    try:
        if deed == "accept":
            found = actions.accept_hand_over(actor=request.actor, offer_id=found.pk, fields=form.said())
        elif deed == "refuse":
            found = actions.refuse_hand_over(actor=request.actor, offer_id=found.pk, note=note)
        else:
            found = actions.withdraw_hand_over(actor=request.actor, offer_id=found.pk, note=note)
    except DomainError as error:
        return show(request, visible(request.actor, offer_id), refusal=refusal_of(error), form=form)
    if any(item.get("differs") for item in found.items.values()):
        words = pick("có sai lệch, chờ lãnh đạo quyết định.", "something differs; a leader decides.")
        messages.warning(request, f"{found.number}: {words}")
    else:
        messages.success(request, f"{found.number}: {pick(*_DONE[deed])}")
    return redirect("console:hand_over", found.pk)


_DONE = {
    "accept": ("đã nhận.", "accepted."),
    "refuse": ("đã từ chối nhận.", "refused."),
    "withdraw": ("đã rút lại.", "withdrawn."),
}


@opens(EXHIBITS)
@require_POST
def record(request: ConsoleRequest, offer_id: UUID) -> HttpResponse | FileResponse:
    """Hand out the record of a hand-over as a PDF to be signed; who, and what for, is an audit event."""
    found = visible(request.actor, offer_id)
    try:
        done = actions.print_hand_over(
            actor=request.actor, offer_id=found.pk, reason=request.POST.get("reason", "")
        )
    except DomainError as error:
        return show(request, found, refusal=refusal_of(error))
    return download(BytesIO(done.content), name=done.name, mime="application/pdf")


def show(
    request: ConsoleRequest,
    found: HandOver,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
    form: Any = None,
) -> HttpResponse:
    """Show a hand-over, with what was typed."""
    actor = request.actor
    is_open = found.state == HandOver.State.OFFERED
    is_giver = found.giver_id == actor.officer_id
    inside = found.kind == HandOver.Kind.INSIDE
    may_accept = is_open and not is_giver and (not inside or found.receiver_id == actor.officer_id)
    rows = {str(e.pk): e for e in Exhibit.objects.visible_to(actor).filter(report_id=found.report_id)}
    items = sorted(found.items.items(), key=lambda pair: int(pair[1]["number"]))
    context = {
        "offer": found,
        "persons": ", ".join(found.persons),
        "vehicles": ", ".join(found.vehicles),
        "reads_seizures": not SEIZURES.roles.isdisjoint(actor.roles),
        "items": [
            {
                "said": item,
                "exhibit": rows.get(pk),
                "differs": [Stop(code).label for code in item.get("differs", ())],
            }
            for pk, item in items
        ],
        "form": form or (ReceiptForm(found) if is_open and (may_accept or is_giver) else None),
        "may_accept": may_accept,
        "may_refuse": may_accept and inside,
        "may_print": found.report.unit_id in actor.reach_of(*REVIEWERS),
        "may_withdraw": is_open and is_giver,
        "refusal": refusal,
    }
    code = refusal.status if refusal else status
    return render(request, "console/custody/hand_over.html", context, status=code)


def visible(actor: Actor, offer_id: UUID) -> HandOver:
    """Give a visible hand-over; anything else is not there."""
    rows = HandOver.objects.visible_to(actor).select_related("giver", "receiver", "report", "answered_by")
    return get_object_or_404(rows, pk=offer_id)
