"""At seven in the morning everybody pulls: a process takes so many pulls at once and sends the rest away for a while.

Pushes pass: what officers did in the field is worth more than what the server has to tell. Who is sent away is told a
random time, so that they do not come back together. The question costs a counter: it stands before authentication.
"""

from __future__ import annotations

import random
import threading
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from apps.common.errors import Unavailable
from mobile_api.views import PhoneView

SHORTEST, LONGEST = 5, 30


class Door:
    """Counts who is inside; knows nothing of the other processes."""

    def __init__(self) -> None:
        self._inside = 0
        self._lock = threading.Lock()

    def enter(self, most: int) -> None:
        """Let one more in. Raises Unavailable, with a random time to come back, when there are too many."""
        with self._lock:
            if self._inside < most:
                self._inside += 1
                return
        raise Unavailable(members={"retry_after": random.randint(SHORTEST, LONGEST)})  # noqa: S311  no secret

    def leave(self) -> None:
        """Make room."""
        with self._lock:
            self._inside -= 1


pulls = Door()


class AdmittedView(PhoneView):
    """A view that a process runs only so many times at once (`HAIDANG_PULLS_AT_ONCE`)."""

    _is_inside = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask for room before anything else is asked."""
        pulls.enter(settings.PULLS_AT_ONCE)
        self._is_inside = True
        super().initial(request, *args, **kwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Make room again, whatever became of the request."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self._is_inside:
                pulls.leave()
