"""Delivery code (phone API, console) reads only through `visible_to` and writes only through actions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django.apps import apps

from tests.architecture.source import DELIVERY, calls, modules, name, parents, tree

# Reads of rows that are not asked for as anybody: none.
READS_WITHOUT_ACTOR: dict[str, str] = {}
WRITES = frozenset(
    "save asave create acreate update aupdate delete adelete bulk_create bulk_update get_or_create "
    "update_or_create select_for_update raw extra".split()
)
# `file: call` → why it writes no row.
NOT_ROWS = {
    "mobile_api/uploads/bodies.py: seen.update": "a running digest",
}


def test_delivery_reads_rows_through_visible_to() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in modules(*DELIVERY)
        for node in _unguarded(tree(path))
        if name(path) not in READS_WITHOUT_ACTOR
    ]
    assert not found, "`.objects` must be followed by `.visible_to(`: " + ", ".join(found)


def _unguarded(module: ast.Module) -> Iterator[ast.Attribute]:
    above = parents(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}:
            asked = above.get(node)
            called = above.get(asked) if asked is not None else None
            is_guarded = isinstance(asked, ast.Attribute) and asked.attr == "visible_to"
            if not (is_guarded and isinstance(called, ast.Call) and called.func is asked):
                yield node


def test_delivery_writes_through_actions_alone() -> None:
    found = [
        f"{name(path)}:{call.lineno} {ast.unparse(call.func)}"
        for path in modules(*DELIVERY)
        for verb, call in calls(tree(path))
        if verb in WRITES and f"{name(path)}: {ast.unparse(call.func)}" not in NOT_ROWS
    ]
    assert not found, "only actions write: " + ", ".join(found)


def test_the_exceptions_are_still_needed() -> None:
    there = {
        f"{name(path)}: {ast.unparse(c.func)}" for path in modules(*DELIVERY) for _, c in calls(tree(path))
    }
    assert not set(NOT_ROWS) - there


def test_delivery_has_no_models_and_no_raw_sql() -> None:
    own = {"console", "field", "mobile_api"}
    assert not [model for model in apps.get_models() if model._meta.app_label in own]
    found = [
        name(path)
        for path in modules(*DELIVERY)
        for verb, _ in calls(tree(path))
        if verb in {"cursor", "execute"}
    ]
    assert not found
