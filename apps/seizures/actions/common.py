"""What every change of a report ends with: its rows written anew, save, audit, and the feed last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Posting, Role, current
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.inspections.actions.submission import WARN_CLOCK
from apps.inspections.rules import counted_day, parse_time
from apps.organisation.models import Unit
from apps.reference.rules.substances import PRECURSOR
from apps.seizures.models import (
    Participant,
    Participation,
    ReportNumber,
    ReportVersion,
    SeizureLine,
    SeizureReport,
    StatisticStatus,
)
from apps.seizures.queries import (
    DERIVED,
    KIND,
    body,
    content_hash,
    derived_hash,
    fingerprint,
    frozen,
    groups_of,
    parts_of,
    streams_of,
)
from apps.seizures.rules import checks, stages
from apps.seizures.rules.fields import problem
from apps.seizures.rules.lines import LAB_OVER_SCALE

WARN_BADGE = "badge-unknown"


def finish(
    actor: Actor,
    report: SeizureReport,
    change: str,
    *,
    held: Collection[str] = (),
    data: Mapping[str, Any] | None = None,
    days: Iterable[object] = (),
) -> None:
    """Save a report whose revision the caller has raised, with its rows, audit it and record it last.

    `held` are the streams that held it before; `data` goes to the audit, `days` are further days of figures it touches.
    Raises InvalidFields for a substance or a unit that does not exist.
    """
    lines = list(lines_for(report))
    participations = list(participations_for(report))
    report.mode = report.fields.get("mode") or ""
    report.lead_force = report.fields.get("lead_force") or ""
    report.handling = report.fields.get("handling") or report.handling
    report.statistic_status = StatisticStatus(stages.statistic_status(report.stage, report.measured))
    participants, unknown = _participants(report)
    flags = {flag for flag in report.flags if flag not in _COMPUTED}
    report.flags = sorted(
        flags.union(
            checks.warnings_of({**report.fields, **parts_of(report)}), [WARN_BADGE] if unknown else []
        )
    )
    report.save()
    rows = _write_rows(report, lines, participations, participants)
    sealed = {
        "rev": report.rev,
        "stage": report.stage,
        "version": report.version,
        "sha256": fingerprint(report),
        "content_sha256": content_hash(frozen(report)),
        "saved_at": report.updated_at.isoformat(),
        "incident": {
            "id": str(report.incident_id),
            "number": report.incident.number,
            "unit": str(report.incident.unit_id),
        },
        "rows": rows,
    }
    log(actor, change, KIND, report.pk, {**sealed, **(data or {})})
    streams = streams_of(report)
    record(
        actor,
        Item(
            change,
            KIND,
            report.pk,
            report.rev,
            body=body(report),
            streams=streams,
            leaves=sorted(set(held) - set(streams)),
            data={
                "unit": str(report.unit_id),
                "days": sorted({str(day) for day in (*days, report.occurred_on) if day}),
            },
        ),
    )


# Flags that are found anew with every change; the others were set once, when the report was received.
_COMPUTED = frozenset(
    {WARN_BADGE, "tablet-mass", "lines-alike", LAB_OVER_SCALE, "number-check-failed", checks.PERSON_IN_TEXT}
)


def settle_day(report: SeizureReport) -> None:
    """Settle the day a received report counts for, that of the detection, and flag a clock that cannot be right."""
    detected = parse_time(report.fields.get("detected_on_device_at"))
    report.occurred_on, is_doubtful = counted_day(detected, report.received_at or timezone.now())
    report.flags = sorted({*report.flags, WARN_CLOCK} if is_doubtful else {*report.flags} - {WARN_CLOCK})


def freeze(actor: Actor, report: SeizureReport, reason: str = "") -> None:
    """Keep what the report says now as its next version; to be called after `finish` has let it pass."""
    ReportVersion.objects.create(
        report=report,
        version=report.version,
        stage=report.stage,
        body=frozen(report),
        reason=reason,
        author_id=actor.officer_id,
        at=report.updated_at,
    )


def _write_rows(
    report: SeizureReport,
    lines: list[SeizureLine],
    participations: list[Participation],
    participants: list[Participant],
) -> dict[str, str]:
    """Write what follows from a report anew; gives the hash of each kind of row."""
    every: dict[str, list[Any]] = {
        "lines": lines,
        "participations": participations,
        "participants": participants,
        "numbers": numbers_for(report),
    }
    for kind, rows in every.items():
        model, _ = DERIVED[kind]
        model.objects.filter(report=report).delete()
        model.objects.bulk_create(rows)
    return {kind: derived_hash(kind, rows) for kind, rows in every.items()}


def numbers_for(report: SeizureReport) -> list[ReportNumber]:
    """Give the rows of the numbers that a report names."""
    return [ReportNumber(report=report, **row) for row in checks.numbers_of(parts_of(report))]


def lines_for(report: SeizureReport) -> Iterable[SeizureLine]:
    """Give the rows of the lines as they count. Raises InvalidFields for a substance that does not exist."""
    measured = report.measured
    named = {line.get("lab_substance") for line in report.lines.values()}
    groups = groups_of([*(m.substance for m in measured), *(name for name in named if name)])
    for found in measured:
        if found.substance and found.substance not in groups:
            raise InvalidFields(errors=[problem(f"lines/{found.mark}/substance", "unknown-substance")])
        group = groups.get(found.substance, "")
        yield SeizureLine(
            report=report,
            mark=found.mark,
            substance=found.substance,
            report_group=group,
            is_precursor=group == PRECURSOR,
            form=found.form,
            mass_g=found.mass_g,
            volume_ml=found.volume_ml,
            count=found.count,
            count_unit=found.count_unit,
            basis=found.basis,
            id_basis=found.id_basis,
            excluded=found.excluded,
        )


def participations_for(report: SeizureReport) -> Iterable[Participation]:
    """Give the rows of who took part. Raises InvalidFields for a unit that does not exist."""
    said = report.fields.get("participations") or []
    codes = [p["unit"] for p in said if p["unit"]]
    units: dict[str, UUID] = dict(Unit.objects.filter(code__in=codes).values_list("code", "pk"))
    if sum(p["role"] == "lead" for p in said) > 1:
        raise InvalidFields(errors=[problem("participations", "one-lead")])
    for position, p in enumerate(said):
        if p["unit"] and p["unit"] not in units:
            raise InvalidFields(errors=[problem(f"participations/{position}/unit", "unknown-unit")])
        unit = units[p["unit"]] if p["unit"] else None
        yield Participation(
            report=report, position=position, unit_id=unit, agency=p["agency"], role=p["role"]
        )


def _participants(report: SeizureReport) -> tuple[list[Participant], set[str]]:
    """Find who works on the report by badge number: officers who serve at its unit now, or did so already.

    A number that nobody there bears is flagged, not refused: it was written in the field.
    """
    wanted = {str(badge).strip().upper() for badge in report.fields.get("participants") or ()} - {""}
    if not wanted:
        return [], set()
    inspecting = Posting.objects.filter(unit_id=report.unit_id, role__in=[Role.OFFICER, Role.LEADER])
    kept = Participant.objects.filter(report_id=report.pk).values("posting_id")
    rows = (inspecting.filter(current(timezone.now())) | inspecting.filter(pk__in=kept)).select_related(
        "officer"
    )
    found: dict[str, Posting] = {}
    for posting in rows.filter(officer__badge_no__in=wanted).order_by("valid_from"):
        found[posting.officer.badge_no.upper()] = posting
    people = [
        Participant(report=report, officer_id=posting.officer_id, posting_id=posting.pk)
        for posting in found.values()
        if posting.officer_id != report.officer_id
    ]
    return people, wanted - set(found)
