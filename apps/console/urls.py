"""Routes of the console, all under /console/. What is not named here is nowhere, for everyone in the same way."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from apps.console.views import (
    account,
    board,
    checklists,
    devices,
    drafts,
    errors,
    lists,
    photos,
    review,
    seizure_pairs,
    seizures,
)

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", board.home, name="board"),
    path("board/<uuid:unit_id>/", board.unit_board, name="unit_board"),
    path("board/seizures/", board.seizure_figures, name="seizure_figures"),
    path("board/<uuid:unit_id>/seizures/", board.seizure_figures, name="unit_seizures"),
    path("review/", review.review_queue, name="review"),
    path("review/<uuid:report_id>/", review.report, name="report"),
    path("review/<uuid:report_id>/decision/", review.decide, name="decide"),
    path("review/<uuid:report_id>/bundle/", review.bundle, name="bundle"),
    path("photos/<uuid:attachment_id>/thumbnail", photos.thumbnail, name="thumbnail"),
    path("photos/<uuid:attachment_id>/original", photos.original, name="original"),
    path("seizures/", seizures.seizures, name="seizures"),
    path("seizures/duplicates/", seizure_pairs.duplicates, name="duplicates"),
    path("seizures/<uuid:report_id>/pairing/", seizure_pairs.judge, name="judge_pair"),
    path("seizures/<uuid:report_id>/agreement/", seizure_pairs.agree, name="agree_seizure"),
    path("seizures/<uuid:report_id>/", seizures.report, name="seizure"),
    path("seizures/<uuid:report_id>/persons/", seizures.persons, name="seizure_persons"),
    path("seizures/<uuid:report_id>/decision/", seizures.decide, name="decide_seizure"),
    path("seizures/<uuid:report_id>/laboratory/", seizures.laboratory, name="seizure_lab"),
    path("seizures/<uuid:report_id>/amendment/", seizures.amend, name="amend_seizure"),
    path("checklists/", checklists.checklists, name="checklists"),
    path("checklists/new/", checklists.add, name="add_checklist"),
    path("checklists/versions/<uuid:version_id>/", checklists.version, name="version"),
    path("checklists/versions/<uuid:version_id>/step/", checklists.move, name="move_version"),
    path("checklists/versions/<uuid:version_id>/draft/", checklists.draft_from, name="draft_from"),
    path("checklists/versions/<uuid:version_id>/compare/", checklists.comparison, name="compare"),
    path("checklists/versions/<uuid:version_id>/edit/", drafts.edit, name="edit_version"),
    path("lists/", lists.lists, name="lists"),
    path("lists/substances/", lists.substances, name="substances"),
    path("lists/<uuid:list_id>/", lists.entries, name="list"),
    path("devices/", devices.devices, name="devices"),
    path("devices/enrol/", devices.enrol, name="enrol"),
    path("devices/<uuid:device_id>/", devices.change, name="change_device"),
    path("account/", account.account, name="account"),
    path("preferences/", account.preferences, name="preferences"),
    re_path(r"^.*$", errors.nowhere),
]
