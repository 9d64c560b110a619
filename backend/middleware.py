"""What every request carries: a request id in log and answer, a language, and the console user's `Actor`."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from apps.accounts.queries import actor_for
from apps.common.records import new_id

Handler = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContextMiddleware:
    """Give each request an id: the caller's `X-Request-Id` when it is well formed, a new one otherwise."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Bind the id to the logs and write it on the answer."""
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        request.META["haidang.request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class LanguageMiddleware:
    """Choose Vietnamese or English: the console's cookie first, then `Accept-Language`, then Vietnamese."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the language for this request alone."""
        wish = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or request.headers.get(
            "Accept-Language", ""
        )
        language = "en" if wish.strip().lower().startswith("en") else "vi"
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class ActorMiddleware:
    """Attach `request.actor` for a signed-in console user, built anew from the database on each request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Leave `request.actor` as None for an anonymous visitor."""
        user = request.user
        request.actor = (  # type: ignore[attr-defined]  # the one attribute we add to a request
            actor_for(
                user,
                request_id=request.META["haidang.request_id"],
                note=request.headers.get("X-Action-Note", "")[:500],
            )
            if user.is_authenticated
            else None
        )
        return self.get_response(request)
