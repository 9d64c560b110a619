"""At seven in the morning everybody pulls: a process that falls behind sends pulls away for a while, and takes pushes.

What officers did in the field is worth more than what the server has to tell. Who is sent away is told a random
time, so that they do not come back together. The question costs a counter: it stands before authentication. A burst
that is over in a moment is no reason; two seconds in line, or a crowd of pulls of which one takes so long, are.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from apps.common.errors import Unavailable
from mobile_api.views import PhoneView

PATIENCE_SECONDS = 2.0
SHORTEST, LONGEST = 5, 30
ARRIVED = "haidang.arrived"  # when the web server took the request (`time.monotonic`); not every server tells


class Door:
    """Knows which pulls are inside, and since when; knows nothing of the other processes."""

    def __init__(self) -> None:
        self._inside: dict[object, float] = {}
        self._lock = threading.Lock()

    def enter(self, who: object, most: int, arrived: float | None = None) -> None:
        """Let one more in. Raises Unavailable, with a random time to come back, when the process has fallen behind."""
        now = time.monotonic()
        with self._lock:
            is_late = arrived is not None and now - arrived > PATIENCE_SECONDS
            is_crowded = len(self._inside) >= most and now - min(self._inside.values()) > PATIENCE_SECONDS
            if not (is_late or is_crowded):
                self._inside[who] = now
                return
        raise Unavailable(members={"retry_after": random.randint(SHORTEST, LONGEST)})  # noqa: S311  no secret

    def leave(self, who: object) -> None:
        """Make room; nothing happens for somebody who was not let in."""
        with self._lock:
            self._inside.pop(who, None)


pulls = Door()


class AdmittedView(PhoneView):
    """A view that a process which has fallen behind does not run (`HAIDANG_PULLS_AT_ONCE`)."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask for room before anything else is asked."""
        pulls.enter(self, settings.PULLS_AT_ONCE, request.META.get(ARRIVED))
        super().initial(request, *args, **kwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Make room again, whatever became of the request."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            pulls.leave(self)
