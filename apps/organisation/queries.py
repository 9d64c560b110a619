"""Reads of the tree as of a day: what stands below a unit, what above, what units are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.utils import timezone

from apps.common.text import pick
from apps.organisation.models import Unit, UnitName, UnitParent, valid_on
from apps.organisation.rules import below, chain, children_of


def today() -> dt.date:
    """Give the date in Vietnam: the day by which the service counts."""
    return timezone.localdate()


def subtrees(units: Iterable[UUID], day: dt.date | None = None) -> dict[UUID, frozenset[UUID]]:
    """Give for each unit the set of itself and everything below it on the day (today when not said)."""
    links = UnitParent.objects.filter(valid_on(day or today())).values_list("unit_id", "parent_id")
    children = children_of(links)
    return {unit: below(unit, children) for unit in units}


def lines_of_command(units: Iterable[UUID], day: dt.date | None = None) -> dict[UUID, list[UUID]]:
    """Give for each unit the line unit → … → root on the day."""
    parent_of = dict(UnitParent.objects.filter(valid_on(day or today())).values_list("unit_id", "parent_id"))
    return {unit: chain(unit, parent_of) for unit in units}


def children(unit: UUID, day: dt.date | None = None) -> list[UUID]:
    """Give the units directly below, ordered by code."""
    rows = UnitParent.objects.filter(valid_on(day or today()), parent_id=unit).order_by("unit__code")
    return list(rows.values_list("unit_id", flat=True))


def roots(day: dt.date | None = None) -> list[UUID]:
    """Give the customs units that stand under nobody on the day but have units below them."""
    links = UnitParent.objects.filter(valid_on(day or today()))
    tops = Unit.objects.filter(pk__in=links.values("parent_id")).exclude(pk__in=links.values("unit_id"))
    return list(tops.order_by("code").values_list("pk", flat=True))


def names(units: Iterable[UUID] | None = None, day: dt.date | None = None) -> dict[UUID, str]:
    """Give the names on the day, in the language of the request; all units when none are named."""
    rows = UnitName.objects.filter(valid_on(day or today()))
    if units is not None:
        rows = rows.filter(unit_id__in=list(units))
    return {unit: pick(vi, en) for unit, vi, en in rows.values_list("unit_id", "vi", "en")}


def names_by_code() -> dict[str, str]:
    """Give what every unit is called today, by its code, in the language of the request."""
    called = names()
    return {code: called[pk] for pk, code in Unit.objects.values_list("pk", "code") if pk in called}


def tree_changes(first: dt.date, last: dt.date) -> list[dt.date]:
    """Give the days after `first`, up to `last`, on which some unit got another parent (or lost its own)."""
    starts = UnitParent.objects.filter(valid_from__gt=first, valid_from__lte=last).values_list("valid_from")
    ends = UnitParent.objects.filter(valid_to__gt=first, valid_to__lte=last).values_list("valid_to")
    return sorted(day for (day,) in starts.union(ends))


@lru_cache(maxsize=4096)
def code_of(unit: UUID) -> str:
    """Give the code of a unit; kept, since codes never change."""
    return Unit.objects.values_list("code", flat=True).get(pk=unit)
