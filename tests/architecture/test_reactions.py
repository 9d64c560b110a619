"""The table of reactions speaks of changes that happen and of tasks that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from celery import current_app

from backend.celery import app
from backend.reactions import REACTIONS
from tests.architecture.source import calls, functions, modules, tree

_KIND = re.compile(r"[a-z]+\.[a-z_]+")


def kinds_in_code() -> set[str]:
    """Give the kinds that actions give to the feed: written in the call, or as a constant of the module."""
    trees = [tree(path) for path in modules("apps") if "actions" in path.parts or path.stem == "actions"]
    makers = _makers(trees)
    return {kind for module in trees for kind in _kinds(module, makers)}


def _makers(trees: Sequence[ast.Module]) -> set[str]:
    """Find what makes a change: `Item` of the feed, and every function that hands a parameter of its own to a maker."""
    makers, found = {"Item"}, {"Item"}
    while found:
        found = {
            function.name
            for module in trees
            for function in functions(module)
            for called, call in calls(function)
            if called in makers
            and _names(call) & {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
        } - makers
        makers |= found
    return makers


def _kinds(module: ast.Module, makers: set[str]) -> Iterator[str]:
    given = [argument for maker, call in calls(module) if maker in makers for argument in _arguments(call)]
    named = [
        node.value for node in module.body if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value
    ]
    for node in (inner for outer in (*given, *named) for inner in ast.walk(outer)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KIND.fullmatch(node.value):
            yield node.value


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _names(call: ast.Call) -> set[str]:
    return {argument.id for argument in _arguments(call) if isinstance(argument, ast.Name)}


def test_every_change_that_is_reacted_to_happens() -> None:
    assert {
        "inspection.submitted",
        "checklist.published",
    } <= kinds_in_code()  # the search finds what it should
    assert not set(REACTIONS) - kinds_in_code()


def test_every_task_of_the_table_is_registered() -> None:
    app.loader.import_default_modules()
    wanted = {task for tasks in REACTIONS.values() for task in tasks}
    assert not wanted - set(current_app.tasks)


def test_every_scheduled_task_is_registered() -> None:
    app.loader.import_default_modules()
    assert not {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks)


def test_no_task_is_named_twice_for_one_change() -> None:
    for kind, tasks in REACTIONS.items():
        assert len(set(tasks)) == len(tasks), kind
