"""The main line of the product, with real processes: from the published checklist to the figure on the board."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.deployment import Deployment
from tests.desk import Desk, form_fields
from tests.evidence_images import noisy_jpeg
from tests.phone import ConnectionCut, Phone, until
from tests.reports import express_report

pytestmark = pytest.mark.live


def fill_offline(phone: Phone) -> tuple[str, list[str]]:
    """Fill the checklist for parcels with four photos; gives the report's and the photos' ids."""
    version, _ = phone.checklist("express_postal")
    report = phone.save({"checklist_version": version})
    steps = ["xray_image", "opening_photos", "opening_photos", "seal_no"]
    photos = [
        phone.take_photo(report, step, noisy_jpeg(60_000, seed=seed)) for seed, step in enumerate(steps)
    ]
    named = {"xray_image": photos[:1], "opening_photos": photos[1:3], "seal_no": photos[3:]}
    phone.submit(express_report(version, named), report)
    return report, photos


def test_the_main_line(deployment: Deployment, tmp_path: Path) -> None:
    phone = deployment.phone(tmp_path)
    phone.sync()
    phone.wire.faults.offline = True
    report, photos = fill_offline(phone)
    with pytest.raises(ConnectionCut):
        phone.sync()
    phone.wire.faults.offline = False

    # The connection is cut in the middle of the second photo, and the phone resumes where the server stands.
    phone.push()
    assert phone.attention() == [], phone.attention()
    phone.pull()
    assert phone.report(report)["state"] == "media_pending"
    assert phone._send_photo(photos[0])
    phone.wire.faults.cut_upload_after = 20_000
    with pytest.raises(ConnectionCut):
        phone._send_photo(photos[1])
    truth = phone.call("GET", "/sync/status")
    assert [r["photos"][photos[0]] for r in truth["reports"] if r["id"] == report] == ["stored"]
    size = phone.store.execute("SELECT size FROM photo WHERE id=?", (photos[1],)).fetchone()[0]
    assert until(lambda: phone._tus_create(photos[1], size)[1] == 20_000, seconds=5)
    phone.sync()
    deployment.stack.start_worker()
    assert until(lambda: _state(phone, report) == "complete", seconds=60), deployment.stack.log("worker")
    assert phone.waiting() == 0
    assert phone.attention() == [], phone.attention()

    leader = Desk(deployment.stack.url)
    leader.sign_in("leader", deployment.told["password"])
    page = leader.get(f"/console/review/{report}/")
    fields = {k: v for k, v in form_fields(page).items() if k == "base_rev" or k.startswith("note")}
    noted = next(k for k in fields if "xray_image" in k)
    fields |= {noted: "Ảnh soi mờ, đề nghị chụp lại.", "decision": "return"}
    leader.post(f"/console/review/{report}/decision/", fields)

    phone.sync()
    returned = phone.report(report)
    assert returned["state"] == "returned"
    assert [(n["step_key"], n["text"]) for n in returned["notes"]] == [
        ("xray_image", "Ảnh soi mờ, đề nghị chụp lại.")
    ]
    again = phone.take_photo(report, "xray_image", noisy_jpeg(60_000, seed=99))
    phone.submit({"photos": {"xray_image": [again]}, "remarks": "Đã chụp lại ảnh soi."}, report)
    phone.sync()
    assert until(lambda: _state(phone, report) == "complete", seconds=60), deployment.stack.log("worker")
    assert phone.report(report)["version"] == 2

    fields = form_fields(leader.get(f"/console/review/{report}/"))
    leader.post(
        f"/console/review/{report}/decision/", {"base_rev": fields["base_rev"], "decision": "approve"}
    )
    phone.sync()
    assert phone.report(report)["state"] == "approved"

    assert until(lambda: deployment.counted() == 1, seconds=60), deployment.stack.log("worker")
    found = json.loads(deployment.stack.manage("recount", "--check", "--json"))
    assert not found["differences"]
    assert _on_board(leader) == 1


def _state(phone: Phone, report: str) -> str:
    phone.pull()
    return str(phone.report(report)["state"])


def _on_board(desk: Desk) -> int:
    """Read today's inspections from the board page."""
    today = dt.datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
    page = desk.get(f"/console/?period=custom&from={today}&to={today}")
    found = re.search(r'<span class="figure">\s*(?:<a[^>]*>)?\s*(\d+)', page)
    assert found, page
    return int(found[1])
