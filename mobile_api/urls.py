"""Routes of the phone API, all under /mobile/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "mobile_api"
urlpatterns: list[URLPattern | URLResolver] = []
