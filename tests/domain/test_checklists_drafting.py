"""`create_checklist`, `create_version`, `edit_version`: by trainers alone, and never seen by phones."""

from __future__ import annotations

from typing import Any

import pytest

from apps.audit.models import Event
from apps.changes.models import Change, Entry, Stream
from apps.checklists import actions
from apps.checklists.errors import CodeTaken, InvalidVersionNumber, VersionContentFrozen
from apps.checklists.models import Checklist, ChecklistVersion
from apps.common.errors import Conflict, InvalidFields, NotAllowed, NotFound
from apps.common.records import new_id
from tests.cast import Cast
from tests.reports import plain_content
from tests.work import newest_change, newest_event

NOT_AUTHORS = ("officer", "leader", "hq_reviewer", "approver", "administrator", "auditor", "liaison")


def checklist(cast: Cast, code: str = "thu") -> Checklist:
    return actions.create_checklist(
        actor=cast.trainer.actor(), code=code, applies_to="express", title=("Quy trình", "Checklist")
    )


def draft(cast: Cast, content: dict[str, Any] | None = None, semver: str = "1.0.0") -> ChecklistVersion:
    return actions.create_version(
        actor=cast.trainer.actor(),
        checklist=Checklist.objects.first() or checklist(cast),
        semver=semver,
        content=plain_content() if content is None else content,
    )


def test_a_checklist_is_a_row_a_change_and_an_event(cast: Cast) -> None:
    made = checklist(cast)
    assert (made.code, made.rev, made.title_vi, made.title_en) == ("thu", 1, "Quy trình", "Checklist")
    assert (newest_change(made.pk).kind, newest_change(made.pk).rev) == ("checklist.created", 1)
    assert (newest_event(made.pk).action, newest_event(made.pk).data) == (
        "checklist.created",
        {"code": "thu"},
    )


@pytest.mark.parametrize(
    ("code", "applies_to", "title"),
    [
        ("", "express", ("a", "b")),
        ("Ma trận", "express", ("a", "b")),
        ("x" * 41, "express", ("a", "b")),
        ("x", "moon", ("a", "b")),
        ("x", "express", ("", "b")),
        ("x", "express", ("a", " ")),
    ],
)
def test_a_checklist_has_code_type_and_both_titles(
    cast: Cast, code: str, applies_to: str, title: tuple[str, str]
) -> None:
    with pytest.raises(InvalidFields):
        actions.create_checklist(actor=cast.trainer.actor(), code=code, applies_to=applies_to, title=title)


def test_a_code_is_used_once(cast: Cast) -> None:
    checklist(cast)
    changes = Change.objects.count()
    with pytest.raises(CodeTaken):
        checklist(cast)
    assert Change.objects.count() == changes


def test_a_draft_may_have_faults_and_reaches_no_phone(cast: Cast) -> None:
    before = Entry.objects.filter(kind="checklist").count()
    version = draft(cast, {"sections": "later"})
    assert (version.status, version.rev, version.content_hash) == ("draft", 1, "")
    assert version.author == cast.trainer.officer
    assert version.contributors == [str(cast.trainer.officer.pk)]
    assert newest_change(version.pk).kind == "checklist.drafted"
    assert newest_event(version.pk).data["semver"] == "1.0.0"
    assert Entry.objects.filter(kind="checklist").count() == before
    assert not Stream.objects.filter(pk="ref").exists()


def test_a_version_number_is_used_once_and_has_three_parts(cast: Cast) -> None:
    draft(cast)
    with pytest.raises(CodeTaken):
        draft(cast)
    for semver in ("1", "1.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "", "1.0.0\n"):
        with pytest.raises(InvalidVersionNumber):
            draft(cast, semver=semver)


@pytest.mark.parametrize("person", NOT_AUTHORS)
def test_only_trainers_write(cast: Cast, person: str) -> None:
    version = draft(cast)
    actor = getattr(cast, person).actor()
    with pytest.raises(NotAllowed):
        actions.create_checklist(actor=actor, code="x", applies_to="express", title=("a", "b"))
    with pytest.raises(NotAllowed):
        actions.create_version(
            actor=actor, checklist=version.checklist, semver="2.0.0", content=plain_content()
        )
    with pytest.raises(NotAllowed):
        actions.edit_version(actor=actor, version_id=version.pk, content={})


def test_an_edit_replaces_the_content_and_names_the_writer(cast: Cast) -> None:
    version = draft(cast)
    edited = actions.edit_version(
        actor=cast.trainer.actor(),
        version_id=version.pk,
        content=plain_content(3),
        change_note=" Rút gọn\u202e ",
        base_rev=1,
    )
    edited.refresh_from_db()
    assert (edited.rev, edited.change_note) == (2, "Rút gọn")
    assert edited.content == plain_content(3)
    assert (newest_change(version.pk).kind, newest_change(version.pk).rev) == ("checklist.edited", 2)
    assert newest_event(version.pk).action == "checklist.edited"


def test_an_edit_of_an_old_revision_is_refused(cast: Cast) -> None:
    version = draft(cast)
    actions.edit_version(actor=cast.trainer.actor(), version_id=version.pk, content={}, base_rev=1)
    events = Event.objects.count()
    with pytest.raises(Conflict) as refused:
        actions.edit_version(actor=cast.trainer.actor(), version_id=version.pk, content={}, base_rev=1)
    assert refused.value.current == {"rev": 2, "status": "draft"}
    assert Event.objects.count() == events


def test_what_is_not_there_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        actions.edit_version(actor=cast.trainer.actor(), version_id=new_id(), content={})


def test_content_is_frozen_once_it_is_in_review(cast: Cast) -> None:
    version = draft(cast)
    actions.submit_for_review(actor=cast.trainer.actor(), version_id=version.pk)
    with pytest.raises(VersionContentFrozen):
        actions.edit_version(actor=cast.trainer.actor(), version_id=version.pk, content={})
    actions.approve_version(actor=cast.approver.actor(), version_id=version.pk)
    with pytest.raises(VersionContentFrozen):
        actions.edit_version(actor=cast.trainer.actor(), version_id=version.pk, content={})
