"""Fill the database of a stack: the cast's units and people, two published checklists, enrolment codes.

Run as `python -m tests.seed [officers] [gates]` in the stack's environment; prints one line of JSON for the test.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def main() -> None:
    """Seed and tell."""
    django.setup()
    from django.db import transaction

    with transaction.atomic():
        told = _seed(*map(int, sys.argv[1:]))
    print(json.dumps(told))


def _seed(officers: int = 2, gates: int = 0) -> dict[str, Any]:
    from apps.accounts.actions import issue_enrolment_code
    from apps.checklists.demo import load_checklist
    from apps.common.actor import SYSTEM
    from tests.cast import PASSWORD, Cast
    from tests.reports import plain_content

    cast = Cast()
    express = load_checklist("express_postal")
    versions = {
        "express_postal": publish(cast, "express_postal", "postal", express["versions"][0]["content"]),
        "plain": publish(cast, "plain", "express", plain_content()),
    }
    for member in (cast.leader, cast.hq_reviewer, cast.administrator):
        assert member.officer.pk is not None
    people = [cast.officer.officer, cast.team_mate.officer]
    people += [_officer(i, cast.noi_bai) for i in range(officers - 2)]
    people += [_officer(officers + i, _gate(i, cast.region)) for i in range(gates)]
    codes = [issue_enrolment_code(actor=SYSTEM, officer=officer) for officer in people]
    return {
        "password": PASSWORD,
        "codes": codes,
        "versions": versions,
        "officers": [str(officer.pk) for officer in people],
        "unit": str(cast.noi_bai.pk),
        "region": str(cast.region.pk),
        "hq": str(cast.hq.pk),
    }


def _officer(i: int, unit: Any) -> Any:
    from apps.accounts.actions import create_officer, post_officer
    from apps.common.actor import SYSTEM

    officer = create_officer(
        actor=SYSTEM, username=f"officer_{i}", badge_no=f"TEST-{i:04d}", full_name=f"Công chức {i}"
    )
    post_officer(actor=SYSTEM, officer=officer, unit=unit, role="officer")
    return officer


def _gate(i: int, region: Any) -> Any:
    from apps.common.actor import SYSTEM
    from apps.organisation.actions import create_unit
    from tests.cast import SINCE

    return create_unit(
        actor=SYSTEM,
        code=f"G{i:02d}",
        level="gate",
        type="airport",
        names=(f"Cửa khẩu {i}", f"Gate {i}"),
        valid_from=SINCE,
        parent=region.pk,
    )


def publish(
    cast: Any,
    code: str,
    applies_to: str,
    content: dict[str, Any],
    title: tuple[str, str] = ("Quy trình thử", "Test checklist"),
) -> str:
    """Take a content through the whole life of a version to `published`; gives the version's id."""
    from apps.checklists import actions

    trainer, approver = cast.trainer.actor(), cast.approver.actor()
    checklist = actions.create_checklist(actor=trainer, code=code, applies_to=applies_to, title=title)
    version = actions.create_version(actor=trainer, checklist=checklist, semver="1.0.0", content=content)
    actions.submit_for_review(actor=trainer, version_id=version.pk)
    actions.approve_version(actor=approver, version_id=version.pk)
    actions.publish_version(actor=trainer, version_id=version.pk)
    return str(version.pk)


if __name__ == "__main__":
    main()
