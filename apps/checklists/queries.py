"""Reads of checklists: the body of a version as phones hold it."""

from __future__ import annotations

from typing import Any

from apps.checklists.models import ChecklistVersion

KIND = "checklist"


def body(version: ChecklistVersion) -> dict[str, Any]:
    """Give a published version with its whole content; `version.checklist` must be loaded."""
    checklist = version.checklist
    return {
        "checklist": checklist.pk,
        "code": checklist.code,
        "applies_to": checklist.applies_to,
        "title": {"vi": checklist.title_vi, "en": checklist.title_en},
        "semver": version.semver,
        "status": version.status,
        "content_hash": version.content_hash,
        "content": version.content,
        "change_note": version.change_note,
        "effective_from": version.effective_from,
        "accept_until": version.accept_until,
    }
