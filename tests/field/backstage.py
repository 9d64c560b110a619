"""What happens at headquarters while a phone is in the field: runs in the stack's environment, one request per line.

`python -m tests.field.backstage` reads JSON from its input and answers each line with one, such as `{"do": "move"}`.
A process of its own: the tests drive a browser and must not touch the product's database connection.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

from tests.stack import ROOT, Stack

# Parts of the header that have fields or entries of their own.
ENTERED = ("subjects", "transport", "goods", "participants", "witnesses", "equipment_unavailable")


class Backstage:
    """The caller's side: methods are the deeds below, arguments and answers are JSON."""

    def __init__(self, stack: Stack) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.field.backstage"],
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, deed: str, **given: Any) -> Any:
        """Do something and give what it answered."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": deed, **given}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "failed" not in answer, answer["failed"]
        return answer["gave"]

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def seed(officers: int) -> dict[str, Any]:
    """Make the cast, a second gate, and the checklists of the journeys."""
    from apps.checklists.demo import load_checklist
    from apps.common.actor import SYSTEM
    from apps.reference.actions import load_shipped, publish_units
    from tests.cast import PASSWORD, Cast
    from tests.reports import plain_content
    from tests.seed import publish

    cast = Cast()
    baggage = load_checklist("passenger_baggage")["versions"][0]["content"]
    contents = {
        "quick": ("express", plain_content(4), ("Kiểm tra nhanh", "Quick check")),
        "plain": ("express", plain_content(), ("Kiểm tra đầy đủ", "Full check")),
        "passenger_baggage": ("passenger", baggage, ("Hành khách và hành lý", "Passengers and baggage")),
        "every_kind": ("postal", every_kind(), ("Mọi loại bước", "Every kind of step")),
    }
    for member in (cast.leader, cast.region_leader, cast.administrator):
        assert member.officer.pk is not None
    versions = {code: publish(cast, code, *rest) for code, rest in contents.items()}
    _import_rows(300)
    load_shipped(actor=SYSTEM)
    publish_units(actor=SYSTEM)
    people = [_officer(number, cast.noi_bai) for number in range(officers)]
    return {"password": PASSWORD, "versions": versions, "officers": people, "gate": str(cast.noi_bai.pk)}


def _import_rows(number: int) -> None:
    """Give every phone so many records to hold."""
    from apps.common.actor import SYSTEM
    from apps.reference.actions import import_list

    rows = ["key,label_vi,label_en,country", *(f"K{i:05d},Địa điểm {i},Place {i},VN" for i in range(number))]
    lines = io.BytesIO("\n".join(rows).encode())
    import_list(actor=SYSTEM, slug="places", lines=lines, names=("Địa điểm", "Places"))


def every_kind() -> dict[str, Any]:
    """Give a checklist with one step of each kind, a hidden one, and photos."""
    from apps.checklists.rules.values import KINDS

    rule = {"min": 1, "max": 3, "purpose": "overview", "original": False}
    more: dict[str, dict[str, Any]] = {
        "choice": {"options": _options()},
        "multi": {"options": _options()},
        "number": {"min": 0, "max": 50},
        "measure": {"unit": "kg", "decimals": 2, "min": 0, "max": 200, "allow_na": True},
        "text": {"visible_if": "a_bool", "max_length": 200},
        "photo": {"photos": rule},
    }
    steps = [
        {
            "key": f"a_{kind}",
            "kind": kind,
            "text": {"vi": f"Bước loại {kind}", "en": f"A step of kind {kind}"},
            "help": {"vi": "Đọc kỹ trước khi trả lời.", "en": "Read before you answer."},
            "required": True,
            **more.get(kind, {}),
        }
        for kind in KINDS
    ]
    steps[0]["safety_note"] = {"vi": "Đeo găng tay.", "en": "Wear gloves."}
    return {
        "sections": [{"key": "all", "title": {"vi": "Mọi loại bước", "en": "Every kind"}, "steps": steps}]
    }


def _options() -> list[dict[str, Any]]:
    return [
        {"value": value, "label": {"vi": vi, "en": en}}
        for value, vi, en in (("a", "Bình thường", "Normal"), ("b", "Nghi vấn", "Suspicious"))
    ]


def _officer(number: int, unit: Any) -> str:
    from apps.accounts.actions import create_officer, post_officer
    from apps.common.actor import SYSTEM

    officer = create_officer(
        actor=SYSTEM,
        username=f"field_{number}",
        badge_no=f"FLD-{number:04d}",
        full_name=f"Trần Văn Hải {number}",
    )
    post_officer(actor=SYSTEM, officer=officer, unit=unit, role="officer")
    return str(officer.pk)


def code(officer: str) -> str:
    """Give an enrolment code."""
    from apps.accounts.actions import issue_enrolment_code
    from apps.accounts.models import Officer
    from apps.common.actor import SYSTEM

    return issue_enrolment_code(actor=SYSTEM, officer=Officer.objects.get(pk=officer))


def move(officer: str) -> str:
    """End the officer's posting and post them at another gate; gives its name."""
    from apps.accounts.actions import end_posting, post_officer
    from apps.accounts.models import Officer, Posting
    from apps.common.actor import SYSTEM
    from apps.organisation.models import Unit
    from tests.seed import _gate

    person = Officer.objects.get(pk=officer)
    before = Posting.objects.get(officer=person, valid_to=None)
    region = Unit.objects.get(pk=before.unit.parents.latest("valid_from").parent_id)
    end_posting(actor=SYSTEM, posting=before)
    number = 50 + int(person.badge_no[-4:])
    post_officer(actor=SYSTEM, officer=person, unit=_gate(number, region), role="officer")
    return f"Cửa khẩu {number}"


def lose(officer: str) -> None:
    """Report every device of the officer lost."""
    from apps.accounts.actions import report_device_lost
    from apps.accounts.models import Device
    from apps.common.actor import SYSTEM

    for device in Device.objects.filter(officer_id=officer):
        report_device_lost(actor=SYSTEM, device=device, reason="Mất máy")


def publish_next(version: str, semver: str) -> str:
    """Publish the next version of a checklist, with one more optional step; the one before is closing then."""
    from apps.accounts.models import Officer
    from apps.accounts.queries import actor_for
    from apps.checklists import actions
    from apps.checklists.models import ChecklistVersion

    before = ChecklistVersion.objects.select_related("checklist").get(pk=version)
    content = json.loads(json.dumps(before.content))
    step = {"key": "added", "kind": "bool", "text": {"vi": "Bước mới thêm", "en": "A step that was added"}}
    content["sections"][0]["steps"].append(step)
    trainer = actor_for(Officer.objects.get(pk=before.author_id))
    approver = actor_for(Officer.objects.get(pk=before.approver_id))
    new = actions.create_version(actor=trainer, checklist=before.checklist, semver=semver, content=content)
    actions.submit_for_review(actor=trainer, version_id=new.pk)
    actions.approve_version(actor=approver, version_id=new.pk)
    actions.publish_version(actor=trainer, version_id=new.pk)
    return str(new.pk)


def state(report: str) -> str:
    """Give the state of a report."""
    from apps.inspections.models import InspectionReport

    return str(InspectionReport.objects.values_list("state", flat=True).get(pk=report))


def give_back(report: str, step: str, note: str) -> None:
    """Return a report with a note at a question, as its leader does."""
    from apps.accounts.models import Officer
    from apps.accounts.queries import actor_for
    from apps.inspections.actions import return_for_correction

    leader = actor_for(Officer.objects.get(username="leader"))
    return_for_correction(actor=leader, report_id=UUID(report), notes=[{"step_key": step, "text": note}])


def build_snapshot(stream: str) -> bool:
    """Make the snapshot of a stream, which the worker only does for large ones."""
    from apps.sync import snapshots

    return snapshots.build_snapshot(stream)


def reports(officer: str) -> list[dict[str, Any]]:
    """Give what the server holds of an officer: reports with their photos, newest last."""
    from apps.evidence.models import Attachment
    from apps.inspections.models import InspectionReport

    found = []
    for report in InspectionReport.objects.filter(officer_id=officer).order_by("pk"):
        photos = Attachment.objects.filter(owner_id=report.pk).order_by("pk")
        found.append(
            {
                "id": str(report.pk),
                "number": report.number,
                "state": report.state,
                "version": report.version,
                "answers": report.answers,
                "outcome": report.outcome,
                "place": report.place,
                "remarks": report.remarks,
                "header": {name: getattr(report, name) for name in ENTERED},
                "checklist_version": str(report.checklist_version_id),
                "flags": report.flags,
                "photos": {
                    step: [
                        {
                            "id": str(photo.pk),
                            "sha256": photo.sha256,
                            "state": photo.state,
                            "mode": photo.capture_mode,
                            "mime": photo.mime,
                        }
                        for photo in photos
                        if str(photo.pk) in ids
                    ]
                    for step, ids in report.photos.items()
                },
                "declared": len(photos),
            }
        )
    return found


def seizures(officer: str) -> list[dict[str, Any]]:
    """Give the seizure reports of an officer with photos and exhibits, oldest first."""
    from apps.custody.models import Exhibit
    from apps.evidence.models import Attachment, Capture
    from apps.seizures.models import SeizureReport

    signed = dict(Capture.objects.values_list("attachment_id", "verdict"))
    return [
        {
            "id": str(report.pk),
            "number": report.number,
            "stage": report.stage,
            "version": report.version,
            "fields": report.fields,
            "lines": report.lines,
            "flags": report.flags,
            "photos": [
                {
                    "sha256": photo.sha256,
                    "purpose": photo.purpose,
                    "state": photo.state,
                    "signed": signed.get(photo.pk),
                }
                for photo in Attachment.objects.filter(owner_kind="seizure", owner_id=report.pk).order_by(
                    "pk"
                )
            ],
            "exhibits": [
                {
                    "state": exhibit.state,
                    "stop": exhibit.stop,
                    "seals": exhibit.seal_numbers,
                    "masses": [str(exhibit.gross_mass_g or ""), str(exhibit.net_mass_g or "")],
                    "offer": str(exhibit.offer_id or ""),
                    "holder": exhibit.holder.badge_no if exhibit.holder else "",
                    "steps": [event.kind for event in exhibit.events.order_by("seq")],
                }
                for exhibit in Exhibit.objects.filter(report=report).order_by("number")
            ],
        }
        for report in SeizureReport.objects.filter(officer_id=officer).order_by("pk")
    ]


def badge(officer: str) -> str:
    """Give an officer's badge number."""
    from apps.accounts.models import Officer

    return str(Officer.objects.get(pk=officer).badge_no)


def mutations(officer: str) -> dict[str, int]:
    """Count the officer's mutations by verdict."""
    from django.db.models import Count

    from apps.sync.models import Mutation

    rows = Mutation.objects.filter(officer_id=officer).values_list("status").annotate(times=Count("pk"))
    return dict(rows.order_by("status"))


DEEDS: dict[str, Callable[..., Any]] = {
    deed.__name__: deed
    for deed in (
        *(seed, code, move, lose, publish_next, state, give_back, build_snapshot),
        *(reports, seizures, badge, mutations),
    )
}


def main() -> None:
    """Answer line by line until the input ends."""
    django.setup()
    from django.db import connection

    for line in sys.stdin:
        given = json.loads(line)
        deed = DEEDS[given.pop("do")]
        try:
            answer: dict[str, Any] = {"gave": deed(**given)}
        except Exception:  # noqa: BLE001  the caller asserts on it
            answer = {"failed": traceback.format_exc()}
        connection.close()  # the database may be put back to an earlier state before the next line
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
