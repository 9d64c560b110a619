"""Every route: the phone API, the phone app, the console, sign-in, health."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from backend.health import health
from backend.metrics import metrics
from mobile_api.problems import unknown_route

urlpatterns = [
    path("health", health),
    path("metrics", metrics),
    path("", RedirectView.as_view(url="/console/")),
    path("mobile/v1/", include("mobile_api.urls")),
    re_path(r"^mobile/", unknown_route),
    path("field", RedirectView.as_view(url="/field/")),
    path("field/", include("apps.field.urls")),
    path("console/", include("apps.console.urls")),
    path("accounts/", include("apps.console.sign_in_urls")),
]

handler400 = "mobile_api.problems.bad_request"
handler403 = "mobile_api.problems.permission_denied"
handler404 = "mobile_api.problems.page_not_found"
handler500 = "mobile_api.problems.server_error"
