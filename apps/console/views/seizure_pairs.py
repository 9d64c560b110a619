"""Reports that may tell of one seizure: the open questions and a person's answers; agreement to a joint seizure."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.common.text import pick, say
from apps.console.refusals import told
from apps.console.rooms import SEIZURES, ConsoleRequest, opens
from apps.organisation.queries import names, today
from apps.seizures.actions import (
    agree_participation,
    hold_apart,
    join_incidents,
    merge_seizures,
    part_seizures,
)
from apps.seizures.duplicates import open_pairs
from apps.seizures.models import SeizureReport

PAGE = 25
LOOK_BACK = dt.timedelta(days=120)
REASONS = {
    "consignment": say(
        "cùng số vận đơn, container hoặc tờ khai", "the same waybill, container or declaration"
    ),
    "seal": say("cùng số niêm phong", "the same seal"),
    "person": say("cùng giấy tờ của đối tượng", "the same document of a person"),
    "circumstances": say("cùng nơi, thời gian, chất và lượng", "the same place, time, substance and amount"),
}


@opens(SEIZURES)
@require_safe
def duplicates(request: ConsoleRequest) -> HttpResponse:
    """List the pairs of the last four months that nobody has judged."""
    pairs = open_pairs(request.actor, today() - LOOK_BACK)
    page = Paginator(pairs, PAGE).get_page(request.GET.get("page"))
    called = names({r.unit_id for pair in page for r in (pair.older, pair.newer)})
    rows = [
        {
            "pair": pair,
            "why": [REASONS[reason] for reason in pair.reasons],
            "reports": [(r, called.get(r.unit_id, "")) for r in (pair.older, pair.newer)],
        }
        for pair in page
    ]
    return render(request, "console/seizures/duplicates.html", {"page": page, "rows": rows})


@opens(SEIZURES)
@require_POST
def judge(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Carry out a person's word about two reports: one into the other, one incident, apart, or parted again."""
    found = _visible(request, report_id)
    other, reason = _other(request.POST.get("other", "")), request.POST.get("reason", "")
    actor, verdict = request.actor, request.POST.get("verdict", "")
    if verdict == "part":
        with told(request, pick("Đã tách lại; báo cáo được tính như trước.", "Parted; it counts as before.")):
            part_seizures(actor=actor, report_id=found.pk, reason=reason)
    elif verdict == "led_by":
        other = _numbered(request, request.POST.get("number", ""))
        if other is None:
            messages.error(
                request, pick("Không có báo cáo mang số này.", "There is no report of this number.")
            )
            return redirect("console:seizure", found.pk)
        with told(
            request, pick("Đã ghi là cùng một vụ, số liệu giữ nguyên.", "One incident; each counts on.")
        ):
            join_incidents(actor=actor, report_id=found.pk, other_id=other, reason=reason)
    elif other is None:
        raise Http404
    elif verdict == "into_other":
        with told(request, pick("Đã nhập vào báo cáo kia.", "Merged into the other report.")):
            merge_seizures(actor=actor, report_id=found.pk, survivor_id=other, reason=reason)
    elif verdict == "absorb":
        with told(request, pick("Đã nhập báo cáo kia vào đây.", "The other report is merged into this one.")):
            merge_seizures(actor=actor, report_id=other, survivor_id=found.pk, reason=reason)
    elif verdict == "apart":
        with told(request, pick("Đã ghi nhận là hai vụ khác nhau.", "Noted as two different seizures.")):
            hold_apart(actor=actor, report_id=found.pk, other_id=other, reason=reason)
    else:
        raise Http404
    return redirect("console:seizure", found.pk)


@opens(SEIZURES)
@require_POST
def agree(request: ConsoleRequest, report_id: UUID) -> HttpResponse:
    """Agree to the role that one's unit is given."""
    found = _visible(request, report_id)
    with told(request, pick("Đã xác nhận vai trò của đơn vị.", "The role of the unit is agreed.")):
        agree_participation(actor=request.actor, report_id=found.pk)
    return redirect("console:seizure", found.pk)


def _visible(request: ConsoleRequest, report_id: UUID) -> SeizureReport:
    rows = SeizureReport.objects.visible_to(request.actor).filter(is_draft=False)
    return get_object_or_404(rows, pk=report_id)


def _numbered(request: ConsoleRequest, number: str) -> UUID | None:
    """Find a visible report by its number."""
    rows = SeizureReport.objects.visible_to(request.actor).filter(
        is_draft=False, number__iexact=number.strip()
    )
    return rows.values_list("pk", flat=True).first()


def _other(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
