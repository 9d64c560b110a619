"""The WSGI application: Django as a web server loads it, with a shorter way in for phones.

Phones have no cookies: what the console needs for sessions, forms and sign-in is left out on their busiest routes,
and for the files of their app.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

FOR_PHONES = ("/mobile/v1/sync/", "/mobile/v1/uploads", "/mobile/v1/snapshots/", "/field/")


class PhoneHandler(WSGIHandler):
    """Django with the middleware that phones need."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  Django's own shape
        """Load `PHONE_MIDDLEWARE`; Django knows one list only, read here at start and never again."""
        whole, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.PHONE_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = whole


_everybody = get_wsgi_application()
_phones = PhoneHandler()
import_module(settings.ROOT_URLCONF)


def application(request: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Serve one request."""
    handler = _phones if request.get("PATH_INFO", "").startswith(FOR_PHONES) else _everybody
    return handler(request, start_response)


# What has been loaded stays: it need not be looked through for garbage, and requests leave little that goes in circles.
gc.freeze()
gc.set_threshold(20_000, 20, 50)
