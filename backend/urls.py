"""Every route: the phone API, the console, sign-in, health."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from backend.health import health

urlpatterns = [
    path("health", health),
    path("", RedirectView.as_view(url="/console/")),
    path("mobile/v1/", include("mobile_api.urls")),
    path("console/", include("apps.console.urls")),
    path("accounts/", include("allauth.urls")),
]
