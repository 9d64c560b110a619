"""What a laboratory found of an exhibit or a sample: the line's figure follows by a new version of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Role
from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.text import clean_values
from apps.custody.actions.common import Done, append, locked
from apps.custody.models import Exhibit
from apps.custody.queries import results_of, streams_of
from apps.custody.rules import moves
from apps.custody.rules.comparison import result_of_line
from apps.custody.rules.forms import RESULT, missing, problem, read_fields
from apps.inspections.errors import NotReviewer
from apps.seizures.actions import record_lab_result
from apps.seizures.models import SeizureReport

_SHA256 = re.compile(r"[0-9a-f]{64}")
_AMOUNTS = ("lab_net_mass_g", "lab_volume_ml", "lab_count")


@transaction.atomic
def record_result(*, actor: Actor, exhibit_id: UUID, fields: Mapping[str, Any]) -> Done:
    """Write down a laboratory's result on an exhibit or sample, by a leader or reviewer over the report's unit.

    A sample says what its exhibit is, never how much. Once each exhibit of the line has a result, the line's amounts
    follow their sum; until then they stay as weighed. Raises InvalidFields, NotFound, NotReviewer, CustodyStep and
    what `record_lab_result` of a report raises.
    """
    fields = clean_values(fields)
    exhibit = locked(actor, exhibit_id)
    if exhibit.report.unit_id not in actor.reach_of(Role.LEADER, Role.HQ_REVIEWER):
        raise NotReviewer
    moves.next_state("lab_result", exhibit.state)
    said, problems = read_fields(fields, RESULT)
    needed = ["lab_outcome", "lab_number", "lab_on", "lab_name"]
    needed.append("lab_note" if said.get("lab_outcome") == "negative" else "lab_substance")
    problems += missing(said, needed)
    if not _SHA256.fullmatch(said.get("attachment_sha256", "0" * 64)):
        problems.append(problem("attachment_sha256", "type"))
    if problems:
        raise InvalidFields(errors=problems)
    item = append(actor, exhibit, "lab_result", said, held=streams_of(exhibit))
    SeizureReport.objects.select_for_update(of=("self",)).get(pk=exhibit.report_id)
    line = _line(exhibit)
    if line:
        record_lab_result(actor=actor, report_id=exhibit.report_id, mark=exhibit.mark, result=line)
    record(actor, item)
    return Done(exhibit)


def _line(exhibit: Exhibit) -> dict[str, Any]:
    """Put together what is known of the line: the newest result of each exhibit, or of its samples without amounts."""
    rows = list(Exhibit.objects.filter(report_id=exhibit.report_id, mark=exhibit.mark))
    results = results_of(row.pk for row in rows)
    samples: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        if row.parent_id is not None and row.pk in results:
            bare = {key: value for key, value in results[row.pk].items() if key not in _AMOUNTS}
            samples.setdefault(_root(row, rows), []).append(bare)
    roots = [row for row in rows if row.parent_id is None and not row.is_struck]
    return result_of_line(results.get(row.pk) or max(samples.get(row.pk, [None]), key=_when) for row in roots)


def _root(sample: Exhibit, rows: list[Exhibit]) -> UUID:
    """Follow a sample of a sample up to the exhibit it came from."""
    by_id = {row.pk: row for row in rows}
    while sample.parent_id is not None:
        sample = by_id[sample.parent_id]
    return sample.pk


def _when(result: dict[str, Any] | None) -> str:
    return str(result["at"]) if result else ""
