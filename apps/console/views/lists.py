"""Reference lists as phones hold them: to read and to search; they change by import alone."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.common.text import clean_text
from apps.console.rooms import LISTS, ConsoleRequest, opens
from apps.reference.models import ReferenceEntry, ReferenceList

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
    if text:
        found = found.filter(
            Q(key__icontains=text) | Q(label_vi__icontains=text) | Q(label_en__icontains=text)
        )
    page = Paginator(found.order_by("key"), PAGE).get_page(request.GET.get("page"))
    return render(request, "console/lists/entries.html", {"list": listed, "page": page, "q": text})
