"""A phone of the story: `tests.phone.Phone` on a simulated wire, whose app can be killed at any write to its store."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization

from apps.common.errors import DomainError
from tests.cast import PASSWORD
from tests.phone import Clock, ConnectionCut, Phone, Refused, Wiped
from tests.simulation.clock import Clock as ServerClock
from tests.simulation.network import Network, SimulatedWire, Trouble

SIGN_IN_AGAIN = frozenset(
    {"token-invalid", "token-expired", "token-reused", "not-signed-in", "proof-invalid"}
)
# Refusals that a phone may meet in this story without anyone having made a mistake.
EXPECTED = SIGN_IN_AGAIN | {
    "device-revoked",
    "not-found",
    "upload-ended",
    "offset-mismatch",
    "attachment-refused",
    "size-differs",
    "sign-in-refused",
    "storage-unavailable",
    "unavailable",
    "busy",
}


class Killed(BaseException):
    """The app was killed."""


class PhoneClock(Clock):
    """The server's time, and how far this phone is off."""

    def __init__(self, server: ServerClock) -> None:
        self.server = server
        self.offset = 0.0

    def now(self) -> float:
        """Give what the phone takes for the time."""
        return self.server.now().timestamp() + self.offset

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass for everyone."""
        self.server.pass_by(seconds)


class KillableStore:
    """A phone's SQLite store that may end at its n-th statement."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real
        self.left = 0

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run a statement, or die before it."""
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed
        return self.real.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        """Run a statement for each row, or die before it."""
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed
        return self.real.executemany(sql, rows)

    def close(self) -> None:
        """Switch off."""
        self.real.close()

    def revive(self) -> None:
        """Start the app again: what was not committed is gone."""
        self.left = 0
        if self.real.in_transaction:
            self.real.rollback()


@dataclass(frozen=True)
class Saved:
    """A phone as the template keeps it."""

    name: str
    username: str
    store: bytes


class Handset(Phone):
    """One officer's phone, with its own wrong clock."""

    store: Any
    wire: Any

    def __init__(self, network: Network, name: str, username: str, saved: bytes | None = None) -> None:
        self.own_clock = PhoneClock(network.server.clock)
        if saved is None:
            super().__init__("http://testserver", name=name, clock=self.own_clock)
            self.store = KillableStore(self.store)
        else:
            self.clock = self.own_clock
            self._wake(saved, name)
        self.username = username
        self.network = network
        self.wire = SimulatedWire(network, name)
        self.is_wiped = False
        self.sends_at_once = not name.endswith("-2")  # one of the officer's phones is older
        self.new_code: Callable[[], str] | None = None

    def _wake(self, saved: bytes, name: str) -> None:
        """Switch on a phone of the template: much quicker than to make its tables."""
        real = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        real.deserialize(saved)
        self.name = name
        self.dice = random.Random(name)
        self.store = KillableStore(real)
        pem = self.get("key")
        assert pem is not None
        self.key = serialization.load_pem_private_key(pem.encode(), None)  # type: ignore[assignment]

    def saved(self) -> Saved:
        """Keep the phone for the template."""
        return Saved(self.name, self.username, self.store.real.serialize())

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Let this phone's clock be the one that phones read."""
        clock = self.network.server.clock
        clock.offset = self.own_clock.offset
        try:
            yield
        finally:
            clock.offset = 0.0

    def contact(
        self, do: Callable[[], object], troubles: list[Trouble] | None = None, *, dies_at: int = 0
    ) -> str:
        """Let the phone speak with the server, through trouble if so ordered; tells how it went."""
        if self.is_wiped:
            return "is wiped"
        self.wire.expect(troubles or [])
        self.store.left = dies_at
        with self.in_hand():
            try:
                return self._patiently(do)
            except ConnectionCut as cut:
                return f"is cut off ({cut})"
            except Killed:
                return "is killed on the way"
            except Wiped:
                self.is_wiped = True
                return "wipes itself"
            except Refused as refused:
                is_head = (refused.status, refused.code) == (403, "no-json")  # suspended: HEAD cannot say so
                if refused.code not in EXPECTED and not is_head:
                    raise AssertionError(f"{self.name}: unexpected refusal {refused}") from refused
                return f"is refused ({refused.code})"
            finally:
                self.store.revive()
                self.is_wiped = self.is_wiped or self.get("key") is None

    def _patiently(self, do: Callable[[], object]) -> str:
        for _ in range(3):
            try:
                do()
                return "is done"
            except Refused as refused:
                if refused.code not in SIGN_IN_AGAIN:
                    raise
                self.sign_in()
        return "gives up signing in"

    def sign_in(self) -> None:
        """Type user name and password; a phone that the server does not know is enrolled anew, its store kept."""
        self.put("refresh_request", "")
        device = self.get("device_id")
        challenge = self.call("POST", "/sessions/challenge", {"device_id": device}, signed_in=False)[
            "challenge"
        ]
        body = {
            "device_id": device,
            "username": self.username,
            "password": PASSWORD,
            "challenge": challenge,
            "signature": self.sign(f"session|{device}|{self.username}|{challenge}"),
        }
        try:
            self._keep_tokens(self.call("POST", "/sessions", body, signed_in=False))
        except Refused as refused:
            if refused.code != "sign-in-refused" or self.new_code is None:
                raise
            try:
                code = self.new_code()
            except DomainError:  # a suspended officer gets none
                raise refused from None
            self.enrol(code)
