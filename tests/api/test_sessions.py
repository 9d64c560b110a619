"""Sessions over HTTP: signing in again, rotation that survives a lost answer, and devices that are shut out."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import actions
from apps.accounts.models import Device, DeviceSession, DeviceToken
from apps.accounts.rules import refresh_proof, sign_in_proof
from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from mobile_api import throttling
from mobile_api.throttling import SignInByAccount
from mobile_api.urls import urlpatterns
from tests.cast import PASSWORD, Cast, Key, Member, Phone

BASE = "/mobile/v1/"
PULL = BASE + "sync/pull"


def post(path: str, data: object) -> Any:
    return APIClient(raise_request_exception=False).post(BASE + path, data, format="json")


def rotation(
    phone: Phone, token: str | None = None, request_id: str = "request-1", key: Key | None = None
) -> Any:
    token = token or phone.tokens.refresh_token
    proof = refresh_proof(str(phone.device.pk), request_id, token)
    return {"refresh_token": token, "request_id": request_id, "signature": (key or phone.key).sign(proof)}


def pull(token: str, **headers: str) -> Any:
    client = APIClient(raise_request_exception=False)
    return client.post(
        PULL, {"cursor": None}, format="json", headers={"Authorization": f"Bearer {token}"} | headers
    )


def sign_in(member: Member, phone: Phone, **other: Any) -> Any:
    device_id = other.pop("device_id", str(phone.device.pk))
    username = other.pop("username", member.officer.username)
    key = other.pop("key", phone.key)
    challenge = other.pop("challenge", None)
    if challenge is None:
        challenge = post("sessions/challenge", {"device_id": device_id}).json()["challenge"]
    data = {
        "device_id": device_id,
        "username": username,
        "password": PASSWORD,
        "challenge": challenge,
        "signature": key.sign(sign_in_proof(device_id, username, challenge)),
    }
    return post("sessions", data | other)


class TestRotation:
    def test_gives_tokens_that_work_and_keeps_the_old_access_token_for_its_time(self, cast: Cast) -> None:
        phone = cast.officer.phone
        answer = post("sessions/refresh", rotation(phone))
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert pull(said["access_token"]).status_code == 200
        assert pull(phone.tokens.access_token).status_code == 200

    def test_the_same_request_gives_the_same_tokens(self, cast: Cast) -> None:
        data = rotation(cast.officer.phone)
        first, again = post("sessions/refresh", data), post("sessions/refresh", data)
        assert first.json() == again.json()
        assert DeviceToken.objects.count() == 2

    def test_a_chain_of_rotations_goes_on_from_the_repeated_answer(self, cast: Cast) -> None:
        phone = cast.officer.phone
        data = rotation(phone)
        post("sessions/refresh", data)
        token = post("sessions/refresh", data).json()["refresh_token"]
        assert post("sessions/refresh", rotation(phone, token, "request-2")).status_code == 200

    def test_the_same_request_later_than_a_minute_asks_to_sign_in_and_raises_no_alarm(
        self, cast: Cast
    ) -> None:
        data = rotation(cast.officer.phone)
        successor = post("sessions/refresh", data).json()
        early = timezone.now() - timedelta(seconds=61)
        DeviceToken.objects.filter(rotated_at__isnull=False).update(rotated_at=early)
        answer = post("sessions/refresh", data)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")
        assert pull(successor["access_token"]).status_code == 200

    def test_an_old_token_in_another_request_ends_the_session_and_raises_an_alarm(self, cast: Cast) -> None:
        phone = cast.officer.phone
        successor = post("sessions/refresh", rotation(phone)).json()
        answer = post("sessions/refresh", rotation(phone, request_id="request-2"))
        assert (answer.status_code, answer.json()["code"]) == (401, "token-reused")
        assert pull(successor["access_token"]).json()["code"] == "token-invalid"
        later = post("sessions/refresh", rotation(phone, successor["refresh_token"], "request-3"))
        assert later.json()["code"] == "token-reused"
        event = Event.objects.get(action="session.reuse_detected")
        assert (event.actor_id, event.device_id) == (cast.officer.officer.pk, phone.device.pk)
        assert Change.objects.filter(kind="session.reuse_detected").exists()

    def test_a_signature_that_does_not_fit_rotates_nothing(self, cast: Cast) -> None:
        phone = cast.officer.phone
        good = rotation(phone)
        flipped = bytearray(base64.b64decode(good["signature"]))
        flipped[-1] ^= 1
        for bad in (
            rotation(phone, key=Key()),
            good | {"signature": base64.b64encode(flipped).decode()},
            good | {"request_id": "request-2"},
            good | {"signature": "AAAA"},
        ):
            answer = post("sessions/refresh", bad)
            assert (answer.status_code, answer.json()["code"]) == (422, "proof-invalid")
        assert DeviceToken.objects.count() == 1
        assert post("sessions/refresh", good).status_code == 200

    def test_unknown_and_expired_tokens(self, cast: Cast) -> None:
        phone = cast.officer.phone
        assert post("sessions/refresh", rotation(phone, "nothing")).json()["code"] == "token-invalid"
        access = post("sessions/refresh", rotation(phone, phone.tokens.access_token))
        assert access.json()["code"] == "token-invalid"
        DeviceToken.objects.update(refresh_expires_at=timezone.now())
        expired = post("sessions/refresh", rotation(phone))
        assert (expired.status_code, expired.json()["code"]) == (401, "token-expired")

    def test_tokens_are_nowhere_in_the_database(self, cast: Cast) -> None:
        said = post("sessions/refresh", rotation(cast.officer.phone)).json()
        stored = json.dumps([list(row.values()) for row in DeviceToken.objects.values()], default=str)
        assert said["access_token"] not in stored
        assert said["refresh_token"] not in stored

    def test_lost_phones_learn_it_when_they_rotate(self, cast: Cast) -> None:
        answer = post("sessions/refresh", rotation(cast.revoked.phone))
        assert (answer.status_code, answer.json()["wipe"]) == (403, True)

    @pytest.mark.django_db(transaction=True)
    def test_eight_times_the_same_request_at_once_is_one_rotation(self, cast: Cast) -> None:
        data = rotation(cast.officer.phone)
        answers = at_once([data] * 8)
        assert {status for status, _ in answers} == {200}
        assert len({said["refresh_token"] for _, said in answers}) == 1
        assert DeviceToken.objects.count() == 2

    @pytest.mark.django_db(transaction=True)
    def test_two_requests_with_one_token_at_once_end_the_session(self, cast: Cast) -> None:
        phone = cast.officer.phone
        answers = at_once([rotation(phone), rotation(phone, request_id="request-2")])
        assert sorted(status for status, _ in answers) == [200, 401]
        assert DeviceSession.objects.get().end_reason == "token-reused"


def at_once(bodies: list[Any]) -> list[tuple[int, Any]]:
    start = threading.Barrier(len(bodies))
    answers: list[tuple[int, Any]] = []

    def run(data: Any) -> None:
        start.wait()
        try:
            answer = post("sessions/refresh", data)
            answers.append((answer.status_code, answer.json()))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(b,)) for b in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class TestSignIn:
    def test_an_officer_signs_in_again_and_the_old_session_ends(self, cast: Cast) -> None:
        phone = cast.officer.phone
        answer = sign_in(cast.officer, phone)
        assert answer.status_code == 201, answer.content
        assert pull(answer.json()["access_token"]).status_code == 200
        assert pull(phone.tokens.access_token).json()["code"] == "token-invalid"
        assert Event.objects.filter(action="session.opened", device_id=phone.device.pk).exists()

    def test_everything_wrong_is_answered_alike(self, cast: Cast) -> None:
        me, phone, mate = cast.officer, cast.officer.phone, cast.team_mate
        other_device = str(mate.phone.device.pk)
        stale = f"1.{'0' * 16}.{'0' * 64}"
        foreign = post("sessions/challenge", {"device_id": other_device}).json()["challenge"]
        answers = [
            sign_in(me, phone, password="wrong"),
            sign_in(me, phone, username="nobody"),
            sign_in(me, phone, username="team_mate"),
            sign_in(me, phone, device_id=str(uuid4())),
            sign_in(me, phone, device_id=other_device),
            sign_in(me, phone, key=Key()),
            sign_in(me, phone, challenge=stale),
            sign_in(me, phone, challenge=foreign),
            sign_in(me, phone, challenge="é.."),
        ]
        assert {a.status_code for a in answers} == {401}
        assert len({json.dumps({**a.json(), "request_id": ""}) for a in answers}) == 1
        assert answers[0].json()["code"] == "sign-in-refused"
        assert DeviceSession.objects.count() == 2

    def test_a_lost_phone_learns_it_only_with_its_key(self, cast: Cast) -> None:
        me, phone = cast.revoked, cast.revoked.phone
        proved = sign_in(me, phone)
        assert (proved.status_code, proved.json()["wipe"]) == (403, True)
        assert sign_in(me, phone, key=Key()).json()["code"] == "sign-in-refused"

    def test_is_limited_by_account_whatever_its_spelling(self, cast: Cast) -> None:
        me, phone = cast.officer, cast.officer.phone
        for i in range(SignInByAccount.count):
            name = "Officer" if i % 2 else "officer"
            assert sign_in(me, phone, username=name, password="wrong").status_code == 401
        answer = sign_in(me, phone)
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
        assert sign_in(cast.team_mate, cast.team_mate.phone).status_code == 201

    def test_fails_closed_and_rotation_open_without_a_cache(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Dead:
            def add(self, *_a: object, **_k: object) -> None:
                raise ConnectionError("no cache")

        phone = cast.officer.phone
        monkeypatch.setattr(throttling, "cache", Dead())
        assert sign_in(cast.officer, phone).status_code == 503
        assert post("sessions/refresh", rotation(phone)).status_code == 200


class TestSignOut:
    def test_tokens_are_worthless_afterwards(self, cast: Cast) -> None:
        phone = cast.officer.phone
        client = phone.client()
        assert client.delete(BASE + "sessions").status_code == 204
        assert client.post(PULL, {}, format="json").json()["code"] == "token-invalid"
        assert post("sessions/refresh", rotation(phone)).json()["code"] == "token-invalid"
        assert client.delete(BASE + "sessions").status_code == 401

    def test_needs_a_token(self, db: None) -> None:
        answer = APIClient().delete(BASE + "sessions")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")


class TestTokens:
    def test_refusals(self, cast: Cast) -> None:
        phone = cast.officer.phone
        access = phone.tokens.access_token
        assert pull(access, **{"X-Device-Id": str(phone.device.pk).upper()}).status_code == 200
        assert pull(access, **{"X-Device-Id": str(uuid4())}).json()["code"] == "token-invalid"
        for header in (
            "Bearer",
            "Bearer ",
            "Basic x",
            f"Basic {access}",
            "Bearer é",
            "Bearer " + "x" * 5000,
            " ",
        ):
            answer = APIClient().post(PULL, {}, format="json", headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert answer["WWW-Authenticate"].startswith("Bearer")
        assert pull(phone.tokens.refresh_token).json()["code"] == "token-invalid"
        DeviceToken.objects.update(access_expires_at=timezone.now())
        assert pull(access).json()["code"] == "token-expired"

    def test_an_old_app_or_another_protocol_must_upgrade(self, cast: Cast, settings: Any) -> None:
        access = cast.officer.phone.tokens.access_token
        assert pull(access, **{"Sync-Protocol": "2"}).status_code == 426
        settings.MINIMUM_APP_VERSION = "1.10.0"
        old = pull(access, **{"App-Version": "1.9.9"})
        assert (old.status_code, old.json()["code"], old.json()["min_version"]) == (
            426,
            "upgrade-required",
            "1.10.0",
        )
        assert pull(access, **{"App-Version": "rubbish"}).status_code == 426
        assert pull(access, **{"App-Version": "1.10.0"}).status_code == 200
        lost = cast.revoked.phone.tokens.access_token
        assert pull(lost, **{"App-Version": "1.0"}).json()["code"] == "device-revoked"

    def test_contact_is_written_down_once_a_minute(self, cast: Cast) -> None:
        phone = cast.officer.phone
        pull(phone.tokens.access_token, **{"App-Version": "3.1"})
        seen = Device.objects.get(pk=phone.device.pk)
        assert seen.last_seen_at
        assert seen.app_version == "3.1"
        pull(phone.tokens.access_token)
        assert Device.objects.get(pk=phone.device.pk).last_seen_at == seen.last_seen_at
        Device.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
        pull(phone.tokens.access_token)
        later = Device.objects.get(pk=phone.device.pk).last_seen_at
        assert later
        assert later > seen.last_seen_at

    def test_the_reason_of_a_deed_is_read_as_people_wrote_it(self, cast: Cast) -> None:
        client = cast.officer.client()
        client.delete(BASE + "sessions", headers={"X-Action-Note": "B%C3%A0n giao m%00%C3%A1y%"})
        assert Event.objects.get(action="session.ended").note == "Bàn giao máy%"


PUBLIC = {
    ("GET", "schema"),
    ("GET", "docs"),
    ("POST", "devices/enrol"),
    ("POST", "sessions"),
    ("POST", "sessions/challenge"),
    ("POST", "sessions/refresh"),
}


def routes(patterns: Any = urlpatterns, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give (method, path) of every route of the phone API that needs a signed-in device."""
    for item in patterns:
        path = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, path)
        elif isinstance(item, URLPattern):
            view = item.callback.view_class  # type: ignore[attr-defined]
            for method in view().allowed_methods:
                if method != "OPTIONS" and (method, path) not in PUBLIC:
                    yield method, path


@pytest.mark.parametrize(("method", "path"), sorted(set(routes())))
def test_every_route_shuts_out_strangers_and_revoked_devices(cast: Cast, method: str, path: str) -> None:
    filled = BASE + _filled(path)
    stranger = APIClient(raise_request_exception=False).generic(method, filled)
    assert stranger.status_code == 401, (method, filled)
    for member, wipe, state in ((cast.revoked, True, "lost"), (cast.suspended, False, "officer-suspended")):
        answer = member.client().generic(method, filled)
        assert answer.status_code == 403, (method, filled)
        if method != "HEAD":
            said = answer.json()
            assert (said["code"], said["wipe"], said["state"]) == ("device-revoked", wipe, state)
    assert cast.suspended.actor().posts == ()


def _filled(path: str) -> str:
    return re.sub(r"<(\w+):\w+>", lambda m: str(uuid4()) if m[1] == "uuid" else "x", path)


def test_shutting_out_and_letting_in_count_from_the_next_request(cast: Cast) -> None:
    phone = cast.officer.phone
    assert pull(phone.tokens.access_token).status_code == 200
    actions.suspend_device(actor=SYSTEM, device=phone.device)
    shut = pull(phone.tokens.access_token)
    assert (shut.status_code, shut.json()["wipe"], shut.json()["state"]) == (403, False, "suspended")
    actions.reinstate_device(actor=SYSTEM, device=phone.device)
    assert pull(phone.tokens.access_token).json()["code"] == "token-invalid"
    answer = sign_in(cast.officer, phone)
    assert pull(answer.json()["access_token"]).status_code == 200
    actions.suspend_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    assert pull(answer.json()["access_token"]).json()["state"] == "officer-suspended"
    actions.reinstate_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    assert pull(answer.json()["access_token"]).status_code == 200
    DeviceToken.objects.update(access_expires_at=timezone.now())
    actions.report_device_lost(actor=SYSTEM, device=phone.device)
    assert pull(answer.json()["access_token"]).json()["wipe"] is True
