"""A seizure's bundle proves itself with its photos and all that happened to its exhibits; what is changed is named."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.audit.actions import announced_key
from apps.audit.models import Event
from apps.common.errors import DomainError
from apps.custody.actions import export_seizure
from apps.custody.models import CustodyEvent
from apps.seizures.models import SeizureReport
from tests.cast import Cast
from tests.court import Case, Court, work_off
from tests.domain.test_export_bundle import by_hand, run, unpacked
from tests.holding import Holding
from tests.tampering import codes, verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(court: Court, cast: Cast) -> Case:
    """A seizure with photos; an exhibit sealed, stored, handed over with a difference, analysed; one only sealed."""
    found = court.seizure()
    holding = Holding(cast, court.seizing())
    exhibit = holding.stored(holding.sealed(holding.recorded(found.seizure)))
    holding.sealed(holding.recorded(found.seizure, description='=HYPERLINK("x") <b>túi</b>'), "NP-000777")
    holding.through_a_difference(exhibit)
    work_off()
    return found


def test_it_proves_itself_by_program_and_by_hand(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    status, said = run(bundle, "--server-key", announced_key().id)
    assert status == 0, said
    assert by_hand(bundle) == 2 * 5
    index = json.loads((bundle / "index.json").read_text())
    assert (index["record_kind"], index["number"]) == ("seizure", case.number)
    assert index["versions"] == [1, 2, 3]
    assert len(index["photos"]) == 2
    assert [len(exhibit["steps"]) for exhibit in index["exhibits"]] == [8, 2]
    assert len(index["hand_overs"]) == 1
    steps = [name for exhibit in index["exhibits"] for name in exhibit["steps"]]
    bodies = {hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in steps}
    assert bodies == set(CustodyEvent.objects.values_list("hash", flat=True))


def test_the_evidence_is_checked_after_a_bundle_was_handed_out(case: Case, tmp_path: Path) -> None:
    unpacked(case, tmp_path)
    assert verify() == (0, [])
    assert verify("--report", case.number) == (0, [])
    SeizureReport.objects.filter(pk=case.report_id).update(handling="restricted")
    assert "record-differs" in codes("--report", case.number)


def test_the_table_reads_in_words_and_runs_no_formula(case: Case, tmp_path: Path, cast: Cast) -> None:
    bundle = unpacked(case, tmp_path)
    with (bundle / "custody/custody.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["Tang vật", "Bước", "Lúc"]
    assert len(rows) == 10
    assert rows[0][:2] == [f"{case.number}/1", "1"]
    assert f"{cast.officer.officer.full_name} ({cast.officer.officer.badge_no})" in rows[0]
    assert any("lab_number: 1/KL" in cell for row in rows for cell in row)
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in rows for cell in row)
    page = (bundle / "custody/custody.html").read_text()
    assert "<b>túi" not in page
    assert "Kết quả giám định" in page


def tampered(bundle: Path, name: str, data: bytes | None) -> tuple[int, str]:
    """Change or take away one file, ask the program, and put it back."""
    path = bundle / name
    before = path.read_bytes()
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    found = run(bundle)
    path.write_bytes(before)
    return found


def test_whatever_is_changed_is_named(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    names = sorted(p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file())
    assert len(names) > 60
    for name in names:
        data = (bundle / name).read_bytes()
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        if name != "verify.py":  # what checks is checked by hand: sha256sum names it
            status, said = tampered(bundle, name, flipped)
            assert status in ({1} if name != "index.json" else {1, 2}), name
            named = name if name not in {"SHA256SUMS.sig", "index.json"} else ""
            assert named in said, f"{name}: {said}"
    assert tampered(bundle, names[5], None)[0] == 1
    (bundle / "photos/more.jpg").write_bytes(b"x")
    assert "photos/more.jpg: not in SHA256SUMS" in run(bundle)[1]


def resummed(bundle: Path) -> None:
    """Write the list of hashes anew, as whoever changes a file would."""
    lines = []
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if path.is_file() and name not in {"SHA256SUMS", "SHA256SUMS.sig"}:
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    (bundle / "SHA256SUMS").write_text("".join(lines))


def _gone(bundle: Path) -> None:
    _index(bundle, lambda index: index["exhibits"][0]["steps"].pop(3))


def _swapped(bundle: Path) -> None:
    def swap(index: dict[str, list[dict[str, list[str]]]]) -> None:
        steps = index["exhibits"][0]["steps"]
        steps[1], steps[2] = steps[2], steps[1]

    _index(bundle, swap)


def _cut(bundle: Path) -> None:
    _index(bundle, lambda index: index["exhibits"][0]["steps"].pop())


def _without(bundle: Path) -> None:
    _index(bundle, lambda index: index["exhibits"].pop())


def _hand_over(bundle: Path) -> None:
    (path,) = (bundle / "custody/hand-overs").iterdir()
    path.write_text(path.read_text().replace("NP-000999", "NP-000123"))


def _table(bundle: Path) -> None:
    path = bundle / "custody/custody.csv"
    path.write_text(path.read_text().replace("1250", "1150"))


def _step(bundle: Path) -> None:
    path = bundle / "custody/exhibit-1/002-sealed.json"
    path.write_text(path.read_text().replace("1250", "1150"))


def _index(bundle: Path, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    path = bundle / "index.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (_gone, "follows from the step before"),
        (_swapped, "follows from the step before"),
        (_cut, "step 8, of which the ledger tells, is here"),
        (_without, "of which the ledger tells, is here"),
        (_hand_over, "hand-overs/.*named by the ledger"),
        (_step, "002-sealed.json: named by the ledger"),
        (_table, "SHA256SUMS: signature of the server"),
    ],
)
def test_custody_that_was_changed_with_all_hashes_is_named(
    case: Case, tmp_path: Path, harm: Callable[[Path], None], named: str
) -> None:
    bundle = unpacked(case, tmp_path)
    harm(bundle)
    resummed(bundle)
    status, said = run(bundle)
    assert status == 1
    assert re.search(named, said), said


def test_a_seal_that_is_used_twice_is_named(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    path = bundle / "custody/exhibit-2/002-sealed.json"
    path.write_text(path.read_text().replace("NP-000777", "np 000123"))
    assert "NP000123 was on nothing before" in run(bundle)[1]


def test_it_needs_nothing_of_the_product(case: Case, tmp_path: Path) -> None:
    bundle = unpacked(case, tmp_path)
    place = tmp_path / "elsewhere" / "empty"
    shutil.copytree(bundle, place)
    assert run(place)[0] == 0


def test_a_leader_downloads_it_from_the_page(case: Case, cast: Cast) -> None:
    browser = cast.leader.console()
    address = f"/console/seizures/{case.report_id}/"
    page = browser.get(address).content.decode()
    assert "Biên nhận lần 3" in page
    assert "Xuất hồ sơ" in page
    assert browser.post(f"{address}bundle/", {"bundle_reason": ""}).status_code == 422
    answer = browser.post(f"{address}bundle/", {"bundle_reason": "Cơ quan điều tra yêu cầu"})
    assert answer["Content-Disposition"] == f'attachment; filename="{case.number}.zip"'
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
    event = Event.objects.get(action="bundle.exported")
    assert (event.record_kind, event.oid, event.data["versions"]) == ("seizure", case.report_id, [1, 2, 3])


def test_who_may_not_have_it(case: Case, cast: Cast) -> None:
    for member in (cast.officer, cast.team_mate, cast.other_leader, cast.hq_analyst, cast.custodian):
        with pytest.raises(DomainError) as refused:
            export_seizure(actor=member.actor(), report_id=case.report_id, reason="x")
        assert refused.value.code in {"not-found", "not-reviewer"}
