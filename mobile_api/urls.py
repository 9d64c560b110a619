"""Routes of the phone API, all under /mobile/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from mobile_api.schema.views import DocsView, SchemaView
from mobile_api.sync.views import PullView, PushView, StatusView

app_name = "mobile_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("sync/push", PushView.as_view(), name="sync-push"),
    path("sync/pull", PullView.as_view(), name="sync-pull"),
    path("sync/status", StatusView.as_view(), name="sync-status"),
]
