"""Devices: whose phones one sees, shutting out and letting in, the one-time code."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.accounts.models import Device, EnrolmentCode
from tests.console.conftest import As
from tests.console.scene import PASSWORD, Scene


def press(client: Client, scene: Scene, verb: str) -> Any:
    return client.post(
        f"/console/devices/{scene.device.pk}/", {"verb": verb, "reason": "Kiểm tra"}, follow=True
    )


def test_phones_of_the_people_one_may_see(scene: Scene, signed_in: As) -> None:
    for name, count in (
        ("leader", 1),
        ("officer", 1),
        ("administrator", 1),
        ("other_leader", 0),
        ("other_officer", 0),
    ):
        assert len(signed_in(name).get("/console/devices/").context["rows"]) == count, name


def test_silent_filter_and_unit_filter(scene: Scene, signed_in: As) -> None:
    client = signed_in("administrator")
    for query, count in (
        ("?silent=1", 1),
        (f"?unit={scene.gate.pk}", 1),
        (f"?unit={scene.other_gate.pk}", 0),
        ("?unit=x", 1),
        ("?q=zzz", 0),
    ):
        assert len(client.get(f"/console/devices/{query}").context["rows"]) == count, query


def test_leader_suspends_reinstates_and_reports_lost(scene: Scene, signed_in: As) -> None:
    client = signed_in("leader")
    for verb, state in (("suspend", "suspended"), ("reinstate", "enrolled"), ("lost", "lost")):
        assert press(client, scene, verb).status_code == 200
        scene.device.refresh_from_db()
        assert scene.device.state == state
    assert "Trạng thái thiết bị không cho phép" in press(client, scene, "reinstate").content.decode()


def test_officer_cannot_reinstate_alone(scene: Scene, signed_in: As) -> None:
    client = signed_in("officer")
    press(client, scene, "suspend")
    assert "cần một người khác" in press(client, scene, "reinstate").content.decode()
    assert Device.objects.get().state == "suspended"


def test_code_is_shown_once_with_its_qr(scene: Scene, signed_in: As) -> None:
    answer = signed_in("leader").post("/console/devices/enrol/", {"officer": scene.people["officer"].pk})
    html = answer.content.decode()
    found = re.search(r"/field/enrol#c=([0-9A-Z-]+)", html)
    assert found
    assert "<svg" in html
    assert "no-store" in answer.headers["Cache-Control"]
    assert EnrolmentCode.objects.get().code_hash not in html
    assert found[1] not in signed_in("leader").get("/console/devices/").content.decode()


def test_code_only_for_people_one_leads(scene: Scene, signed_in: As) -> None:
    assert (
        signed_in("leader")
        .post("/console/devices/enrol/", {"officer": scene.people["other_officer"].pk})
        .status_code
        == 404
    )
    assert signed_in("leader").post("/console/devices/enrol/", {"officer": "x"}).status_code == 404
    signed_in("reviewer").post("/console/devices/enrol/", {"officer": scene.people["officer"].pk})
    assert not EnrolmentCode.objects.exists()


def test_own_first_phone_needs_the_second_factor(scene: Scene, client: Client) -> None:
    client.post(reverse("account_login"), {"login": "other_officer", "password": PASSWORD})
    answer = client.post(
        "/console/devices/enrol/", {"officer": scene.people["other_officer"].pk}, follow=True
    )
    assert "xác thực hai lớp" in answer.content.decode()
    assert not EnrolmentCode.objects.exists()
