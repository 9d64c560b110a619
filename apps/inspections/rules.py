"""Pure decisions about inspection reports: moves between states, merging of edits, header fields, the counted day.

No Django, no clock. State names are those of dictionary 4.2; `apps.inspections.models.State` mirrors them.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from apps.common.errors import Problem
from apps.inspections.errors import FieldConflict, ReportVoided, StateChanged, StateLocked

EDITABLE = frozenset({"local_draft", "returned"})
WITH_REVIEW = frozenset({"received", "media_pending", "complete"})
COUNTRY_TIME = ZoneInfo("Asia/Ho_Chi_Minh")

# verb → states it may start from → state it leads to
MOVES: Mapping[str, Mapping[str, str]] = {
    "start_review": dict.fromkeys(("received", "media_pending", "complete"), "under_review"),
    "return": dict.fromkeys(("received", "media_pending", "complete", "under_review"), "returned"),
    "approve": dict.fromkeys(("received", "complete", "under_review"), "approved"),
    "void": dict.fromkeys(
        ("received", "media_pending", "complete", "under_review", "returned", "approved"), "voided"
    ),
}

TEXT_FIELDS: Mapping[str, int] = {"place": 200, "channel": 10, "captured_tz": 40, "remarks": 4000}
TIME_FIELDS = ("started_on_device_at", "ended_on_device_at")
LIST_FIELDS = (
    "subjects",
    "means_used",
    "participants",
    "witnesses",
    "equipment_unavailable",
    "alert_ids",
    "campaign_ids",
)
DICT_FIELDS = ("transport", "goods")
CHOICE_FIELDS = ("mode", "direction", "place_type", "selection_reason", "outcome")
REQUIRED_AT_SUBMISSION = ("mode", "place_type", "selection_reason", "outcome", *TIME_FIELDS)
HEADER_FIELDS = frozenset({*TEXT_FIELDS, *TIME_FIELDS, *LIST_FIELDS, *DICT_FIELDS, *CHOICE_FIELDS})
FIXED_FIELDS = frozenset({"checklist_version", "content_hash", "posting"})
BY_STEP = ("answers", "photos")
MAX_ITEMS = 200
MAX_PHOTOS = 40
_MEANS = re.compile(r"[a-z0-9_]{1,40}")


def next_state(verb: str, state: str) -> str:
    """Give the state a review verb leads to. Raises ReportVoided or StateChanged when it cannot start here."""
    to = MOVES[verb].get(state)
    if to is None:
        raise ReportVoided if state == "voided" else StateChanged
    return to


def check_editable(state: str) -> None:
    """Refuse an edit unless the report is a draft or was returned.

    Raises ReportVoided; StateLocked when it was submitted meanwhile; StateChanged when its review has moved on.
    """
    if state in EDITABLE:
        return
    if state == "voided":
        raise ReportVoided
    raise StateLocked if state in WITH_REVIEW else StateChanged


def changed_since(base: Base, field_revs: Mapping[str, int]) -> list[str]:
    """Give the flattened fields that were changed after `base`, and not by the one who now edits."""
    return sorted(key for key, rev in field_revs.items() if not base.has_seen(rev))


def flatten(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a patch into single fields: each answer and each step's photos count as fields of their own."""
    flat = {key: value for key, value in fields.items() if key not in BY_STEP}
    for part in BY_STEP:
        flat.update({f"{part}.{step}": value for step, value in fields.get(part, {}).items()})
    return flat


@dataclass(frozen=True)
class Base:
    """What an edit was made on: a revision, and what the same phone had sent on top of it by then.

    A phone sends its edits of a record in the order in which they were made, so each was made in sight of those before
    it. `own` gives the revisions these made; it is asked only when something is newer than `rev`.
    """

    rev: int
    own: Callable[[], Container[int]] = frozenset

    def has_seen(self, rev: int) -> bool:
        """Tell whether the edit was made in sight of a revision of a field."""
        return rev <= self.rev or rev in self._own

    @cached_property
    def _own(self) -> Container[int]:
        return self.own()


def overlapping(
    patch: Mapping[str, Any], current: Mapping[str, Any], field_revs: Mapping[str, int], base: Base
) -> list[str]:
    """Give the flattened fields that were changed out of sight of the edit to something else than it says."""
    return sorted(
        key
        for key, value in patch.items()
        if current.get(key) != value and not base.has_seen(field_revs.get(key, 0))
    )


def merge(
    patch: Mapping[str, Any], current: Mapping[str, Any], field_revs: Mapping[str, int], base: Base
) -> dict[str, Any]:
    """Give the part of a flattened patch that changes something.

    Edits of disjoint fields merge. Raises FieldConflict (with the current values) when they overlap.
    """
    clash = overlapping(patch, current, field_revs, base)
    if clash:
        raise FieldConflict(clash, {key: current.get(key) for key in clash}, max(field_revs.values()))
    return {key: value for key, value in patch.items() if key not in current or current[key] != value}


def check_header(fields: Mapping[str, Any], choices: Mapping[str, frozenset[str]]) -> list[Problem]:
    """Check the types and limits of the header fields present in a patch; unknown keys are not its business."""
    problems: list[Problem] = []
    for key in sorted(HEADER_FIELDS & fields.keys()):
        code = _fault(key, fields[key], choices)
        if code:
            problems.append(_problem(key, code))
    return problems


def missing_header(values: Mapping[str, Any]) -> list[Problem]:
    """Give what a submission still lacks in its header, and an end before the start."""
    problems = [_problem(key, "required") for key in REQUIRED_AT_SUBMISSION if not values.get(key)]
    started, ended = parse_time(values.get(TIME_FIELDS[0])), parse_time(values.get(TIME_FIELDS[1]))
    if started and ended and ended < started:
        problems.append(_problem("ended_on_device_at", "before-start"))
    return problems


def parse_time(value: object) -> dt.datetime | None:
    """Read an ISO 8601 time with an offset, in the years 1900 to 2999; None for anything else."""
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
        # Far years are not only wrong: shown in another time zone, they overflow.
        return moment.astimezone(dt.UTC) if moment.tzinfo and 1900 <= moment.year < 3000 else None
    except (ValueError, OverflowError):
        return None


def counted_day(claimed: dt.datetime | None, received: dt.datetime) -> tuple[dt.date, bool]:
    """Give the day a report counts for, in Vietnam's time, and whether the phone's clock is in doubt.

    The claimed start decides when it lies between a year before receipt and ten minutes after it (dictionary 3.9
    rule 1); otherwise the day of receipt does, and the report is flagged.
    """
    if claimed and received - dt.timedelta(days=366) <= claimed <= received + dt.timedelta(minutes=10):
        return claimed.astimezone(COUNTRY_TIME).date(), False
    return received.astimezone(COUNTRY_TIME).date(), True


def check_by_step(fields: Mapping[str, Any]) -> list[Problem]:
    """Check the shape of the parts that go by step: objects, and for photos short lists of UUIDs, none twice.

    A field named like a flattened one (`photos.step`) would pass by these checks, so it is refused.
    """
    problems = [
        _problem(part, "type") for part in BY_STEP if part in fields and not isinstance(fields[part], Mapping)
    ]
    problems += [
        _problem(_escape(key), "name") for key in fields if key.partition(".")[0] in BY_STEP and "." in key
    ]
    if problems:
        return problems
    for step, ids in fields.get("photos", {}).items():
        sound = isinstance(ids, list) and len(ids) <= MAX_PHOTOS and all(_is_uuid(p) for p in ids)
        if ids is not None and (not sound or len(set(ids)) != len(ids)):
            problems.append(_problem(f"photos/{_escape(step)}", "photo-list"))
    return problems


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value))


def _fault(key: str, value: Any, choices: Mapping[str, frozenset[str]]) -> str | None:  # noqa: PLR0911  a flat table
    if value is None:
        return None
    if key in CHOICE_FIELDS:
        return None if isinstance(value, str) and (value == "" or value in choices[key]) else "choice"
    if key in TIME_FIELDS:
        return None if parse_time(value) else "time"
    if key in TEXT_FIELDS:
        if not isinstance(value, str):
            return "type"
        return None if len(value) <= TEXT_FIELDS[key] else "max-length"
    if key in DICT_FIELDS:
        return None if isinstance(value, Mapping) and len(value) <= MAX_ITEMS else "type"
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        return "type"
    if key == "means_used" and not _codes(value):
        return "choice"
    return None


def _codes(values: Iterable[object]) -> bool:
    return all(isinstance(v, str) and _MEANS.fullmatch(v) for v in values)


def check_extra(extra: Mapping[str, Any]) -> list[Problem]:
    """Keep what newer phones send within bounds: unknown fields add up over the patches of one report."""
    return [_problem(_escape(max(extra)), "too-many")] if len(extra) > MAX_ITEMS else []


_WORDS: Mapping[str, tuple[str, str]] = {
    "required": ("Cần điền mục này trước khi gửi.", "This is needed before sending."),
    "choice": ("Giá trị không có trong danh mục.", "The value is not in the list."),
    "time": (
        "Thời gian phải theo ISO 8601 và có múi giờ.",
        "The time must be ISO 8601 with an offset.",
    ),
    "type": ("Sai kiểu dữ liệu.", "The value has the wrong type."),
    "max-length": ("Nội dung quá dài.", "The text is too long."),
    "too-many": ("Quá nhiều trường không xác định.", "There are too many unknown fields."),
    "name": ("Tên trường không hợp lệ.", "A field may not have this name."),
    "before-start": ("Thời gian kết thúc trước thời gian bắt đầu.", "The end is before the start."),
    "photo-list": ("Danh sách ảnh không hợp lệ.", "The list of photos is malformed."),
}


def _problem(key: str, code: str) -> Problem:
    vi, en = _WORDS[code]
    return Problem(f"/fields/{key}", code, vi, en)


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def single_use_value(value: object) -> str:
    """Give the spelling under which a single-use number is compared: capitals and digits alone; "" for nothing."""
    raw = value.get("raw") if isinstance(value, Mapping) else value
    text = unicodedata.normalize("NFKC", raw).upper() if isinstance(raw, str) else ""
    return "".join(c for c in text if c.isalnum())[:100]


def check_notes(notes: Sequence[Mapping[str, str]], note: str, steps: frozenset[str]) -> list[Problem]:
    """Check a reviewer's notes: at least one text somewhere, known steps, at most 4,000 characters each."""
    problems = []
    if not note.strip() and not any(n.get("text", "").strip() for n in notes):
        problems.append(Problem("/note", "required", "Cần ghi lý do trả lại.", "Say why it is returned."))
    for i, entry in enumerate(notes):
        if entry.get("step_key", "") not in steps:
            problems.append(
                Problem(f"/notes/{i}/step_key", "unknown-step", "Bước không có.", "No such step.")
            )
        if len(entry.get("text", "")) > 4000:
            problems.append(Problem(f"/notes/{i}/text", "max-length", *_WORDS["max-length"]))
    return problems
