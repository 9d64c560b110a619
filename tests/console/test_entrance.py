"""Who gets in where: sign-in, suspension, limits, rooms by role, and the one page of nothing."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.urls import reverse

from tests.console.conftest import As
from tests.console.scene import PASSWORD, Scene

NOWHERE = "/console/there-is-no-such-place/"
EVERYONE = (
    "officer", "leader", "region_leader", "reviewer", "analyst", "statistics", "trainer", "approver", "administrator",
    "auditor", "liaison",
)  # fmt: skip
OPEN_TO = {
    "/console/review/": {"leader", "region_leader", "reviewer", "analyst"},
    "/console/checklists/": set(EVERYONE) - {"liaison"},
    "/console/finds/": {"officer", "leader", "region_leader"},
    "/console/devices/": {"officer", "leader", "region_leader", "reviewer", "administrator"},
    "/console/account/": set(EVERYONE),
}


def sign_in(client: Client, name: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": name, "password": password})


@pytest.mark.parametrize("page", OPEN_TO)
@pytest.mark.parametrize("name", EVERYONE)
def test_room_opens_to_its_roles_alone(signed_in: As, page: str, name: str) -> None:
    expected = 200 if name in OPEN_TO[page] else 404
    assert signed_in(name).get(page).status_code == expected


@pytest.mark.parametrize("name", EVERYONE)
def test_home_is_the_first_room_of_each_role(signed_in: As, name: str) -> None:
    answer = signed_in(name).get("/console/")
    if name in {"leader", "region_leader", "reviewer", "analyst", "statistics"}:
        assert answer.status_code == 200
    else:
        own = {"liaison": "/console/account/", "officer": "/console/finds/"}
        assert answer.headers["Location"] == own.get(name, "/console/checklists/")


def test_closed_room_answers_like_nothing_byte_for_byte(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    outsider, officer = signed_in("other_leader"), signed_in("officer")
    nothing = outsider.get(NOWHERE)
    assert nothing.status_code == 404
    unseen = (
        outsider.get(f"/console/review/{report.pk}/"),
        outsider.post(f"/console/review/{report.pk}/decision/", {"decision": "approve"}),
        outsider.get(f"/console/board/{scene.gate.pk}/"),
        outsider.get(f"/console/photos/{report.photos['photo_open'][0]}/thumbnail"),
        outsider.post(f"/console/devices/{scene.device.pk}/", {"verb": "lost"}),
        officer.get("/console/review/"),
        officer.get(f"/console/review/{report.pk}/"),
        signed_in("trainer").get(f"/console/board/{scene.hq.pk}/"),
    )
    for answer in unseen:
        assert answer.status_code == 404
        assert answer.content == nothing.content


def test_strangers_go_to_the_door_wherever_they_knock(scene: Scene, client: Client) -> None:
    report = scene.report()
    for path in ("/console/", NOWHERE, f"/console/review/{report.pk}/", "/console/devices/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/login/?next=")


def test_sign_in_and_out(scene: Scene, client: Client) -> None:
    assert sign_in(client, "reviewer").headers["Location"] == "/console/"
    assert client.session.get_expiry_age() == pytest.approx(8 * 3600, abs=5)
    assert client.get("/console/").status_code == 200
    client.post(reverse("account_logout"))
    assert client.get("/console/").status_code == 302


def test_wrong_password_is_said_in_the_language(scene: Scene, client: Client) -> None:
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in sign_in(client, "reviewer", "wrong").content.decode()
    client.cookies["django_language"] = "en"
    assert (
        "The user name or the password is not correct."
        in sign_in(client, "reviewer", "wrong").content.decode()
    )


def test_suspended_officer_stays_out_and_is_put_out(scene: Scene, client: Client, signed_in: As) -> None:
    inside = signed_in("leader")
    officer = scene.people["leader"]
    officer.is_active = False
    officer.save()
    assert inside.get("/console/").status_code == 302
    answer = client.post(reverse("account_login"), {"login": "leader", "password": PASSWORD}, follow=True)
    assert "tạm khóa" in answer.content.decode()
    assert client.get("/console/account/").status_code == 302


def test_eleventh_failed_attempt_in_a_quarter_of_an_hour_is_refused(scene: Scene, client: Client) -> None:
    for _ in range(10):
        sign_in(client, "reviewer", "wrong")
    answer = sign_in(client, "reviewer")
    assert "Đã thử sai quá nhiều lần" in answer.content.decode()
    assert client.get("/console/").status_code == 302


def test_second_factor_is_asked_for_and_accepted(scene: Scene, client: Client) -> None:
    secret = generate_totp_secret()
    TOTP.activate(scene.people["reviewer"], secret)
    assert sign_in(client, "reviewer").headers["Location"] == reverse("mfa_authenticate")
    assert client.get("/console/").status_code == 302
    refused = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "Mã không đúng." in refused.content.decode()
    code = f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.get("/console/").status_code == 200


def test_totp_is_turned_on_with_recovery_codes(scene: Scene, client: Client) -> None:
    sign_in(client, "reviewer")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    code = f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"
    codes = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
    assert Authenticator.objects.filter(user=scene.people["reviewer"], type="totp").exists()
    assert len(codes.context["unused_codes"]) == 10


@pytest.mark.parametrize(
    "path",
    [
        "signup/",
        "password/reset/",
        "email/",
        "confirm-email/",
        "3rdparty/",
        "login/code/confirm/",
        "password/set/",
    ],
)
def test_ways_in_that_we_do_not_offer_are_shut(scene: Scene, client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404


def test_password_is_changed_by_its_owner(scene: Scene, client: Client) -> None:
    sign_in(client, "reviewer")
    fields = {
        "oldpassword": PASSWORD,
        "password1": "khong-ai-doan-duoc-9",
        "password2": "khong-ai-doan-duoc-8",
    }
    differ = client.post(reverse("account_change_password"), fields)
    assert "Hai lần nhập mật khẩu mới không giống nhau." in differ.content.decode()
    client.post(reverse("account_change_password"), {**fields, "password2": fields["password1"]})
    officer = scene.people["reviewer"]
    officer.refresh_from_db()
    assert officer.check_password(fields["password1"])


def test_single_sign_on_is_offered_when_configured(scene: Scene, client: Client, settings: Any) -> None:
    assert "SSO Hải quan" not in client.get(reverse("account_login")).content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": "SSO Hải quan",
                    "client_id": "console",
                    "secret": "x",
                    "settings": {"server_url": "https://id.example.vn/realms/hq"},
                }
            ]
        }
    }
    page = Client().get(reverse("account_login"))
    assert "Đăng nhập qua SSO Hải quan" in page.content.decode()
    assert "/accounts/oidc/sso/login/" in page.content.decode()
    assert "form-action 'self' https://id.example.vn;" in page.headers["Content-Security-Policy"]
