"""The temporary store of a unit: what lies there now or lay there on a day, what waits, and counts."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import Role
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.text import pick
from apps.console.custody_forms import CountForm, several
from apps.console.refusals import refusal_of
from apps.console.rooms import STORE, ConsoleRequest, opens
from apps.custody.actions import count_store
from apps.custody.models import STORE_READERS, Exhibit, HandOver, StoreCount
from apps.custody.queries import count_in_stores, in_store, label
from apps.organisation.queries import code_of, names

SHOWN_COUNTS = 10


@opens(STORE)
@require_safe
def store(request: ConsoleRequest) -> HttpResponse:
    """Show a unit's store (`?unit=`) as it is, or as it was at the end of a day (`?on=`)."""
    return _page(request, CountForm())


@opens(STORE)
@require_POST
def count(request: ConsoleRequest, unit_id: UUID) -> HttpResponse:
    """Write down a count of a unit's store."""
    if unit_id not in request.actor.reach_of(*STORE_READERS):
        raise Http404
    form = CountForm(request.POST)
    if not form.is_valid():
        return _page(request, form, unit_id, 422)
    data = form.cleaned_data
    try:
        count_store(
            actor=request.actor,
            unit_id=unit_id,
            found=several(data["found"], "\n"),
            fields={"witness": data["witness"], "note": data["note"]},
        )
    except DomainError as error:
        refusal = refusal_of(error)
        messages.error(request, " ".join((refusal.title, *(fault.words for fault in refusal.problems))))
        return _page(request, form, unit_id, refusal.status)
    messages.success(request, pick("Đã ghi kết quả kiểm kê.", "The count is written down."))
    return redirect(reverse("console:store") + f"?unit={unit_id}")


def _page(
    request: ConsoleRequest, form: CountForm, unit_id: UUID | None = None, status: int = 200
) -> HttpResponse:
    actor = request.actor
    units = _units(actor)
    chosen = unit_id or _chosen(request, [pk for pk, _ in units])
    day = parse_date_or_none(request.GET.get("on", ""))
    moment = _end_of(day) if day else timezone.now()
    rows = in_store(actor, chosen, moment) if chosen else []
    held = count_in_stores(actor, [pk for pk, _ in units], moment) if len(units) > 1 else {}
    posts = actor.post_ids()
    offers = HandOver.objects.visible_to(actor).filter(state=HandOver.State.OFFERED)
    context = {
        "units": units,
        "unit": chosen,
        "unit_name": dict(units).get(chosen, "") if chosen else "",
        "day": day,
        "rows": [(label(row.exhibit), row) for row in rows],
        "stores": [(pk, name, held[pk]) for pk, name in units if pk in held],
        "offers": offers.filter(receiver_posting_id__in=posts).select_related("giver"),
        "stopped": [
            (label(e), e)
            for e in Exhibit.objects.visible_to(actor)
            .filter(unit_id__in=[pk for pk, _ in units])
            .exclude(stop="")
            .select_related("report")
        ],
        "counts": StoreCount.objects.visible_to(actor)
        .filter(unit_id=chosen)
        .select_related("officer")[:SHOWN_COUNTS]
        if chosen
        else [],
        "form": form if chosen in actor.reach_of(Role.CUSTODIAN, Role.LEADER) and not day else None,
    }
    return render(request, "console/custody/store.html", context, status=status)


def _units(actor: Actor) -> list[tuple[UUID, str]]:
    """Give the units in reach that hold or held exhibits, and one's own, by code."""
    reach = actor.reach_of(*STORE_READERS)
    held = set(Exhibit.objects.visible_to(actor).filter(unit_id__in=reach).values_list("unit_id", flat=True))
    own = {post.unit_id for post in actor.posts if post.role in STORE_READERS}
    found = held | own
    called = names(found)
    return [(pk, called.get(pk, code_of(pk))) for pk in sorted(found, key=code_of)]


def _chosen(request: ConsoleRequest, units: list[UUID]) -> UUID | None:
    try:
        wanted = UUID(request.GET.get("unit", ""))
    except ValueError:
        wanted = None
    own = [post.unit_id for post in request.actor.posts if post.unit_id in units]
    return wanted if wanted in units else next(iter((*own, *units)), None)


def parse_date_or_none(text: str) -> dt.date | None:
    """Read a day of the address; what is none is as good as not given."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def _end_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.max))
