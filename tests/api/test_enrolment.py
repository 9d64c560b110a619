"""Enrolment over HTTP: one code makes one device, and no rubbish makes any."""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.actions import report_device_lost, suspend_officer
from apps.accounts.models import Device, DeviceToken, EnrolmentCode
from apps.accounts.rules import enrolment_proof
from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from mobile_api import throttling
from mobile_api.throttling import EnrolByAddress
from tests.cast import Cast, Key

URL = "/mobile/v1/devices/enrol"


def body(code: str, key: Key, **other: Any) -> dict[str, Any]:
    return {
        "code": code,
        "public_key": key.public,
        "proof": key.sign(enrolment_proof(code)),
        "name": "Pixel 8",
        "app_version": "1.2.0",
        "os_version": "Android 15",
    } | other


def enrol(data: object) -> Any:
    return APIClient(raise_request_exception=False).post(URL, data, format="json")


def test_a_code_makes_one_device_with_statement_tokens_and_limits(cast: Cast) -> None:
    key, code = Key(), cast.officer.code()
    answer = enrol(body(code, key))
    assert answer.status_code == 201, answer.content
    said = answer.json()
    device = Device.objects.get(pk=said["device_id"])
    assert (device.officer, device.public_key, device.state) == (cast.officer.officer, key.public, "enrolled")
    assert said["officer"] == {
        "id": str(cast.officer.officer.pk),
        "badge_no": cast.officer.officer.badge_no,
        "name": "Nguyễn Văn An",
    }
    assert said["limits"]["mutations"] == 200
    assert said["epoch"]
    assert said["server_time"].endswith("Z")
    assert answer["Cache-Control"] == "no-store"
    statement = said["statement"]
    server = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(statement["public_key"]))
    signed = base64.b64decode(statement["statement"])
    server.verify(base64.b64decode(statement["signature"]), signed)
    assert json.loads(signed)["public_key"] == key.public
    assert json.loads(signed)["key_id"] == statement["key_id"]
    token = DeviceToken.objects.get()
    assert said["access_token"] not in (token.access_hash, token.refresh_hash)
    assert Event.objects.filter(
        action="device.enrolled", oid=device.pk, actor_id=cast.officer.officer.pk
    ).exists()
    assert Change.objects.filter(kind="device.enrolled", oid=device.pk).exists()


def test_the_tokens_work_at_once(cast: Cast) -> None:
    said = enrol(body(code := cast.officer.code(), Key())).json()
    assert code
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {said['access_token']}")
    assert client.post("/mobile/v1/sync/pull", {"cursor": None}, format="json").status_code == 200


def test_a_code_may_be_typed_with_small_letters_and_look_alikes(cast: Cast) -> None:
    key, code = Key(), cast.officer.code()
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    answer = enrol(body(code, key) | {"code": typed})
    assert answer.status_code == 201


def test_a_code_works_once(cast: Cast) -> None:
    code, key = cast.officer.code(), Key()
    assert enrol(body(code, key)).status_code == 201
    for again in (body(code, key), body(code, Key())):
        answer = enrol(again)
        assert (answer.status_code, answer.json()["code"]) == (410, "code-not-usable")
    assert Device.objects.count() == 1


def test_wrong_expired_and_replaced_codes_are_answered_alike(cast: Cast) -> None:
    expired, replaced = cast.officer.code(), cast.team_mate.code()
    EnrolmentCode.objects.filter(officer=cast.officer.officer).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    cast.team_mate.code()
    answers = [enrol(body(code, Key())) for code in (expired, replaced, "00000-00000-00000")]
    assert {a.status_code for a in answers} == {410}
    assert len({json.dumps({**a.json(), "request_id": ""}) for a in answers}) == 1
    assert Device.objects.count() == 0


def test_a_bad_proof_leaves_the_code_usable(cast: Cast) -> None:
    key, code = Key(), cast.officer.code()
    proof = bytearray(base64.b64decode(key.sign(enrolment_proof(code))))
    proof[-1] ^= 1
    flipped = base64.b64encode(proof).decode()
    foreign = Key().sign(enrolment_proof(code))
    other_text = key.sign(enrolment_proof("AAAAA-AAAAA-AAAAA"))
    for bad in (flipped, foreign, other_text, "A" * 88, "%%%", "é", base64.b64encode(b"\0" * 64).decode()):
        answer = enrol(body(code, key, proof=bad))
        assert (answer.status_code, answer.json()["code"]) == (422, "proof-invalid"), bad
    assert enrol(body(code, key)).status_code == 201


def _spki(key: Any) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def test_keys_that_are_not_p256_are_refused(cast: Cast) -> None:
    code = cast.officer.code()
    good = base64.b64decode(Key().public)
    off_curve = base64.b64encode(good[:-1] + bytes([good[-1] ^ 1])).decode()
    rubbish = [
        "AAAA",
        "not base64!",
        base64.b64encode(b"\x30" * 91).decode(),
        base64.b64encode(good[:-1]).decode(),
        base64.b64encode(good + b"\0").decode(),
        off_curve,
        _spki(ec.generate_private_key(ec.SECP384R1())),
        _spki(ec.generate_private_key(ec.SECP256K1())),
        _spki(ed25519.Ed25519PrivateKey.generate()),
        _spki(rsa.generate_private_key(65537, 1024)),
    ]
    for spki in rubbish:
        answer = enrol(body(code, Key(), public_key=spki))
        assert answer.status_code == 422, spki
        assert answer.json()["code"] == "key-not-usable", spki
    assert enrol(body(code, Key())).status_code == 201


def test_one_key_is_one_device(cast: Cast) -> None:
    key = Key()
    assert enrol(body(cast.officer.code(), key)).status_code == 201
    code = cast.team_mate.code()
    answer = enrol(body(code, key))
    assert (answer.status_code, answer.json()["code"]) == (409, "key-already-enrolled")
    assert enrol(body(code, Key())).status_code == 201, "the code is still good"


def test_a_phone_that_forgot_which_device_it_is_is_told(cast: Cast) -> None:
    """Found by the simulator.

    A backup from before the enrolment was restored, the phone enrolled anew with its key, and then the newer backup was
    restored: the key was that of a device already, and the phone with its unsent work was shut out.
    """
    key = Key()
    first = enrol(body(cast.officer.code(), key)).json()
    again = enrol(body(cast.officer.code(), key))
    assert again.status_code == 201
    assert again.json()["device_id"] == first["device_id"]
    assert again.json()["statement"] == first["statement"]
    assert again.json()["access_token"] != first["access_token"]
    device = Device.objects.get(pk=first["device_id"])
    assert Device.objects.filter(public_key=device.public_key).count() == 1
    assert Event.objects.filter(action="device.enrolled_again", oid=device.pk).count() == 1
    report_device_lost(actor=SYSTEM, device=device, reason="Rơi")
    lost = enrol(body(cast.officer.code(), key))
    assert (lost.status_code, lost.json()["code"]) == (409, "key-already-enrolled")


def test_an_officer_suspended_meanwhile_gets_no_device(cast: Cast) -> None:

    code = cast.officer.code()
    suspend_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    answer = enrol(body(code, Key()))
    assert (answer.status_code, answer.json()["wipe"]) == (403, False)


@pytest.mark.parametrize(
    "data",
    [
        [],
        "text",
        7,
        None,
        {},
        {"code": 1},
        {"code": {"a": 1}, "public_key": [], "proof": None},
        {"code": "x" * 5000, "public_key": "y", "proof": "z"},
        {"code": "A", "public_key": "B", "proof": "C", "name": "n" * 500},
    ],
)
def test_rubbish_is_named_by_pointer(db: None, data: object) -> None:
    answer = enrol(data)
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid-field"
    assert all(e["pointer"].startswith("/") or e["pointer"] == "" for e in problem["errors"])


@pytest.mark.django_db(transaction=True)
def test_eight_phones_with_one_code_make_one_device(cast: Cast) -> None:
    code = cast.officer.code()
    bodies = [body(code, Key()) for _ in range(8)]
    codes: list[tuple[int, str]] = []
    start = threading.Barrier(8)

    def run(data: dict[str, Any]) -> None:
        start.wait()
        try:
            answer = enrol(data)
            codes.append((answer.status_code, answer.json().get("code", "")))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(b,)) for b in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [(201, ""), *[(410, "code-not-usable")] * 7]
    assert Device.objects.count() == 1


def test_enrolment_is_limited_by_address(cast: Cast) -> None:

    answers = [enrol({}) for _ in range(EnrolByAddress.count + 1)]
    assert {a.status_code for a in answers[:-1]} == {422}
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(last["Retry-After"]) <= 900


def test_enrolment_fails_closed_without_a_cache(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:

    class Dead:
        def add(self, *_a: object, **_k: object) -> None:
            raise ConnectionError("no cache")

    monkeypatch.setattr(throttling, "cache", Dead())
    answer = enrol(body(cast.officer.code(), Key()))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"]
    assert Device.objects.count() == 0
