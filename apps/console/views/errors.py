"""What is not there: the same page for an address that never existed and for one that is not open to this person."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from apps.console.rooms import opens


@opens()
def nowhere(request: HttpRequest, **_path: Any) -> HttpResponseBase:
    """Answer for every console address without a page: strangers to the door, others the same 404."""
    raise Http404


def nothing(request: HttpRequest, **_path: Any) -> HttpResponseBase:
    """Answer for what is shut to everyone."""
    raise Http404
