"""Routes of django-allauth under /accounts/: those we use; the rest is shut and answers like a place that is not."""

from __future__ import annotations

from allauth.urls import urlpatterns as allauth_routes
from django.urls import URLPattern, URLResolver, path, re_path

from apps.console.views.errors import nothing

# Nobody registers, resets by e-mail or connects other accounts here: administrators do that.
_SHUT = (
    "signup/",
    "email/",
    "confirm-email/",
    "password/reset/",
    "password/set/",
    "login/code/",
    "social/",
    "3rdparty/signup/",
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(re_path(f"^{place}", nothing) for place in _SHUT),
    path("3rdparty/", nothing),
    *allauth_routes,
]
