"""Routes of the phone API, all under /mobile/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from mobile_api.attachments.views import AttachmentView, OriginalView, ThumbnailView
from mobile_api.devices.views import EnrolView, PushSubscriptionView
from mobile_api.schema.views import DocsView, SchemaView
from mobile_api.sessions.views import ChallengeView, RefreshView, SessionsView
from mobile_api.snapshots.views import PartsView, PartView, SnapshotView
from mobile_api.sync.views import PullView, PushView, StatusView
from mobile_api.uploads.views import UploadsView, UploadView

app_name = "mobile_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", DocsView.as_view(), name="docs"),
    path("devices/enrol", EnrolView.as_view(), name="devices-enrol"),
    path("devices/push", PushSubscriptionView.as_view(), name="devices-push"),
    path("sessions", SessionsView.as_view(), name="sessions"),
    path("sessions/challenge", ChallengeView.as_view(), name="sessions-challenge"),
    path("sessions/refresh", RefreshView.as_view(), name="sessions-refresh"),
    path("sync/push", PushView.as_view(), name="sync-push"),
    path("sync/pull", PullView.as_view(), name="sync-pull"),
    path("sync/status", StatusView.as_view(), name="sync-status"),
    path("snapshots/<str:stream>", SnapshotView.as_view(), name="snapshot"),
    path("snapshots/<str:stream>/parts", PartsView.as_view(), name="snapshot-parts"),
    path("snapshots/<str:stream>/parts/<str:sha256>", PartView.as_view(), name="snapshot-part"),
    path("uploads", UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>", UploadView.as_view(), name="upload"),
    path("attachments/<uuid:attachment_id>", AttachmentView.as_view(), name="attachment"),
    path("attachments/<uuid:attachment_id>/original", OriginalView.as_view(), name="attachment-original"),
    path("attachments/<uuid:attachment_id>/thumbnail", ThumbnailView.as_view(), name="attachment-thumbnail"),
]
