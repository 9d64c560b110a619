"""What holds for every page: headers, no inline script or style, one language at a time, landmarks, labels."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped
from tests.console.conftest import As
from tests.console.scene import Scene

# Letters that English does not have: a page in English shows them in names and in the other language's blocks alone.
_VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯà-ãạảấầẩẫậắằẳẵặèéẹẻẽếềểễệìíỉĩịòóọỏõốồổỗộớờởỡợùúụủũứừửữựỳýỵỷỹ]")
_FIXED = (
    "Hải Đăng",
    "Tiếng Việt",
    "Hà Nội Customs",
    "Nội Bài Gate",
    "Lao Bảo Gate",
    "Máy của An",
    "Kho số 2",
    "Kiện hàng khai báo bánh kẹo.",
    "Cân đang hiệu chuẩn",
    "Theo chỉ đạo của trực ban",
    "Phạm Thu Hà",
    "Nguyễn Văn An",
    "Lê Quang Minh",
    "Trần Thị Bình",
    "Đỗ Hữu Phước",
    "Vũ Ngọc Lan",
    "Hoàng Đức Thịnh",
)


class Page(HTMLParser):
    """Collects what the tests ask about: text by language, scripts, styles, labels, landmarks."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "path", "line", "rect"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inline: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self.inline += [f"{tag} {name}" for name in values if name == "style" or name.startswith("on")]
        if tag == "style" or (
            tag == "script" and "src" not in values and values.get("type") != "application/json"
        ):
            self.inline.append(tag)
        for name in ("title", "aria-label", "alt", "data-label", "placeholder"):
            if values.get(name) and not self._in_vietnamese():
                self.text.append(str(values[name]))
        if tag not in self.VOID:
            self.stack.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._in_vietnamese():
            self.text.append(data)

    def _in_vietnamese(self) -> bool:
        return any(values.get("lang") in {"vi", "zxx"} and tag != "html" for tag, values in self.stack)

    def vietnamese_left(self) -> list[str]:
        text = "\n".join(self.text)
        for known in _FIXED:
            text = text.replace(known, "")
        return sorted({line.strip() for line in text.splitlines() if _VIETNAMESE.search(line)})

    def unlabelled(self) -> list[dict[str, str | None]]:
        labels = {values.get("for") for tag, values in self.tags if tag == "label"}
        fields = [
            values
            for tag, values in self.tags
            if tag in {"select", "textarea", "input"} and values.get("type") not in {"hidden", "submit"}
        ]
        return [f for f in fields if f.get("id") not in labels and "aria-label" not in f]


def pages_of(scene: Scene) -> list[tuple[str, str]]:
    load_shipped(actor=SYSTEM)
    report = scene.report(photos=3, missing=1)
    draft = scene.draft()
    return [
        ("reviewer", "/console/"),
        ("reviewer", f"/console/board/{scene.region.pk}/?period=month"),
        ("reviewer", "/console/?period=custom&from=2024-01-01&to=2024-03-01"),
        ("reviewer", "/console/review/"),
        ("leader", f"/console/review/{report.pk}/"),
        ("trainer", "/console/checklists/"),
        ("trainer", f"/console/checklists/versions/{scene.version.pk}/"),
        ("trainer", f"/console/checklists/versions/{draft.pk}/edit/"),
        ("trainer", f"/console/checklists/versions/{draft.pk}/compare/"),
        ("officer", "/console/lists/"),
        ("officer", "/console/lists/substances/?on=2024-08-20"),
        ("leader", "/console/devices/"),
        ("leader", "/console/account/"),
        ("leader", reverse("mfa_index")),
        ("leader", reverse("account_change_password")),
        ("leader", reverse("mfa_list_webauthn")),
        ("leader", "/console/nowhere/"),
        ("leader", reverse("account_logout")),
        ("", reverse("account_login")),
        ("", reverse("account_inactive")),
        ("", reverse("socialaccount_login_cancelled")),
        ("", reverse("socialaccount_login_error")),
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_keeps_the_house_rules(scene: Scene, signed_in: As, language: str) -> None:
    for name, path in pages_of(scene):
        client = signed_in(name, language) if name else _stranger(language)
        answer = client.get(path)
        assert answer.status_code in {200, 401, 404}, path
        html = answer.content.decode()
        page = Page(html)
        assert answer.headers["Content-Security-Policy"].startswith(
            "default-src 'self'; object-src 'none'"
        ), path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "no-store" in answer.headers["Cache-Control"]
        assert page.inline == [], path
        assert page.unlabelled() == [], path
        assert f'<html lang="{language}"' in html
        assert sum(tag == "main" for tag, _ in page.tags) == 1
        assert sum(tag == "h1" for tag, _ in page.tags) == 1, path
        assert html.count("<table") == html.count("<caption"), path
        assert not re.search(r'(src|href|action)="https?:', html), path
        if language == "en":
            assert page.vietnamese_left() == [], path


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_behind_a_fresh_sign_in(scene: Scene, client: Client, language: str) -> None:
    client.cookies["django_language"] = language
    client.post(reverse("account_login"), {"login": "leader", "password": "hai-dang-tren-bien-2024"})
    assert (
        client.get(reverse("mfa_activate_totp")).headers["Location"].startswith("/accounts/reauthenticate/")
    )
    client.post(reverse("account_reauthenticate"), {"password": "hai-dang-tren-bien-2024"})
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"):
        answer = client.get(reverse(name))
        assert answer.status_code == 200, name
        page = Page(answer.content.decode())
        assert page.inline == []
        assert language == "vi" or page.vietnamese_left() == [], name


def test_language_switch_keeps_the_place(scene: Scene, signed_in: As) -> None:
    client = signed_in("leader")
    assert "Soát xét báo cáo" in client.get("/console/review/").content.decode()
    answer = client.post(
        reverse("console:preferences"), {"language": "en", "next": "/console/review/?state=all"}
    )
    assert answer.headers["Location"] == "/console/review/?state=all"
    assert "Review of reports" in client.get("/console/review/").content.decode()


@pytest.mark.parametrize("away", ["https://example.org/", "//example.org/", "javascript:alert(1)", ""])
def test_switch_never_leads_away(client: Client, db: None, away: str) -> None:
    answer = client.post(reverse("console:preferences"), {"theme": "dark", "next": away})
    assert answer.headers["Location"] == "/console/"
    assert answer.cookies["console_theme"].value == "dark"


def test_unknown_choices_set_no_cookie(client: Client, db: None) -> None:
    answer = client.post(reverse("console:preferences"), {"theme": "<script>", "language": "fr"})
    assert not answer.cookies


def test_expired_form_says_so_in_our_words(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(reverse("account_login"), {"login": "x", "password": "y"})
    assert answer.status_code == 403
    assert "Trang đã quá hạn" in answer.content.decode()


@pytest.mark.parametrize(
    "text", ["%00", "%F0%9F%98%80", "%ED%A0%80", "a" * 5000, "%27%22%3Cscript%3E", "%E2%80%AE"]
)
def test_hostile_addresses_never_break_a_page(scene: Scene, signed_in: As, text: str) -> None:
    report = scene.report()
    client = signed_in("leader")
    for path in (
        f"/console/?period={text}&from={text}&to={text}",
        f"/console/review/?q={text}&unit={text}&state={text}&since={text}&page={text}",
        f"/console/review/{report.pk}/?q={text}&unit={text}",
        f"/console/devices/?q={text}&unit={text}&silent={text}&page={text}",
        f"/console/checklists/versions/{scene.version.pk}/compare/?with={text}",
        f"/console/lists/substances/?q={text}&on={text}",
        f"/console/{text[:200]}/",
    ):
        answer = client.get(path)
        assert answer.status_code in {200, 404}, path
        assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("text", ["\x00", "😀", "a" * 9000, "<script>", "\u202e"])
def test_hostile_forms_never_break_a_page(scene: Scene, signed_in: As, text: str) -> None:
    report, draft = scene.report(), scene.draft()
    trainer, leader = signed_in("trainer"), signed_in("leader")
    fields = {"code": text, "applies_to": text, "title_vi": text, "title_en": text}
    note = {
        "base_rev": report.rev,
        "decision": "return",
        "note": text,
        f"note__{text}": text,
        "note__lane": text,
    }
    answers = [
        trainer.post("/console/checklists/new/", fields),
        trainer.post("/console/checklists/new/", {**fields, "applies_to": "vessel", "code": f"v{text[:30]}"}),
        trainer.post(
            f"/console/checklists/versions/{draft.pk}/draft/", {"semver": text, "change_note": text}
        ),
        trainer.post(
            f"/console/checklists/versions/{draft.pk}/draft/", {"semver": "3.0.0", "change_note": text}
        ),
        trainer.post(f"/console/checklists/versions/{draft.pk}/step/", {"step": text, "base_rev": text}),
        trainer.post(
            f"/console/checklists/versions/{draft.pk}/edit/",
            {
                "form": "plain",
                "base_rev": draft.rev,
                "change_note": text,
                "s0.k0.text.vi": text,
                "s1.k0.photos": text,
            },
        ),
        leader.post(f"/console/review/{report.pk}/decision/", note),
        leader.post(
            f"/console/review/{report.pk}/decision/",
            {"decision": "void", "reason": text, "base_rev": report.rev},
        ),
        leader.post(f"/console/devices/{scene.device.pk}/", {"verb": "suspend", "reason": text}),
        leader.post("/console/devices/enrol/", {"officer": text}),
        Client().post(reverse("account_login"), {"login": text, "password": text}),
        Client().post(reverse("console:preferences"), {"language": text, "next": text}),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.request["PATH_INFO"]


def _stranger(language: str) -> Client:
    client = Client()
    client.cookies["django_language"] = language
    return client
