"""One's own seizure reports at a desk: those that are not submitted yet, and the form to write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.records import new_id
from apps.common.text import pick
from apps.console.finds import FindForm
from apps.console.refusals import Fault, Refusal, refusal_of, told
from apps.console.rooms import FINDS, ConsoleRequest, opens
from apps.console.seizures import names_known, place_of, words_of
from apps.inspections.errors import FieldConflict
from apps.seizures.actions import (
    Edited,
    discard_seizure,
    save_seizure,
    send_flash,
    send_preliminary,
    submit_seizure,
)
from apps.seizures.actions.editing import flattened
from apps.seizures.models import SeizureReport, Stage
from apps.seizures.queries import own_unfinished
from apps.seizures.rules.fields import PARTS
from apps.seizures.rules.stages import SENDS


@opens(FINDS)
@require_safe
def finds(request: ConsoleRequest) -> HttpResponse:
    """List what this person has begun and not submitted, on a phone or here."""
    reports = _unfinished(request.actor).order_by("-updated_at")
    return render(request, "console/seizures/finds.html", {"reports": reports, "new": new_id()})


@opens(FINDS)
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Show the form of a report; save it, or send it on as what the button says."""
    found = _unfinished(request.actor).filter(pk=report_id).first()
    if request.method != "POST":
        return _page(request, report_id, found, FindForm(request.actor, found))
    do = request.POST.get("do", "")
    base_rev = int(text) if (text := request.POST.get("base_rev", "")[:9]).isdecimal() else None
    if do == "discard":
        with told(request, pick("Đã bỏ bản nháp.", "The draft is discarded.")):
            discard_seizure(actor=request.actor, report_id=report_id, base_rev=base_rev)
        return redirect("console:finds")
    if do.removeprefix("more ") in PARTS:
        form = FindForm(request.actor, found, request.POST, more=do.removeprefix("more "))
        form.is_valid()
        return _page(request, report_id, found, form)
    if do not in _DEEDS:
        raise Http404
    form = FindForm(request.actor, found, request.POST)
    if not form.is_valid():
        return _page(request, report_id, found, form, status=422)
    write, vi, en = _DEEDS[do]
    try:
        done = write(actor=request.actor, report_id=report_id, base_rev=base_rev, fields=form.patch())
    except DomainError as error:
        found = _unfinished(request.actor).filter(pk=report_id).first()
        return _page(request, report_id, found, form, refusal=_refusal(error, found))
    messages.success(request, f"{done.report.number or ''} {pick(vi, en)}".strip())
    return redirect("console:find", report_id) if do == "save" else redirect("console:finds")


def _unfinished(actor: Actor) -> QuerySet[SeizureReport]:
    return own_unfinished(actor).select_related("incident")


def _refusal(error: DomainError, found: SeizureReport | None) -> Refusal:
    """Put a refusal into words; of fields that somebody else wrote meanwhile also what they say now."""
    refusal = refusal_of(error)
    if found is None or not isinstance(error, FieldConflict):
        return refusal
    now, called = flattened(found), names_known()
    said = ((key, words_of(key.rpartition(".")[2], now.get(key), called) or "–") for key in error.fields)
    return replace(
        refusal,
        problems=tuple(
            Fault(f"/fields/{key.replace('.', '/')}", pick(f"hiện ghi “{text}”.", f"now says “{text}”."))
            for key, text in said
        ),
    )


def _page(
    request: ConsoleRequest,
    report_id: UUID,
    found: SeizureReport | None,
    form: FindForm,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    stage = found.stage if found else Stage.DRAFT
    context: dict[str, Any] = {
        "report": found,
        "report_id": report_id,
        "form": form,
        "sections": form.sections(),
        "was": orjson.dumps(form.was).decode(),
        "rows": [(part, " ".join(marks)) for part, marks in form.marks.items()],
        "goals": [goal for goal, stages in SENDS.items() if stage in stages],
        "refusal": refusal.pointing(form).naming(place_of) if refusal else None,
    }
    code = refusal.status if refusal else status
    return render(request, "console/seizures/find.html", context, status=code)


_DEEDS: Mapping[str, tuple[Callable[..., Edited], str, str]] = {
    "save": (save_seizure, "Đã lưu, chưa gửi.", "Saved; nothing is sent yet."),
    "flash": (send_flash, "Đã gửi tin nhanh.", "The flash is sent."),
    "preliminary": (send_preliminary, "Đã gửi báo cáo sơ bộ.", "The preliminary report is sent."),
    "submitted": (submit_seizure, "Đã gửi báo cáo đầy đủ.", "The full report is submitted."),
}
