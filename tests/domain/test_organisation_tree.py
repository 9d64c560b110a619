"""The tree of units through its actions: dated names and parents, what was, what is, and who may change it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.actor import SYSTEM, Actor, Post
from apps.common.errors import NotAllowed
from apps.common.records import new_id
from apps.organisation.actions import create_unit, end_unit, move_unit, rename_unit
from apps.organisation.errors import UnitCodeTaken, UnitNotEmpty, UnitTreeCycle
from apps.organisation.models import Unit
from apps.organisation.queries import children, lines_of_command, names, roots, subtrees, tree_changes

OLD, REFORM = dt.date(2020, 1, 1), dt.date(2025, 3, 1)
BEFORE, AFTER = dt.date(2024, 8, 20), dt.date(2025, 8, 20)


def unit(code: str, parent: Unit | None = None, **fields: Any) -> Unit:
    values: dict[str, Any] = {"level": "gate", "type": "land_border", "names": (f"{code} cũ", f"{code} old")}
    return create_unit(
        actor=SYSTEM, code=code, valid_from=OLD, parent=parent.pk if parent else None, **(values | fields)
    )


@pytest.fixture
def tree(db: None) -> dict[str, Unit]:
    units = {"HQ": unit("HQ")}
    units["QTR"], units["KV9"] = unit("QTR", units["HQ"]), unit("KV9", units["HQ"])
    units["LBA"] = unit("LBA", units["QTR"])
    return units


def test_a_unit_is_created_with_its_trail(tree: dict[str, Unit]) -> None:
    made = tree["LBA"]
    assert made.rev == 1
    assert names([made.pk], BEFORE) == {made.pk: "LBA cũ"}
    assert Change.objects.filter(kind="unit.created", oid=made.pk).count() == 1
    assert Event.objects.filter(action="unit.created", oid=made.pk).count() == 1


def test_a_code_is_given_once(tree: dict[str, Unit]) -> None:
    with pytest.raises(UnitCodeTaken):
        unit("LBA")


def test_a_move_counts_from_its_day_on(tree: dict[str, Unit]) -> None:
    hq, old, new, gate = (tree[c].pk for c in ("HQ", "QTR", "KV9", "LBA"))
    move_unit(actor=SYSTEM, unit=tree["LBA"], parent=tree["KV9"], valid_from=REFORM)
    assert lines_of_command([gate], BEFORE)[gate] == [gate, old, hq]
    assert lines_of_command([gate], AFTER)[gate] == [gate, new, hq]
    assert subtrees([old], REFORM - dt.timedelta(days=1))[old] == {old, gate}
    assert subtrees([old], REFORM)[old] == {old}
    assert tree_changes(BEFORE, AFTER) == [REFORM]
    assert tree_changes(REFORM, AFTER) == []


def test_a_name_counts_from_its_day_on(tree: dict[str, Unit]) -> None:
    gate = rename_unit(actor=SYSTEM, unit=tree["LBA"], names=("LBA mới", "LBA new"), valid_from=REFORM)
    assert names([gate.pk], BEFORE)[gate.pk] == "LBA cũ"
    assert names([gate.pk], REFORM)[gate.pk] == "LBA mới"
    assert gate.rev == 2


def test_a_dissolved_unit_leaves_the_tree_and_keeps_its_name(tree: dict[str, Unit]) -> None:
    with pytest.raises(UnitNotEmpty):
        end_unit(actor=SYSTEM, unit=tree["QTR"], valid_to=REFORM)
    move_unit(actor=SYSTEM, unit=tree["LBA"], parent=tree["KV9"], valid_from=REFORM)
    ended = end_unit(actor=SYSTEM, unit=tree["QTR"], valid_to=REFORM)
    assert ended.pk in children(tree["HQ"].pk, BEFORE)
    assert ended.pk not in children(tree["HQ"].pk, AFTER)
    assert names([ended.pk], AFTER)[ended.pk] == "QTR cũ"
    assert roots(AFTER) == [tree["HQ"].pk]


def test_no_unit_stands_below_itself(tree: dict[str, Unit]) -> None:
    with pytest.raises(UnitTreeCycle):
        move_unit(actor=SYSTEM, unit=tree["QTR"], parent=tree["LBA"], valid_from=REFORM)


def test_only_administrators_change_the_tree(tree: dict[str, Unit]) -> None:
    leader = Actor(new_id(), posts=(Post(new_id(), tree["HQ"].pk, "leader", frozenset()),))
    with pytest.raises(NotAllowed):
        rename_unit(actor=leader, unit=tree["LBA"], names=("a", "b"), valid_from=REFORM)
    with pytest.raises(NotAllowed):
        move_unit(actor=leader, unit=tree["LBA"], parent=tree["KV9"], valid_from=REFORM)
    with pytest.raises(NotAllowed):
        end_unit(actor=leader, unit=tree["LBA"], valid_to=REFORM)


def test_liaisons_see_partners_only(tree: dict[str, Unit]) -> None:
    partner = unit("KCS", level="partner", type="foreign")
    liaison = Actor(new_id(), posts=(Post(new_id(), partner.pk, "liaison", frozenset()),))
    officer = Actor(new_id(), posts=(Post(new_id(), partner.pk, "officer", frozenset()),))
    assert list(Unit.objects.visible_to(liaison)) == [partner]
    assert Unit.objects.visible_to(officer).count() == 5
    assert not Unit.objects.visible_to(Actor(new_id())).exists()
