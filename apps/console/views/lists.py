"""Reference lists as phones hold them: to read and to search; they change by import alone. Substances have a page."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.common.text import clean_text
from apps.console.rooms import LISTS, ConsoleRequest, opens
from apps.organisation.queries import today
from apps.reference.models import ReferenceEntry, ReferenceList
from apps.reference.queries import SUBSTANCES, controls_on
from apps.reference.queries import substances as all_substances

PAGE = 50


@opens(LISTS)
@require_safe
def lists(request: ConsoleRequest) -> HttpResponse:
    """Name the lists, with how many entries each has and when it was imported."""
    found = ReferenceList.objects.visible_to(request.actor).order_by("slug")
    return render(request, "console/lists/lists.html", {"lists": found})


@opens(LISTS)
@require_safe
def entries(request: ConsoleRequest, list_id: UUID) -> HttpResponse:
    """Show a list, a page at a time; `?q=` searches keys and labels."""
    listed = get_object_or_404(ReferenceList.objects.visible_to(request.actor), pk=list_id)
    text = clean_text(request.GET.get("q", ""))[:60]
    found = ReferenceEntry.objects.visible_to(request.actor).filter(list=listed)
    page = Paginator(found.search(text).order_by("key"), PAGE).get_page(request.GET.get("page"))
    return render(request, "console/lists/entries.html", {"list": listed, "page": page, "q": text})


@opens(LISTS)
@require_safe
def substances(request: ConsoleRequest) -> HttpResponse:
    """Show the substances with every name they go by, and the legal lists they stand on on a day (`?on=`)."""
    text = clean_text(request.GET.get("q", ""))[:60]
    on = _day(request.GET.get("on", ""))
    entries = ReferenceEntry.objects.visible_to(request.actor).filter(list__slug=SUBSTANCES)
    known, lists = all_substances(), controls_on(on)
    rows = [
        {"substance": known[key], "controls": lists.get(key, [])}
        for key in entries.search(text).order_by("label_vi").values_list("key", flat=True)
    ]
    return render(request, "console/lists/substances.html", {"rows": rows, "q": text, "on": on})


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return today()
