"""The headers of console pages: a content policy without exceptions, and no copies in caches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_PLACES = ("/console", "/accounts")


def content_policy() -> str:
    """Allow what this site itself serves, nothing inline, and forms to the identity provider when there is one."""
    providers: Mapping[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
    apps = providers.get("openid_connect", {}).get("APPS", [])
    servers = [urlsplit(app["settings"]["server_url"]) for app in apps]
    forms = " ".join(["'self'", *(f"{s.scheme}://{s.netloc}" for s in servers)])
    return (
        f"default-src 'self'; object-src 'none'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )


class ConsoleHeadersMiddleware:
    """Put the policy on every answer under /console/ and /accounts/ that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = content_policy()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Leave the phone API and its documentation pages alone."""
        response = self.get_response(request)
        if request.path.startswith(_PLACES):
            response.headers.setdefault("Content-Security-Policy", self.policy)
            response.headers.setdefault("Cache-Control", "private, no-store")
            response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
