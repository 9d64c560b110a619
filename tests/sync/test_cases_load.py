"""Seven in the morning, case 47 of docs/sync.md: more phones than a server can answer at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from mobile_api.admission import ARRIVED, LONGEST, SHORTEST, pulls
from tests.cast import Cast
from tests.near import Near
from tests.phone import Phone, Refused, VirtualClock
from tests.phone_patience import FIRST_DELAY, LONGEST_DELAY, delay
from tests.work import Work


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast) -> Phone:
    """The officer's phone, in step with the server, on a clock of its own."""
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    return phone


class Crowd:
    """Pulls that fill the process, and a web server that has had the request in line for some seconds."""

    def __init__(self, near: Near) -> None:
        self._who: list[object] = []
        self.in_line = 0.0
        django: Any = near.server.get_app()

        def application(environ: Any, start: Any) -> Any:
            return django(environ | {ARRIVED: time.monotonic() - self.in_line}, start)

        near.server.set_app(application)

    def fill(self, *, since: float) -> None:
        """Let half the threads work on pulls that began so many seconds ago."""
        for _ in range(settings.PULLS_AT_ONCE):
            who = object()
            pulls.enter(who, settings.PULLS_AT_ONCE)
            pulls._inside[who] -= since
            self._who.append(who)

    def end(self) -> None:
        """Let them all be done."""
        self.in_line = 0.0
        while self._who:
            pulls.leave(self._who.pop())


@pytest.fixture
def crowd(near: Near) -> Iterator[Crowd]:
    """A crowd that is gone after the test."""
    gathered = Crowd(near)
    yield gathered
    gathered.end()


@pytest.fixture(params=["in line", "slow"])
def full(request: pytest.FixtureRequest, crowd: Crowd) -> Crowd:
    """A process that has fallen behind: its line is long, or its pulls are slow."""
    if request.param == "slow":
        crowd.fill(since=3)
    else:
        crowd.in_line = 3.0
    return crowd


def test_case_47_a_full_process_sends_pulls_away_and_takes_pushes(
    phone: Phone, work: Work, full: Crowd
) -> None:
    """Expected: 503 with a random `Retry-After` for pulls, asked before anything else; pushes are applied as ever."""
    told = set()
    for _ in range(40):
        with pytest.raises(Refused) as refused:
            phone.pull()
        assert (refused.value.status, refused.value.code) == (503, "unavailable")
        assert refused.value.retry_after
        told.add(refused.value.retry_after)
    assert SHORTEST <= min(told) <= max(told) <= LONGEST
    assert len(told) > 5, "not everybody at the same time"
    phone.submit(work.fields())
    assert [r["status"] for r in phone.push()] == ["applied"]
    full.end()
    phone.pull()
    assert len(phone.rows("inspection")) == 1


def test_case_47_a_phone_sent_away_pushes_first_and_comes_back_later(
    phone: Phone, work: Work, full: Crowd
) -> None:
    """Expected: the push is through although the pull is refused; the phone waits at least as long as it was told."""
    clock = phone.clock
    assert isinstance(clock, VirtualClock)
    phone.submit(work.fields())
    with pytest.raises(Refused):
        phone.sync()
    assert phone.waiting() == 0
    told = float(phone.get("not_before") or 0) - clock.at
    assert told >= SHORTEST
    full.end()
    assert phone.sync_patiently()
    assert clock.slept[0] == pytest.approx(told, abs=0.01)
    assert [body["state"] for body in phone.rows("inspection").values()] == ["complete"]


def test_case_47_a_burst_that_is_over_in_a_moment_sends_nobody_away(phone: Phone, crowd: Crowd) -> None:
    """Expected: many pulls at once, none of them slow, and a short line: the pull is answered."""
    crowd.fill(since=0.5)
    crowd.in_line = 0.5
    phone.pull()


def test_case_47_room_is_made_again_whatever_becomes_of_a_pull(phone: Phone) -> None:
    """Expected: refused, broken and answered pulls all leave."""
    for body in ({"cursor": "x"}, {"limit": "x"}, {}, {"cursor": None, "limit": 1}):
        try:
            phone.call("POST", "/sync/pull", body)
        except Refused as refused:
            assert refused.status == 422, refused  # noqa: PT017  the statuses differ by body
    phone.put("access_token", "wrong")
    with pytest.raises(Refused) as refused_again:
        phone.call("POST", "/sync/pull", {})
    assert refused_again.value.status == 401
    assert not pulls._inside


def test_case_47_too_many_pushes_of_one_device_are_429_with_a_spread_time(
    phone: Phone, work: Work, settings: Any
) -> None:
    """Expected: 429 with `Retry-After`; nothing is processed, nothing is lost, and the phone comes back by itself."""
    settings.PUSH_PER_MINUTE = 2
    phone.submit(work.fields())
    for _ in range(2):
        phone.call("POST", "/sync/push", {"mutations": []})
    with pytest.raises(Refused) as refused:
        phone.call("POST", "/sync/push", {"mutations": []})
    assert (refused.value.status, refused.value.code) == (429, "too-many-requests")
    assert refused.value.retry_after
    assert refused.value.retry_after <= 71
    assert phone.waiting() == 1
    settings.PUSH_PER_MINUTE = 100
    assert phone.sync_patiently()


def test_case_47_five_thousand_phones_spread_out() -> None:
    """Expected: of 5,000 phones told times from 5 to 30 s, no second sees more than 7 % again, and none is early."""
    dice = random.Random(7)
    back: dict[int, int] = {}
    for _ in range(5000):
        asked = dice.randint(SHORTEST, LONGEST)
        waited = delay(dice, 0, asked)
        assert asked <= waited <= asked * 1.5
        back[int(waited)] = back.get(int(waited), 0) + 1
    assert max(back.values()) < 350, back
    without_word = [delay(dice, failures) for failures in range(40)]
    assert min(without_word) >= FIRST_DELAY / 2
    assert max(without_word) <= LONGEST_DELAY
