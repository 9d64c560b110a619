"""Every write to the tree: create a unit, rename it, move it under another parent, end it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.errors import NotAllowed
from apps.common.records import new_id
from apps.organisation.errors import UnitCodeTaken, UnitNotEmpty, UnitTreeCycle
from apps.organisation.models import Unit, UnitName, UnitParent, valid_on
from apps.organisation.queries import children, lines_of_command

KIND = "unit"


def create_unit(  # noqa: PLR0913  the fields of a unit
    *,
    actor: Actor,
    code: str,
    level: str,
    type: str,  # noqa: A002  the dictionary's word for the field
    names: tuple[str, str],
    valid_from: dt.date,
    parent: UUID | None = None,
    force: str = "customs",
    vnaccs_codes: Sequence[str] = (),
    id: UUID | None = None,  # noqa: A002  made where the record is born
) -> Unit:
    """Create a unit with its first name (vi, en) and, below the root, its first parent.

    Raises UnitCodeTaken, and NotAllowed for anyone but an administrator.
    """
    _may_administer(actor)
    try:
        with transaction.atomic():
            unit = Unit.objects.create(
                id=id or new_id(),
                code=code,
                level=level,
                type=type,
                force=force,
                vnaccs_codes=list(vnaccs_codes),
            )
            UnitName.objects.create(unit=unit, vi=names[0], en=names[1], valid_from=valid_from)
            if parent:
                UnitParent.objects.create(unit=unit, parent_id=parent, valid_from=valid_from)
            log(actor, "unit.created", KIND, unit.pk, {"code": code})
            record(actor, Item("unit.created", KIND, unit.pk, unit.rev))
    except IntegrityError as error:
        if Unit.objects.filter(code=code).exists():
            raise UnitCodeTaken from error
        raise
    return unit


@transaction.atomic
def rename_unit(*, actor: Actor, unit: Unit, names: tuple[str, str], valid_from: dt.date) -> Unit:
    """Give the unit a new name (vi, en) from a day on; the old name stays valid before it."""
    unit = _locked(actor, unit)
    UnitName.objects.filter(valid_on(valid_from), unit=unit).update(valid_to=valid_from)
    UnitName.objects.create(unit=unit, vi=names[0], en=names[1], valid_from=valid_from)
    return _changed(actor, unit, "unit.renamed", {"vi": names[0], "from": valid_from.isoformat()})


@transaction.atomic
def move_unit(*, actor: Actor, unit: Unit, parent: Unit, valid_from: dt.date) -> Unit:
    """Put the unit under another parent from a day on. Raises UnitTreeCycle."""
    unit = _locked(actor, unit)
    if unit.pk in lines_of_command([parent.pk], valid_from)[parent.pk]:
        raise UnitTreeCycle
    UnitParent.objects.filter(valid_on(valid_from), unit=unit).update(valid_to=valid_from)
    UnitParent.objects.create(unit=unit, parent=parent, valid_from=valid_from)
    return _changed(actor, unit, "unit.moved", {"parent": str(parent.pk), "from": valid_from.isoformat()})


@transaction.atomic
def end_unit(*, actor: Actor, unit: Unit, valid_to: dt.date) -> Unit:
    """Take a dissolved unit out of the tree from a day on; its name and its records stay. Raises UnitNotEmpty."""
    unit = _locked(actor, unit)
    if children(unit.pk, valid_to):
        raise UnitNotEmpty
    UnitParent.objects.filter(valid_on(valid_to), unit=unit).update(valid_to=valid_to)
    return _changed(actor, unit, "unit.ended", {"to": valid_to.isoformat()})


def _locked(actor: Actor, unit: Unit) -> Unit:
    _may_administer(actor)
    return Unit.objects.select_for_update().get(pk=unit.pk)


def _changed(actor: Actor, unit: Unit, kind: str, data: dict[str, str]) -> Unit:
    unit.rev += 1
    unit.save(update_fields=["rev", "updated_at"])
    log(actor, kind, KIND, unit.pk, data)
    record(actor, Item(kind, KIND, unit.pk, unit.rev))
    return unit


def _may_administer(actor: Actor) -> None:
    if not (actor.is_system or actor.has_role("administrator")):
        raise NotAllowed
