"""Limits on requests, counted in Django's cache; each states what happens when the cache cannot answer.

A limit that fails closed answers 503 without a count: guessing must not become free. One that fails open lets the
request pass and writes a line to the log: field work must not wait for a cache.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from typing import ClassVar

import structlog
from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.common.errors import Unavailable
from mobile_api.authentication import DeviceAuth

logger = structlog.get_logger(__name__)
# The file cache counts by reading and writing; within one process this makes it exact. Redis counts by itself.
_counting = threading.Lock()


class Limit(BaseThrottle):
    """So many requests of one caller in one window of time."""

    name: ClassVar[str]
    count: ClassVar[int]
    seconds: ClassVar[int]
    fails_open: ClassVar[bool] = False

    def key(self, request: Request) -> str | None:
        """Name the caller; None when the limit does not apply."""
        raise NotImplementedError

    def allowed(self) -> int:
        """Give the number of requests in a window."""
        return self.count

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request and tell whether it may pass. Raises Unavailable when a closed limit cannot count."""
        caller = self.key(request)
        if caller is None:
            return True
        try:
            return self._counted(caller) <= self.allowed()
        except Exception as error:  # whatever a cache raises means the same
            logger.warning(
                "limit.uncounted", limit=self.name, fails_open=self.fails_open, error=type(error).__name__
            )
            if self.fails_open:
                return True
            raise Unavailable from error

    def wait(self) -> float:
        """Give the seconds until the next window; phones, which come back by themselves, are spread over ten more."""
        spread = random.uniform(0, 10) if self.seconds <= 60 else 0  # noqa: S311  no secret
        return self.seconds - time.time() % self.seconds + spread

    def _counted(self, caller: str) -> int:
        window = int(time.time() // self.seconds)
        digest = hashlib.sha256(caller.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        key = f"limit:{self.name}:{digest}:{window}"
        with _counting:
            cache.add(key, 0, timeout=self.seconds + 1)
            return int(cache.incr(key))


class _ByAddress(Limit):
    def key(self, request: Request) -> str | None:
        """Name the caller by network address: the one our own proxy saw, or the peer's."""
        return address_of(request)


class EnrolByAddress(_ByAddress):
    """Enrolment from one address; a class of recruits behind one router still gets through. Fails closed."""

    name, count, seconds = "enrol-address", 60, 900


class EnrolEverywhere(Limit):
    """Enrolment in all: the last line against guessing codes from many addresses. Fails closed."""

    name, count, seconds = "enrol-all", 600, 900

    def key(self, request: Request) -> str | None:
        """Count everybody together."""
        return "all"


class SignInByAccount(Limit):
    """Signing in as one user name, whoever tries. Fails closed."""

    name, count, seconds = "sign-in-account", 10, 900

    def key(self, request: Request) -> str | None:
        """Name the account as typed, without regard to case."""
        data = request.data
        name = data.get("username") if isinstance(data, dict) else None
        return name.strip().casefold() if isinstance(name, str) else None


class SignInByAddress(_ByAddress):
    """Signing in from one address. Fails closed."""

    name, count, seconds = "sign-in-address", 100, 900


class RefreshByAddress(_ByAddress):
    """Rotations and challenges from one address; a whole region may share one. Fails open."""

    name, count, seconds, fails_open = "refresh-address", 1200, 60, True


class PushByDevice(Limit):
    """Pushes of one device, counted in each process by itself: it stops a phone gone wrong, at no cost to the rest."""

    name, count, seconds = "push-device", 60, 60
    _window: ClassVar[tuple[int, dict[str, int]]] = (0, {})

    def allowed(self) -> int:
        """Give the limit from the settings."""
        return int(settings.PUSH_PER_MINUTE)

    def key(self, request: Request) -> str | None:
        """Name the device."""
        return str(request.auth.actor.device_id) if isinstance(request.auth, DeviceAuth) else None

    def _counted(self, caller: str) -> int:
        window = int(time.time() // self.seconds)
        with _counting:
            if PushByDevice._window[0] != window:
                PushByDevice._window = (window, {})
            counts = PushByDevice._window[1]
            counts[caller] = counts.get(caller, 0) + 1
            return counts[caller]


def address_of(request: Request) -> str:
    """Give the caller's address: the last one in `X-Forwarded-For` when a proxy of ours stands in front."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return forwarded.rpartition(",")[2].strip()[:64] or str(request.META.get("REMOTE_ADDR", ""))
