"""`submit_inspection`: complete, numbered, counted on a day, frozen as a version; and again after a return."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.changes.models import Change
from apps.common.errors import InvalidFields
from apps.common.records import new_id
from apps.inspections.actions import return_for_correction
from apps.inspections.errors import FieldConflict, StateLocked
from apps.inspections.models import InspectionReport, ReportVersion
from apps.inspections.queries import body, fingerprint
from apps.inspections.rules import COUNTRY_TIME
from tests.cast import Cast
from tests.work import Work, check_feed, newest_change, newest_event


def returned(work: Work, cast: Cast) -> InspectionReport:
    report = work.submit().report
    return return_for_correction(
        actor=cast.leader.actor(), report_id=report.pk, notes=[{"step_key": "step_0", "text": "Xem lại"}]
    )


def test_a_submission_is_numbered_counted_and_frozen(work: Work, cast: Cast) -> None:
    edit = work.submit()
    report = InspectionReport.objects.get(pk=edit.report.pk)
    today = timezone.now().astimezone(COUNTRY_TIME).date()
    assert (report.state, report.rev, report.version, report.is_draft) == ("complete", 1, 1, False)
    assert report.number == f"IR-{today.year}-NBA-000001"
    assert report.occurred_on == report.started_on_device_at.astimezone(COUNTRY_TIME).date()  # type: ignore[union-attr]
    assert (report.required_steps, report.answered_steps) == (8, 8)
    assert report.received_at == report.submitted_at
    assert (report.flags, edit.warnings) == ([], ())
    version = ReportVersion.objects.get(report=report)
    assert (version.version, version.body["number"], version.body["answers"]) == (
        1,
        report.number,
        report.answers,
    )
    change = newest_change(report.pk)
    assert (change.kind, change.data) == (
        "inspection.submitted",
        {"unit": str(cast.noi_bai.pk), "days": [str(report.occurred_on)]},
    )
    assert newest_event(report.pk).data == {
        "rev": 1,
        "state": "complete",
        "version": 1,
        "sha256": fingerprint(report, body(report)),
        "content_sha256": hashlib.sha256(version.content).hexdigest(),
    }
    check_feed()


def test_numbers_run_by_unit_and_year(work: Work, cast: Cast) -> None:
    numbers = [work.submit(by=by).report.number for by in (cast.officer, cast.team_mate, cast.outsider)]
    year = timezone.now().astimezone(COUNTRY_TIME).year
    assert numbers == [f"IR-{year}-NBA-000001", f"IR-{year}-NBA-000002", f"IR-{year}-TSN-000001"]


def test_a_refused_submission_takes_no_number(work: Work) -> None:
    with pytest.raises(InvalidFields):
        work.submit({**work.fields(), "mode": None})
    assert not InspectionReport.objects.exists()
    assert str(work.submit().report.number).endswith("000001")


def test_a_saved_draft_is_submitted_by_an_empty_patch(work: Work) -> None:
    draft = work.save().report
    report = work.submit({}, report=draft.pk, base_rev=1).report
    assert (report.state, report.rev, report.version) == ("complete", 2, 1)
    check_feed()


def test_a_submission_says_all_that_is_missing(work: Work) -> None:
    with pytest.raises(InvalidFields) as refused:
        work.submit({"checklist_version": work.version})
    assert {p.pointer for p in refused.value.errors} >= {"/fields/mode", "/fields/started_on_device_at"}
    answers = {f"step_{i}": None for i in range(3)}
    with pytest.raises(InvalidFields) as refused:
        work.submit(
            {**work.fields(), "answers": {**work.fields()["answers"], **answers}},
        )
    assert [(p.pointer, p.code) for p in refused.value.errors] == [
        (f"/fields/answers/step_{i}", "required") for i in range(3)
    ]


def test_the_end_before_the_start_is_refused(work: Work) -> None:
    with pytest.raises(InvalidFields) as refused:
        work.submit(work.fields(ended_on_device_at="2020-01-01T00:00:00Z"))
    assert [p.code for p in refused.value.errors] == ["before-start"]


@pytest.mark.parametrize("years", [2, -56])
def test_a_doubtful_clock_is_flagged_and_the_day_of_receipt_counts(work: Work, years: int) -> None:
    start = timezone.now() + dt.timedelta(days=365.25 * years)
    times = {
        "started_on_device_at": start.isoformat(),
        "ended_on_device_at": (start + dt.timedelta(minutes=5)).isoformat(),
    }
    edit = work.submit(work.fields(**times))
    assert edit.warnings == ("clock-doubtful",)
    assert edit.report.flags == ["clock-doubtful"]
    assert edit.report.occurred_on == timezone.now().astimezone(COUNTRY_TIME).date()


def test_a_corrected_clock_moves_the_day_and_both_days_are_told(work: Work, cast: Cast) -> None:
    far = timezone.now() + dt.timedelta(days=730)
    fields = work.fields(started_on_device_at=far.isoformat(), ended_on_device_at=far.isoformat())
    report = work.submit(fields).report
    report = return_for_correction(actor=cast.leader.actor(), report_id=report.pk, notes=[], note="Sai giờ")
    start = timezone.now() - dt.timedelta(days=3)
    times = {"started_on_device_at": start.isoformat(), "ended_on_device_at": start.isoformat()}
    edit = work.submit(times, report=report.pk, base_rev=report.rev)
    assert (edit.warnings, edit.report.flags) == ((), [])
    days = {str(start.astimezone(COUNTRY_TIME).date()), str(timezone.now().astimezone(COUNTRY_TIME).date())}
    assert set(newest_change(report.pk).data["days"]) == days


def test_a_report_named_photos_wait_for_them(work: Work) -> None:
    photos: dict[str, Any] = {"step_3": [str(new_id())]}
    assert work.submit(work.fields(photos=photos)).report.state == "media_pending"


def test_photos_that_are_here_already_need_no_waiting(work: Work) -> None:
    report_id, photo = new_id(), new_id()
    work.photo(report_id, photo=photo)
    report = work.submit(work.fields(photos={"step_3": [str(photo)]}), report=report_id).report
    assert report.state == "complete"


@pytest.mark.parametrize("whose", ["team_mate", "outsider"])
def test_somebody_elses_photo_does_not_count(work: Work, cast: Cast, whose: str) -> None:
    report_id, photo = new_id(), new_id()
    work.photo(report_id, photo=photo, by=getattr(cast, whose))
    report = work.submit(work.fields(photos={"step_3": [str(photo)]}), report=report_id).report
    assert report.state == "media_pending"


def test_a_submitted_report_is_not_submitted_again(work: Work) -> None:
    report = work.submit().report
    with pytest.raises(StateLocked):
        work.submit({"remarks": "thêm"}, report=report.pk, base_rev=1)
    with pytest.raises(StateLocked):
        work.submit({}, report=report.pk, base_rev=1)


def test_the_same_submission_under_another_mutation_changes_nothing(work: Work) -> None:
    fields = work.fields()
    report = work.submit(fields).report
    before = Change.objects.count()
    again = work.submit(fields, report=report.pk)
    assert (again.report.version, again.report.rev, Change.objects.count()) == (1, 1, before)
    assert ReportVersion.objects.count() == 1


def test_a_resubmission_is_a_new_version_and_the_old_stays_frozen(work: Work, cast: Cast) -> None:
    report = returned(work, cast)
    before = ReportVersion.objects.get(report=report).body
    edit = work.submit({"remarks": "Đã xem lại"}, report=report.pk, base_rev=report.rev)
    again = InspectionReport.objects.get(pk=report.pk)
    assert (again.version, again.state, again.rev) == (2, "complete", report.rev + 1)
    assert (again.number, again.received_at) == (report.number, report.received_at), "one number for good"
    assert edit.report.submitted_at > report.submitted_at  # type: ignore[operator]
    bodies = {version.version: version.body for version in ReportVersion.objects.filter(report=report)}
    assert bodies[1] == before
    assert (bodies[1]["remarks"], bodies[2]["remarks"]) == ("", "Đã xem lại")
    assert [n["text"] for n in bodies[2]["notes"]] == ["Xem lại"]
    check_feed()


def test_a_version_number_is_used_once(work: Work) -> None:
    report = work.submit().report
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportVersion.objects.create(report=report, version=1, content=b"{}", submitted_at=timezone.now())


def test_a_resubmission_on_a_stale_base_merges_or_conflicts(work: Work, cast: Cast) -> None:
    report = returned(work, cast)
    work.save({"remarks": "một"}, report=report.pk, base_rev=report.rev)
    with pytest.raises(FieldConflict):
        work.submit({"remarks": "hai"}, report=report.pk, base_rev=report.rev)
    edit = work.submit({"place": "hai"}, report=report.pk, base_rev=report.rev)
    assert (edit.merged, edit.report.remarks, edit.report.place) == (True, "một", "hai")


@pytest.mark.parametrize("status", ["closing", "closed", "withdrawn"])
def test_a_checklist_that_ended_meanwhile_is_a_warning_and_a_flag(work: Work, status: str) -> None:
    draft = work.save().report
    work.retire(status)
    edit = work.submit({}, report=draft.pk, base_rev=1)
    assert edit.warnings == (f"checklist-{status}",)
    assert edit.report.flags == [f"checklist-{status}"]
