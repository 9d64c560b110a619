"""Checklists: who sees which version, the life of a version by buttons, comparison, editing of drafts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from apps.checklists.models import Checklist, ChecklistVersion
from apps.checklists.rules import check_content
from apps.checklists.rules.values import KINDS
from apps.console.paper import place
from tests.console.conftest import As
from tests.console.scene import CONTENT, Scene

BASE = "/console/checklists/versions"


def move(client: Client, version: ChecklistVersion, step: str, **fields: Any) -> Any:
    version.refresh_from_db()
    return client.post(
        f"{BASE}/{version.pk}/step/", {"step": step, "base_rev": version.rev, **fields}, follow=True
    )


def test_work_in_progress_is_for_trainers_and_approvers(scene: Scene, signed_in: As) -> None:
    draft = scene.draft()
    for name, status in (("trainer", 200), ("approver", 200), ("officer", 404), ("leader", 404)):
        assert signed_in(name).get(f"{BASE}/{draft.pk}/").status_code == status
    assert "1.1.0" not in signed_in("officer").get("/console/checklists/").content.decode()


def test_page_shows_the_steps_in_both_languages(scene: Scene, signed_in: As) -> None:
    html = signed_in("officer").get(f"{BASE}/{scene.version.pk}/").content.decode()
    for text in ("Luồng kiểm tra", "Channel of the check", "Luồng đỏ", "Red channel", "ảnh 2–4: Toàn cảnh"):
        assert text in html


def test_life_of_a_version_by_buttons(scene: Scene, signed_in: As) -> None:
    draft, trainer, approver = scene.draft(), signed_in("trainer"), signed_in("approver")
    move(trainer, draft, "submit")
    assert "Phải ghi lý do." in move(approver, draft, "reject").content.decode()
    move(approver, draft, "reject", reason="Bước 2 chưa rõ")
    draft.refresh_from_db()
    assert (draft.status, draft.status_note) == ("draft", "Bước 2 chưa rõ")
    move(trainer, draft, "submit")
    move(approver, draft, "approve")
    move(trainer, draft, "publish")
    draft.refresh_from_db()
    scene.version.refresh_from_db()
    assert (draft.status, scene.version.status) == ("published", "closing")
    move(trainer, draft, "withdraw", reason="Sai căn cứ")
    draft.refresh_from_db()
    assert draft.status == "withdrawn"


def test_author_may_not_approve_and_is_told_why(scene: Scene, signed_in: As) -> None:
    draft = scene.draft()
    scene.give("trainer", "approver")
    trainer = signed_in("trainer")
    move(trainer, draft, "submit")
    html = trainer.get(f"{BASE}/{draft.pk}/").content.decode()
    assert "người khác phải duyệt" in html
    answer = move(trainer, draft, "approve")
    assert answer.status_code == 403
    assert "không được tự duyệt" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "step"), [("officer", "publish"), ("leader", "withdraw"), ("approver", "submit")]
)
def test_buttons_of_others_do_nothing(scene: Scene, signed_in: As, name: str, step: str) -> None:
    version = scene.version if name != "approver" else scene.draft()
    before = version.status
    assert move(signed_in(name), version, step, reason="x").status_code == 403
    version.refresh_from_db()
    assert version.status == before


def test_stale_button_is_refused(scene: Scene, signed_in: As) -> None:
    draft = scene.draft()
    answer = signed_in("trainer").post(f"{BASE}/{draft.pk}/step/", {"step": "submit", "base_rev": 99})
    assert answer.status_code == 409


def test_new_draft_from_a_version_and_the_comparison(scene: Scene, signed_in: As) -> None:
    client = signed_in("trainer")
    answer = client.post(f"{BASE}/{scene.version.pk}/draft/", {"semver": "1.2.0", "change_note": "Sửa chữ"})
    draft = ChecklistVersion.objects.get(semver="1.2.0")
    assert answer.headers["Location"] == f"{BASE}/{draft.pk}/edit/"
    client.post(f"{BASE}/{draft.pk}/edit/", plain(draft, **{"s0.k1.text.vi": "Luồng kiểm tra nào?"}))
    differences = client.get(f"{BASE}/{draft.pk}/compare/").context["differences"]
    assert [(d.key, d.what) for d in differences] == [("lane", "altered")]
    taken = client.post(f"{BASE}/{scene.version.pk}/draft/", {"semver": "1.2.0"})
    assert taken.status_code == 409
    assert client.post(f"{BASE}/{scene.version.pk}/draft/", {"semver": "một"}).status_code == 422


def plain(version: ChecklistVersion, **changed: str) -> dict[str, str]:
    fields = {"form": "plain", "base_rev": str(version.rev), "change_note": "Sửa chữ"}
    for i, section in enumerate(version.content["sections"]):
        for j, step in enumerate(section["steps"]):
            fields[f"s{i}.k{j}.here"] = "1"
            if step.get("required"):
                fields[f"s{i}.k{j}.required"] = "1"
    return {**fields, **changed}


def test_plain_form_changes_what_it_shows_and_nothing_else(scene: Scene, signed_in: As) -> None:
    draft = scene.draft()
    fields = plain(draft, **{"s0.k2.required": "1", "s1.k0.photos": "3", "s0.title.en": "Before"})
    del fields["s0.k0.required"]
    signed_in("trainer").post(f"{BASE}/{draft.pk}/edit/", fields)
    draft.refresh_from_db()
    steps = [s for section in draft.content["sections"] for s in section["steps"]]
    assert [s.get("required") for s in steps[:3]] == [False, True, True]
    assert steps[3]["photos"] == {"min": 3, "max": 4, "purpose": "overview", "original": False}
    assert draft.content["sections"][0]["title"]["en"] == "Before"
    assert steps[1]["options"] == CONTENT["sections"][0]["steps"][1]["options"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "3",
        '{"a": NaN}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"sections": ' * 50_000,
    ],
)
def test_json_that_cannot_be_kept_stays_on_the_page(scene: Scene, signed_in: As, text: str) -> None:
    draft = scene.draft()
    answer = signed_in("trainer").post(
        f"{BASE}/{draft.pk}/edit/", {"form": "json", "base_rev": draft.rev, "content": text}
    )
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.content == CONTENT


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"sections": 3},
        {"sections": [{"steps": [{"text": 3, "photos": [], "options": [1], "kind": []}]}]},
        {"sections": [None]},
    ],
)
def test_faulty_draft_is_saved_shown_and_not_submitted(scene: Scene, signed_in: As, content: Any) -> None:
    draft, client = scene.draft(), signed_in("trainer")
    fields = {"form": "json", "base_rev": draft.rev, "content": json.dumps(content)}
    page = client.post(f"{BASE}/{draft.pk}/edit/", fields, follow=True)
    assert page.status_code == 200
    assert page.context["faults"]
    assert client.get(f"{BASE}/{draft.pk}/").status_code == 200
    assert client.get(f"{BASE}/{draft.pk}/compare/").status_code == 200
    refused = move(client, draft, "submit")
    assert refused.status_code == 422
    assert "Nội dung bảng kiểm còn lỗi." in refused.content.decode()


def test_editing_is_for_trainers_on_drafts_with_the_newest_revision(scene: Scene, signed_in: As) -> None:
    draft = scene.draft()
    assert signed_in("approver").get(f"{BASE}/{draft.pk}/edit/").status_code == 404
    assert signed_in("trainer").get(f"{BASE}/{scene.version.pk}/edit/").status_code == 302
    stale = signed_in("trainer").post(
        f"{BASE}/{draft.pk}/edit/", {**plain(draft, **{"s0.k0.text.vi": "Chữ mới gõ"}), "base_rev": "7"}
    )
    assert stale.status_code == 409
    assert "Chữ mới gõ" in stale.content.decode()


def test_new_checklist(scene: Scene, signed_in: As) -> None:
    fields = {"code": "vessel_search", "applies_to": "vessel", "title_vi": "Tàu biển", "title_en": "Vessel"}
    signed_in("trainer").post("/console/checklists/new/", fields)
    assert Checklist.objects.get(code="vessel_search").versions.get().status == "draft"
    again = signed_in("trainer").post("/console/checklists/new/", fields)
    assert again.status_code == 409
    assert "Tàu biển" in again.content.decode()
    assert (
        signed_in("officer").post("/console/checklists/new/", {**fields, "code": "other"}).status_code == 403
    )


def test_what_a_new_checklist_lacks_is_named_as_the_form_names_it(scene: Scene, signed_in: As) -> None:
    typed = {"code": "Ma Trận", "applies_to": "postal", "title_vi": "Bưu phẩm", "title_en": ""}
    answer = signed_in("trainer").post(f"{BASE.removesuffix('/versions')}/new/", typed)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "<li>Mã: " in html
    assert "<li>Tên: " in html
    assert not Checklist.objects.filter(title_vi="Bưu phẩm").exists()


def test_places_are_named_as_people_count() -> None:
    with translation.override("vi"):
        assert place("/sections/0/steps/1/options/2/label/vi") == "Phần 1, bước 2, lựa chọn 3, tiếng Việt"
        assert place("/sections/0/steps/1/options/2/value") == "Phần 1, bước 2, lựa chọn 3"


class TestArranging:
    """The buttons of the plain form that add, move and take out."""

    def press(self, client: Client, draft: ChecklistVersion, do: str, **typed: str) -> str:
        draft.refresh_from_db()
        answer = client.post(f"{BASE}/{draft.pk}/edit/", plain(draft, do=do, **typed))
        assert answer.status_code == 302, do
        draft.refresh_from_db()
        return answer.headers["Location"].partition("#")[2]

    def test_a_checklist_is_written_without_json(self, scene: Scene, signed_in: As) -> None:
        trainer = signed_in("trainer")
        made = {"code": "postal_x", "applies_to": "postal", "title_vi": "Bưu phẩm", "title_en": "Mail"}
        trainer.post(f"{BASE.removesuffix('/versions')}/new/", made)
        draft = ChecklistVersion.objects.get(checklist__code="postal_x")
        assert self.press(trainer, draft, "section") == "s1"
        for n, kind in enumerate(KINDS):
            assert self.press(trainer, draft, "step s1", **{"s1.kind": kind}) == f"s1.k{n}"
        typed = {"s1.title.vi": "Kiểm tra", "s1.title.en": "Check"}
        for n, kind in enumerate(KINDS):
            typed |= {f"s1.k{n}.text.vi": f"Bước {kind}", f"s1.k{n}.text.en": f"Step {kind}"}
            for o in range(2) if kind in {"choice", "multi"} else ():
                typed |= {f"s1.k{n}.o{o}.vi": f"Chọn {o}", f"s1.k{n}.o{o}.en": f"Choose {o}"}
        measure = KINDS.index("measure")
        self.press(trainer, draft, "", **typed, **{f"s1.k{measure}.unit": "ml"})
        assert [step["kind"] for step in draft.content["sections"][1]["steps"]] == list(KINDS)
        assert draft.content["sections"][1]["steps"][measure]["unit"] == "ml"
        assert check_content(draft.content) == []
        move(trainer, draft, "submit")
        draft.refresh_from_db()
        assert draft.status == "in_review"

    def test_steps_sections_and_options_move_and_go(self, scene: Scene, signed_in: As) -> None:
        draft, trainer = scene.draft(), signed_in("trainer")

        def keys() -> list[list[str]]:
            return [[step["key"] for step in section["steps"]] for section in draft.content["sections"]]

        before = keys()
        assert self.press(trainer, draft, "down s0.k0") == "s0.k1"
        assert keys()[0] == [before[0][1], before[0][0], *before[0][2:]]
        assert self.press(trainer, draft, "up s0.k1") == "s0.k0"
        assert keys() == before
        assert self.press(trainer, draft, "up s0.k0") == "s0.k0"
        assert self.press(trainer, draft, "down s0") == "s1"
        assert keys() == [before[1], before[0], *before[2:]]
        self.press(trainer, draft, "up s1")
        assert self.press(trainer, draft, "option s0.k1") == "s0.k1"
        options = [option["value"] for option in draft.content["sections"][0]["steps"][1]["options"]]
        assert options[-1] == "option_1"
        self.press(trainer, draft, "", **{"s0.k1.o0.drop": "1"})
        left = [option["value"] for option in draft.content["sections"][0]["steps"][1]["options"]]
        assert left == options[1:]
        assert self.press(trainer, draft, "drop s0.k0") == "s0"
        assert keys()[0] == before[0][1:]
        self.press(trainer, draft, "drop s0")
        assert keys() == before[1:]

    @pytest.mark.parametrize(
        "do",
        [
            "drop s9",
            "drop s0.k99",
            "up",
            "step s0",
            "option s0",
            "drop s-1",
            "s0",
            "drop s0.k0.o0",
            "x" * 5000,
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, scene: Scene, signed_in: As, do: str) -> None:
        draft = scene.draft()
        self.press(signed_in("trainer"), draft, do)
        assert draft.content == CONTENT

    def test_on_a_draft_that_another_has_saved_nothing_is_taken_out(
        self, scene: Scene, signed_in: As
    ) -> None:
        draft, trainer = scene.draft(), signed_in("trainer")
        old = plain(draft, do="drop s0.k0")
        self.press(trainer, draft, "down s0.k0")
        answer = trainer.post(f"{BASE}/{draft.pk}/edit/", old)
        assert answer.status_code == 409
        steps = answer.context["sections"][0].steps
        assert len(steps) == len(CONTENT["sections"][0]["steps"])
