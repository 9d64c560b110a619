"""Routes of the phone app: everything below /field/ is the app's."""

from __future__ import annotations

from django.urls import path

from apps.field.views import app

app_name = "field"
urlpatterns = [
    path("", app, name="app"),
    path("<path:path>", app, name="file"),
]
