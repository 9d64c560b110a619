"""Routes of the console, all under /console/. What is not named here is nowhere, for everyone in the same way."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from apps.console.views import account, board, errors, photos, review

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", board.home, name="board"),
    path("board/<uuid:unit_id>/", board.unit_board, name="unit_board"),
    path("review/", review.review_queue, name="review"),
    path("review/<uuid:report_id>/", review.report, name="report"),
    path("review/<uuid:report_id>/decision/", review.decide, name="decide"),
    path("photos/<uuid:attachment_id>/thumbnail", photos.thumbnail, name="thumbnail"),
    path("photos/<uuid:attachment_id>/original", photos.original, name="original"),
    path("checklists/", errors.nowhere, name="checklists"),
    path("devices/", errors.nowhere, name="devices"),
    path("account/", account.account, name="account"),
    path("preferences/", account.preferences, name="preferences"),
    re_path(r"^.*$", errors.nowhere),
]
