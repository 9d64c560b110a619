"""`GET /metrics`: figures for Prometheus, for whoever holds the token of the setting; without a setting, nothing."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from apps.sync.metrics import collect, exposition


def metrics(request: HttpRequest) -> HttpResponse:
    """Give all figures. Raises Http404 to everyone without the token: there is nothing here for them."""
    given = request.headers.get("Authorization", "").encode("utf-8", "replace")
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given, wanted):
        raise Http404
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return HttpResponse(exposition(collect()), content_type=kind, headers={"Cache-Control": "no-store"})
