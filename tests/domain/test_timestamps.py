"""Time stamps by an outside authority: taken when they are sound, asked for again when not, checked, and in the bundle.

The authority is a small one of the test's own, made with `openssl ts`, on loopback.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.audit import authority
from apps.audit.actions import log, sign_head, stamp_newest
from apps.audit.models import Event, Head, Stamp
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from tests.court import Court
from tests.domain.test_export_bundle import by_hand, run, unpacked
from tests.evidence import on_disk
from tests.tampering import codes, rewrite, swap, undone, verify, watched

pytestmark = pytest.mark.django_db

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {0}/serial
signer_cert = {0}/tsa.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[tsa_ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ca_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[req]
distinguished_name = name
[name]
"""


def openssl(directory: Path, command: str) -> None:
    done = subprocess.run(["openssl", *command.split()], cwd=directory, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def made(directory: Path) -> Path:
    """Make an authority with a root of its own; gives its directory."""
    directory.mkdir()
    (directory / "tsa.cnf").write_text(_CONFIG.format(directory))
    (directory / "serial").write_text("01\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config tsa.cnf"
    openssl(
        directory, f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=Root -days 30 -extensions ca_ext"
    )
    openssl(directory, f"req {key} -keyout tsa.key -out tsa.csr -subj /CN=Authority")
    openssl(
        directory,
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 30 "
        "-extfile tsa.cnf -extensions tsa_ext",
    )
    return directory


@dataclass
class Authority:
    """An authority that listens; `spoil` changes what it answers."""

    place: Path
    url: str = ""
    asked: int = 0
    spoil: Callable[[bytes], bytes] = field(default=lambda answer: answer)

    def answer(self, query: bytes) -> bytes:
        self.asked += 1
        (self.place / "query.tsq").write_bytes(query)
        openssl(self.place, "ts -reply -config tsa.cnf -queryfile query.tsq -out answer.tsr")
        return self.spoil((self.place / "answer.tsr").read_bytes())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("authority") / "own")


@pytest.fixture
def tsa(place: Path, settings: Any) -> Iterator[Authority]:
    found = Authority(place)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = found.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/"
    settings.TIMESTAMP_URL, settings.TIMESTAMP_CERTIFICATE = found.url, str(place / "ca.pem")
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def head(settings: Any, tmp_path: Path) -> Head:
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path / "evidence")}
    log(SYSTEM, "thing.done", "thing", new_id())
    signed = sign_head()
    assert signed is not None
    return signed


def test_the_newest_head_is_stamped_once_an_hour(head: Head, tsa: Authority) -> None:
    stamp = stamp_newest()
    assert stamp is not None
    assert stamp.head == head
    assert stamp_newest() is None, "the hour has not passed"
    assert tsa.asked == 1
    with undone():
        rewrite(stamp, at=timezone.now() - timedelta(hours=2))
        log(SYSTEM, "thing.done", "thing", new_id())
        newer = sign_head()
        again = stamp_newest()
        assert again is not None
        assert again.head == newer
    sign_head()
    assert verify() == (0, [])


def test_nobody_is_asked_unless_an_authority_is_named(head: Head, settings: Any) -> None:
    settings.TIMESTAMP_URL = ""
    assert stamp_newest() is None
    assert not Stamp.objects.exists()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "rubbish": lambda _: b"<html>Sorry</html>",
    "nothing": lambda _: b"",
    "cut": lambda answer: answer[:-20],
    "flipped": lambda answer: answer[:-9] + bytes([answer[-9] ^ 1]) + answer[-8:],
    "endless": lambda answer: answer + bytes(200_000),
}


@pytest.mark.parametrize("how", SPOILT)
def test_an_authority_that_answers_rubbish_breaks_nothing_and_is_asked_again(
    head: Head, tsa: Authority, how: str
) -> None:
    tsa.spoil = SPOILT[how]
    assert stamp_newest() is None
    assert not Stamp.objects.exists()
    tsa.spoil = lambda answer: answer
    assert stamp_newest() is not None
    assert tsa.asked == 2


def test_an_answer_that_was_given_to_somebody_else_is_no_stamp(head: Head, tsa: Authority) -> None:
    assert stamp_newest() is not None
    old = bytes(Stamp.objects.get().token)
    tsa.spoil = lambda _: old
    with pytest.raises(authority.TimestampRefused, match="Nonce"):
        authority.stamp(bytes(head.body))


def test_another_authority_is_not_believed(head: Head, tsa: Authority, settings: Any, tmp_path: Path) -> None:
    settings.TIMESTAMP_CERTIFICATE = str(made(tmp_path / "other") / "ca.pem")
    assert stamp_newest() is None
    settings.TIMESTAMP_CERTIFICATE = ""
    assert stamp_newest() is None


def test_an_authority_that_is_down_breaks_nothing_and_is_told(
    head: Head, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TIMESTAMP_URL, settings.TIMESTAMP_CERTIFICATE = "http://127.0.0.1:1/", "/nowhere.pem"
    assert stamp_newest() is None
    assert not Event.objects.filter(action="head.stamped").exists()


def test_a_stamp_that_was_changed_taken_or_moved_is_named(head: Head, tsa: Authority) -> None:
    stamp = stamp_newest()
    assert stamp is not None
    log(SYSTEM, "thing.done", "thing", new_id())
    other = sign_head()
    assert other is not None
    assert verify() == (0, [])
    assert watched(stamp, {"at"}) == (set(), set()), (
        "the time may differ by what one transaction takes, see below"
    )
    token = bytes(stamp.token)
    with undone():
        rewrite(stamp, token=token[:-9] + bytes([token[-9] ^ 1]) + token[-8:])
        assert codes() == {"stamp-differs", "stamp-signature"}
    with undone():
        rewrite(stamp, head_id=other.pk)
        assert codes() == {"stamp-differs", "stamp-signature"}
    with undone():
        rewrite(stamp, at=stamp.at - timedelta(days=1))
        assert codes() == {"stamp-differs"}
    with undone():
        Stamp.objects.all()._raw_delete("default")
        assert codes() == {"stamp-missing"}
    with undone():
        Stamp.objects.create(head=other, at=timezone.now(), token=token)
        assert codes() == {"event-missing", "stamp-signature"}


def test_a_bundle_bears_the_stamp_and_says_so_when_it_has_none(
    court: Court, tsa: Authority, tmp_path: Path, settings: Any
) -> None:
    case = court.case()
    stamped = unpacked(case, tmp_path)
    assert run(stamped)[0] == 0
    assert by_hand(stamped) == 2 * 6
    assert "openssl ts -verify" in (stamped / "README.txt").read_text()
    token = stamped / "ledger/head.tsr"
    data = token.read_bytes()
    token.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert "head.tsr: stamp of the authority" in run(stamped)[1]
    settings.TIMESTAMP_URL = "http://127.0.0.1:1/"
    log(SYSTEM, "thing.done", "thing", new_id())
    (tmp_path / "later").mkdir()
    without = unpacked(case, tmp_path / "later")
    status, said = run(without)
    assert (status, "no time stamp" in said) == (0, True)
    assert "NO time stamp" in (without / "README.txt").read_text()


def test_swapped_stamps_are_named(head: Head, tsa: Authority) -> None:
    one = stamp_newest()
    log(SYSTEM, "thing.done", "thing", new_id())
    sign_head()
    with undone():
        assert one is not None
        rewrite(one, at=timezone.now() - timedelta(hours=2))
        two = stamp_newest()
        assert two is not None
        rewrite(one, at=Event.objects.get(oid=one.pk).at)
        swap(one, two, "token")
        assert codes() == {"stamp-differs", "stamp-signature"}
