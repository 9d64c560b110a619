"""A bundle proves itself in an empty directory with `python3` and `openssl`, and whatever is changed in it shows."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.accounts.actions.server_keys import revoke_server_key, rotate_server_key
from apps.audit.models import Event, Head
from apps.common.actor import SYSTEM
from apps.common.errors import DomainError
from apps.inspections.actions import export_bundle, return_for_correction
from apps.inspections.errors import NoteRequired
from apps.inspections.models import InspectionReport
from tests.court import Case, Court, work_off
from tests.tampering import codes, verify

pytestmark = pytest.mark.django_db


def unpacked(case: Case, directory: Path) -> Path:
    """Export the case's bundle by the command and unpack it."""
    out = StringIO()
    call_command(
        "export_bundle",
        case.number,
        "--reason",
        "tòa án",
        "--to",
        str(directory),
        "--json",
        stdout=out,
    )
    told = json.loads(out.getvalue())
    assert hashlib.sha256(Path(told["file"]).read_bytes()).hexdigest() == told["sha256"]
    with zipfile.ZipFile(told["file"]) as archive:
        assert archive.testzip() is None
        archive.extractall(directory / "bundle")
    return directory / "bundle"


def run(bundle: Path, *arguments: str) -> tuple[int, str]:
    """Run the bundle's own program, with nothing of the product in reach."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", *arguments],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def by_hand(bundle: Path) -> int:
    """Run exactly the commands of the README, in both languages; gives how many."""
    readme = (bundle / "README.txt").read_text()
    commands = re.findall(r"^    ((?:sha256sum|openssl) .*)$", readme, re.MULTILINE)
    for command in commands:
        done = subprocess.run(command.split(), cwd=bundle, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return len(commands)


@pytest.fixture
def case(court: Court) -> Case:
    """A report with two versions, and a key that was rotated in between."""
    found = court.case()
    leader = court.work.cast.leader.actor()
    return_for_correction(actor=leader, report_id=found.report_id, notes=[], note="Bổ sung")
    rotate_server_key(actor=SYSTEM)
    work_off()
    found.phone.pull()
    found.phone.submit({"remarks": "Đã bổ sung"}, str(found.report_id))
    found.phone.sync()
    work_off()
    return found


def test_the_program_and_the_commands_by_hand_say_yes(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    status, said = run(bundle)
    assert status == 0, said
    assert "ĐÚNG" in said
    first = json.loads((bundle / "index.json").read_text())["keys"][0]["id"]
    assert run(bundle, "--server-key", first)[0] == 0
    assert run(bundle, "--server-key", "0" * 16)[0] == 1
    assert by_hand(bundle) == 2 * 5
    readme = (bundle / "README.txt").read_text()
    explained = re.findall(r"^  ([a-z]+)/ ", readme, re.MULTILINE)
    assert sorted(explained) == sorted(2 * [path.name for path in bundle.iterdir() if path.is_dir()])
    assert {json.loads(p.read_text())["version"] for p in bundle.glob("versions/*/receipt.json")} == {1, 2}


def test_whatever_is_changed_in_it_shows(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    changed = 0
    for path in sorted(bundle.rglob("*")):
        if path.is_dir() or path.name in {"verify.py", "README.txt", "SHA256SUMS"}:
            continue
        data = path.read_bytes()
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        name = str(path.relative_to(bundle))
        sums = (bundle / "SHA256SUMS").read_text()
        fresh = hashlib.sha256(path.read_bytes()).hexdigest()
        (bundle / "SHA256SUMS").write_text(
            re.sub(rf"\\w{{64}}  {re.escape(name)}\n", f"{fresh}  {name}\n", sums)
        )
        status, said = run(bundle)
        assert status in {1, 2}, f"{name}: {said}"
        path.write_bytes(data)
        (bundle / "SHA256SUMS").write_text(sums)
        changed += 1
    assert changed >= 40
    (bundle / "index.json").unlink()
    assert run(bundle)[0] == 2


def test_photos_of_another_bundle_do_not_fit(court: Court, tmp_path: Path) -> None:
    one, two = court.case(), court.case()
    mine, theirs = unpacked(one, tmp_path / "1"), unpacked(two, tmp_path / "2")
    [target, *_], [source, *_] = (sorted((b / "photos").glob("*.jpg")) for b in (mine, theirs))
    for suffix in (".jpg", ".manifest", ".sig", ".der"):
        target.with_suffix(suffix).write_bytes(source.with_suffix(suffix).read_bytes())
    status, said = run(mine)
    assert status == 1
    assert "named by its manifest" in said


@pytest.fixture(autouse=True)
def _directories(tmp_path: Path) -> None:
    for name in "12":
        (tmp_path / name).mkdir()


def test_who_may_have_it_and_what_is_written_down(case: Case, court: Court) -> None:
    cast = court.work.cast
    ask: dict[str, Any] = {"report_id": case.report_id, "reason": "Cơ quan điều tra yêu cầu"}
    for member in (
        cast.officer,
        cast.team_mate,
        cast.other_leader,
        cast.hq_analyst,
        cast.administrator,
        cast.auditor,
    ):
        with pytest.raises(DomainError) as refused:
            export_bundle(actor=member.actor(), **ask)
        assert refused.value.code in {"not-found", "not-reviewer"}
    with pytest.raises(NoteRequired):
        export_bundle(actor=cast.leader.actor(), report_id=case.report_id, reason="  ")
    assert not Event.objects.filter(action="bundle.exported").exists()
    done = export_bundle(actor=cast.leader.actor(), **ask)
    with done.file as file:
        assert hashlib.sha256(file.read()).hexdigest() == done.sha256
    event = Event.objects.get(action="bundle.exported")
    assert (event.actor_id, event.oid) == (cast.leader.officer.pk, case.report_id)
    assert event.data == {"sha256": done.sha256, "reason": ask["reason"], "versions": [1, 2]}


def test_the_evidence_is_checked_after_a_bundle_was_handed_out(case: Case, tmp_path: Path) -> None:
    unpacked(case, tmp_path)
    assert verify() == (0, [])
    assert verify("--report", case.number) == (0, [])
    InspectionReport.objects.filter(pk=case.report_id).update(remarks="Viết khác đi")
    assert codes("--report", case.number) == {"record-differs"}


def test_where_it_cannot_be_written_is_said(case: Case, tmp_path: Path) -> None:
    ask = ["export_bundle", case.number, "--reason", "tòa án", "--to"]
    with pytest.raises(CommandError, match="no such directory"):
        call_command(*ask, str(tmp_path / "nowhere"))
    assert not Event.objects.filter(action="bundle.exported").exists()
    (tmp_path / f"{case.number}.zip").write_bytes(b"older")
    with pytest.raises(CommandError, match="exists"):
        call_command(*ask, str(tmp_path))
    assert (tmp_path / f"{case.number}.zip").read_bytes() == b"older"
    assert not Event.objects.filter(action="bundle.exported").exists()


def test_a_report_without_a_receipt_has_no_bundle(court: Court) -> None:
    phone = court.phone()
    report = court.report(phone)
    phone.push()
    with pytest.raises(CommandError, match="not-receipted"):
        call_command("export_bundle", report, "--reason", "x")
    with pytest.raises(CommandError, match="no such report"):
        call_command("export_bundle", "IR-0000", "--reason", "x")


def test_a_revoked_key_is_told(case: Case, tmp_path: Path) -> None:
    old = Head.objects.order_by("id")[0].key_id
    revoke_server_key(actor=SYSTEM, key_id=old, since=case.receipts[-1].at, reason="lộ khóa")
    said = run(unpacked(case, tmp_path))[1]
    assert f"{old} is not trusted from" in said


def test_a_leader_downloads_it_from_the_page(case: Case, court: Court) -> None:
    browser = court.work.cast.leader.console()
    page = browser.get(f"/console/review/{case.report_id}/").content.decode()
    assert "Xuất hồ sơ" in page
    address = f"/console/review/{case.report_id}/bundle/"
    refused = browser.post(address, {"bundle_reason": "", "note": "đang viết"})
    assert (refused.status_code, "đang viết" in refused.content.decode()) == (422, True)
    answer = browser.post(address, {"bundle_reason": "Cơ quan điều tra yêu cầu"})
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{case.report.number}.zip"'
    assert answer["Cache-Control"] == "private, no-store"
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
