"""Pokes: an empty push to a phone that is behind, through a push service at the edge of the process; no more."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.utils import timezone

from apps.accounts.actions import suspend_device
from apps.common.actor import SYSTEM
from apps.sync.actions import new_epoch, poke_phones
from apps.sync.models import DevicePull, PushSubscription
from apps.sync.webpush import transport
from apps.sync.webpush.rules import WebPush, pack, unpack
from tests.cast import Cast
from tests.work import Work

ROUTE = "/mobile/v1/devices/push"
ENDPOINT = "https://push.example/wpush/v2/abc?x=1"
KEYS = {"p256dh": pack(b"\x04" + b"k" * 64), "auth": pack(b"a" * 16)}
SERVICE = WebPush(pack(b"\x01" * 32), "mailto:truc@example.vn", "push.example, *.push.example.org")


class Service:
    """A push service on this machine; notes what it is sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 201
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.seen.append((self.path, dict(self.headers), body))
                self.send_response(service.status)
                if service.status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{service.port}/elsewhere")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Service]:
    """The service answers in the place of every host."""
    made = Service()
    settings.WEBPUSH = SERVICE
    monkeypatch.setattr(
        transport,
        "connection_to",
        lambda _host: http.client.HTTPConnection("127.0.0.1", made.port, timeout=5),
    )
    yield made
    made.server.shutdown()
    made.server.server_close()


def subscribe(cast: Cast, endpoint: str = ENDPOINT, **keys: str) -> Any:
    return cast.officer.client().put(ROUTE, {"endpoint": endpoint, "keys": KEYS | keys}, format="json")


def run(seconds: int = 0) -> int:
    return poke_phones(actor=SYSTEM, service=SERVICE, now=timezone.now() + timedelta(seconds=seconds))


def catch_up(cast: Cast) -> None:
    """Let the phone pull, as the web server notes it."""
    from apps.sync.pull import pull
    from apps.sync.rules import decode_cursor

    cursor = decode_cursor(pull(cast.officer.actor(), None, rows=5000, max_bytes=10**6)["cursor"])
    assert cursor
    row = {"at": timezone.now(), "seqs": dict(cursor.seqs)}
    DevicePull.objects.update_or_create(device=cast.officer.phone.device, defaults=row)


def test_a_phone_that_is_behind_is_poked_once_and_says_nothing_of_why(
    cast: Cast, work: Work, service: Service
) -> None:
    assert subscribe(cast).status_code == 204
    catch_up(cast)
    assert run() == 0, "it is up to date"
    work.submit()
    work.submit()
    assert run() == 1
    assert run(31) == 0, "it was poked for all of that"
    work.submit()
    assert run(10) == 0, "30 seconds are not over"
    assert run(31) == 1
    catch_up(cast)
    assert run(90) == 0
    path, headers, body = service.seen[0]
    assert (path, body) == ("/wpush/v2/abc?x=1", b"")
    assert (headers["TTL"], headers["Topic"], headers["Content-Length"]) == ("86400", "sync", "0")
    assert "Content-Encoding" not in headers
    assert len(service.seen) == 2


def test_the_service_can_check_who_pokes() -> None:
    now = timezone.now()
    scheme, t, k = SERVICE.authorization(ENDPOINT, now).replace(",", "").split()
    head, claims, signature = t.removeprefix("t=").split(".")
    assert scheme == "vapid"
    assert json.loads(unpack(head)) == {"typ": "JWT", "alg": "ES256"}
    told = json.loads(unpack(claims))
    assert (told["aud"], told["sub"]) == ("https://push.example", "mailto:truc@example.vn")
    assert 0 < told["exp"] - now.timestamp() <= 86400
    raw = unpack(signature)
    point = unpack(k.removeprefix("k="))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert base64.urlsafe_b64decode(SERVICE.public_key() + "=") == point


@pytest.mark.parametrize("status", [404, 410])
def test_an_address_that_is_gone_is_forgotten(cast: Cast, work: Work, service: Service, status: int) -> None:
    subscribe(cast)
    work.submit()
    service.status = status
    assert run() == 0
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("status", [302, 429, 500])
def test_a_service_in_trouble_is_left_alone_and_tried_again(
    cast: Cast, work: Work, service: Service, status: int
) -> None:
    subscribe(cast)
    work.submit()
    service.status = status
    assert run() == 0
    assert run(10) == 0
    assert [path for path, _, _ in service.seen] == ["/wpush/v2/abc?x=1"], "no redirect is followed"
    service.status = 201
    assert run(31) == 1


def test_a_phone_that_may_not_work_is_not_poked(cast: Cast, work: Work, service: Service) -> None:
    subscribe(cast)
    work.submit()
    suspend_device(actor=cast.leader.actor(), device=cast.officer.phone.device, reason="x")
    assert run() == 0
    assert not service.seen


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x", "https://push.example:8443/x", "https://push.example@evil.example/x",
        "https://evil.example/x", "https://push.example.evil.example/x", "https://notpush.example.org/x",
        "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "file:///etc/passwd", "https:///x",
        "https://push.example/" + "x" * 990, "https://push.example/\r\nX: y", "https://push.exämple/x",
    ],
)  # fmt: skip
def test_no_other_address_is_taken_or_called(cast: Cast, service: Service, endpoint: str) -> None:
    answer = subscribe(cast, endpoint)
    assert answer.status_code == 422
    assert not PushSubscription.objects.exists()
    assert not SERVICE.may_call(endpoint)
    if len(endpoint) > 1000:
        return  # no row can hold it
    PushSubscription.objects.create(
        device=cast.officer.phone.device, endpoint=endpoint, p256dh="", auth="", created_at=timezone.now()
    )
    assert run() == 0
    assert not service.seen
    assert not PushSubscription.objects.exists(), "an address that the setting no longer names is forgotten"


@pytest.mark.parametrize(
    "host", ["push.example", "a.push.example.org", "a.b.push.example.org", "PUSH.example"]
)
def test_named_services_may_be_called(host: str) -> None:
    assert SERVICE.may_call(f"https://{host}/x")


@pytest.mark.parametrize("keys", [{"p256dh": "short"}, {"auth": "!!"}, {"auth": ""}])
def test_keys_must_be_keys(cast: Cast, service: Service, keys: dict[str, str]) -> None:
    assert subscribe(cast, **keys).status_code == 422


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fd00::1", "100.64.0.1"]
)
def test_a_name_that_leads_into_the_house_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolved(*_args: Any, **_options: Any) -> Any:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, 1, 6, "", ("93.184.216.34", 443)), (family, 1, 6, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(OSError, match="not public"):
        transport.connection_to("push.example")
    assert transport.poke(ENDPOINT, {}) == 0


def test_a_restored_server_pokes_everyone(cast: Cast, work: Work, service: Service) -> None:
    subscribe(cast)
    work.submit()
    catch_up(cast)
    assert run() == 0
    new_epoch(actor=SYSTEM)
    assert run() == 1


def test_without_keys_nobody_is_poked_and_phones_are_told(cast: Cast, work: Work) -> None:
    client = cast.officer.client()
    assert client.get(ROUTE).json() == {"enabled": False, "public_key": None}
    assert subscribe(cast).status_code == 404
    assert client.delete(ROUTE).status_code == 204
    assert poke_phones(actor=SYSTEM, service=WebPush()) == 0


def test_a_phone_asks_for_the_key_subscribes_changes_its_mind(cast: Cast, service: Service) -> None:
    client = cast.officer.client()
    assert client.get(ROUTE).json() == {"enabled": True, "public_key": SERVICE.public_key()}
    subscribe(cast)
    subscribe(cast, "https://a.push.example.org/y")
    assert PushSubscription.objects.get().endpoint == "https://a.push.example.org/y"
    assert client.delete(ROUTE).status_code == 204
    assert not PushSubscription.objects.exists()
