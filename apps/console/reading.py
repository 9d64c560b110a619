"""A report laid out for reading: header fields with labels, each question with its answer, photos, notes, what changed.

Plain data for templates; the rows themselves come from `visible_to` querysets of the view.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checklists.rules import compile_answers
from apps.common.text import pick
from apps.console.templatetags.console import number, when
from apps.console.words import CHANNELS, HEADER, PARTS, PHOTO_FLAGS, PHOTO_STATES, UNITS
from apps.evidence.models import Attachment
from apps.inspections.models import (
    Direction,
    InspectionReport,
    Mode,
    Outcome,
    PlaceType,
    ReportVersion,
    ReviewNote,
    SelectionReason,
    State,
)
from apps.inspections.rules import parse_time
from apps.reference.queries import label

SAME_MOMENT = dt.timedelta(seconds=5)
DECIDED = frozenset({State.RETURNED, State.APPROVED, State.LOCKED, State.VOIDED})
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "mode": dict(Mode.choices),
    "direction": dict(Direction.choices),
    "place_type": dict(PlaceType.choices),
    "selection_reason": dict(SelectionReason.choices),
    "outcome": dict(Outcome.choices),
    "channel": CHANNELS,
}


@dataclass(frozen=True)
class Photo:
    """A photo a report names, whether or not its bytes have arrived. `is_veiled`: seen for a stated purpose alone."""

    id: str
    state: str
    label: str
    attachment: Attachment | None
    is_veiled: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether there is a picture to show."""
        return not self.is_veiled and self.attachment is not None and bool(self.attachment.thumbnail)

    @property
    def remarks(self) -> list[object]:
        """What a reader should know of it: a signature that does not fit, times or places that disagree."""
        return [PHOTO_FLAGS.get(flag, flag) for flag in self.attachment.flags] if self.attachment else []


@dataclass(frozen=True)
class Answer:
    """What was said at a step: the words, why when it does not apply, the officer's note."""

    words: str
    reason: str = ""
    note: str = ""
    given: bool = True
    excused: bool = False


@dataclass(frozen=True)
class Step:
    """One question beside its answer."""

    no: int
    key: str
    content: Mapping[str, Any]
    text: str
    answer: Answer
    photos: tuple[Photo, ...]
    needed: int
    notes: tuple[ReviewNote, ...]
    is_visible: bool
    typed_note: str = ""

    @property
    def stored(self) -> int:
        """How many of its photos have arrived."""
        return sum(photo.state == "stored" for photo in self.photos)

    @property
    def expected(self) -> int:
        """How many photos it should have: those named, and at least those the checklist asks for."""
        return max(len(self.photos), 0 if self.answer.excused or not self.is_visible else self.needed)

    @property
    def lacks_photos(self) -> bool:
        """Whether the reviewer should be told that photos are missing."""
        return self.stored < self.expected


@dataclass(frozen=True)
class Section:
    """A part of the checklist."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Change:
    """A field or an answer that differs between two submissions."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Mark:
    """Something that happened to a report; `state` has a badge."""

    at: dt.datetime
    title: str
    text: str = ""
    who: str = ""
    state: str = ""


@dataclass(frozen=True)
class Reading:
    """The whole report for the page."""

    header: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    loose_photos: tuple[Photo, ...]
    changes: tuple[Change, ...]
    photos_stored: int
    photos_named: int


def read_report(
    report: InspectionReport,
    attachments: Iterable[Attachment],
    notes: Sequence[ReviewNote],
    versions: Sequence[ReportVersion],
    typed: Mapping[str, str],
) -> Reading:
    """Lay a report out; `typed` are notes at questions that were typed and not sent yet."""
    content = report.checklist_version.content
    counts = {step: len(ids) for step, ids in report.photos.items()}
    visible = set(compile_answers(content).visible_steps(report.answers, _header_values(report), counts))
    photos = _photos(report, attachments)
    notes_at: dict[str, list[ReviewNote]] = defaultdict(list)
    for note in notes:
        notes_at[note.step_key].append(note)
    sections, no = [], 0
    for part in content["sections"]:
        steps = []
        for step in part["steps"]:
            no += 1
            key = step["key"]
            steps.append(
                Step(
                    no=no,
                    key=key,
                    content=step,
                    text=wording(step["text"]),
                    answer=read_answer(step, report.answers.get(key)),
                    photos=tuple(photos.pop(key, ())),
                    needed=(step.get("photos") or {}).get("min", 0) if step["kind"] == "photo" else 0,
                    notes=tuple(notes_at.pop(key, ())),
                    is_visible=key in visible,
                    typed_note=typed.get(key, ""),
                )
            )
        sections.append(Section(wording(part["title"]), tuple(steps)))
    all_photos = [p for s in sections for step in s.steps for p in step.photos]
    loose = tuple(p for rest in photos.values() for p in rest)
    return Reading(
        header=tuple((str(HEADER[k]), v) for k in HEADER if (v := header_text(k, getattr(report, k)))),
        sections=tuple(sections),
        loose_photos=loose,
        changes=tuple(_changes(content, versions)),
        photos_stored=sum(p.state == "stored" for p in (*all_photos, *loose)),
        photos_named=len(all_photos) + len(loose),
    )


def trail(
    report: InspectionReport, versions: Iterable[ReportVersion], notes: Iterable[ReviewNote]
) -> list[Mark]:
    """Tell in the order of time what happened: submissions, notes on the whole, the last decision."""
    marks = [
        Mark(v.submitted_at, pick("Gửi lần đầu", "First submission"))
        if v.version == 1
        else Mark(v.submitted_at, pick(f"Gửi lại, lần {v.version}", f"Submission {v.version}"))
        for v in versions
    ]
    marks += _returns(report, notes)
    if report.reviewed_at:
        # A report that is open again after a decision can only have been returned.
        state = State(report.state if report.state in DECIDED else State.RETURNED)
        who = report.reviewer.full_name if report.reviewer and report.state in DECIDED else ""
        marks.append(Mark(report.reviewed_at, str(state.label), report.review_note, who, state.value))
    return sorted(marks, key=lambda mark: mark.at)


def _returns(report: InspectionReport, notes: Iterable[ReviewNote]) -> Iterable[Mark]:
    """Give the returns that left notes, except the one that is the last decision and is told as such."""
    groups: dict[tuple[int, str], list[ReviewNote]] = defaultdict(list)
    for note in notes:
        groups[note.version, note.author.full_name].append(note)
    for (_, who), written in groups.items():
        at = written[0].at
        if report.reviewed_at and abs(report.reviewed_at - at) < SAME_MOMENT:
            continue
        overall = " ".join(n.text for n in written if not n.step_key)
        count = sum(bool(n.step_key) for n in written)
        told = pick(f"{count} ghi chú tại câu hỏi.", f"Notes at questions: {count}.") if count else ""
        yield Mark(at, str(State.RETURNED.label), f"{overall} {told}".strip(), who, State.RETURNED.value)


def wording(words: Mapping[str, str] | None) -> str:
    """Choose the language of a bilingual text of a checklist."""
    return pick(words.get("vi", ""), words.get("en", "")) if words else ""


def read_answer(step: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Answer:
    """Put an answer into words."""
    unanswered = "" if step["kind"] == "photo" else pick("Không trả lời", "Not answered")
    if not isinstance(answer, Mapping):
        return Answer(unanswered, given=False)
    note, reason = str(answer.get("note") or ""), str(answer.get("reason") or "")
    if answer.get("na"):
        return Answer(pick("Không áp dụng", "Not applicable"), reason, note, given=False, excused=True)
    if answer.get("unavailable"):
        return Answer(
            pick("Thiết bị không sẵn sàng", "Equipment unavailable"), reason, note, given=False, excused=True
        )
    value = answer.get("value")
    if value in (None, "", []):
        return Answer(unanswered, "", note, given=False)
    return Answer(_value(step, value), "", note)


def header_text(key: str, value: Any) -> str:
    """Put a header field into words; empty for nothing."""
    if value in (None, "", [], {}) or (key == "captured_tz" and value == "Asia/Ho_Chi_Minh"):
        return ""
    if key in _CHOICES:
        return str(_CHOICES[key].get(value, value))
    if key == "means_used":
        return ", ".join(label("means_of_detection", code) for code in value)
    if key.endswith("_at"):
        moment = parse_time(value)
        return when(moment) if moment else str(value)
    return _plain(value)


def _value(step: Mapping[str, Any], value: Any) -> str:
    kind = step["kind"]
    if kind == "bool":
        return pick("Có", "Yes") if value is True else pick("Không", "No")
    if kind in {"choice", "multi"}:
        labels = {option["value"]: wording(option["label"]) for option in step["options"]}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(code, str(code)) for code in chosen)
    if kind in {"number", "measure"}:
        unit = step.get("unit", "")
        return f"{_decimal(value)} {UNITS.get(unit, unit)}".strip()
    if kind == "scan" and isinstance(value, Mapping):
        by_hand = pick(" (nhập tay)", " (typed)") if value.get("symbology") == "manual" else ""
        return f"{value.get('raw', '')}{by_hand}"
    if kind == "sign" and isinstance(value, Mapping):
        return pick(f"Đã ký: {value.get('name', '')}", f"Signed: {value.get('name', '')}")
    return _plain(value)


def _decimal(value: Any) -> str:
    text = str(value)
    places = len(text.partition(".")[2])
    try:
        return number(text, places)
    except ArithmeticError:
        return text


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(
            f"{_field_name(k)}: {_plain(v)}" for k, v in value.items() if v not in (None, "", [], {})
        )
    if isinstance(value, list):
        return " · ".join(_plain(item) for item in value)
    if isinstance(value, bool):
        return pick("Có", "Yes") if value else pick("Không", "No")
    return str(value)


def _field_name(key: str) -> str:
    return str(PARTS.get(key, str(key).replace("_", " ")))


def _photos(report: InspectionReport, attachments: Iterable[Attachment]) -> dict[str, list[Photo]]:
    known = {str(a.pk): a for a in attachments}
    by_step: dict[str, list[Photo]] = defaultdict(list)
    for step, ids in report.photos.items():
        for photo in ids:
            attachment = known.pop(str(photo), None)
            state = attachment.state if attachment else "missing"
            by_step[step].append(Photo(str(photo), state, str(PHOTO_STATES[state]), attachment))
    for attachment in known.values():
        photo = Photo(str(attachment.pk), attachment.state, str(PHOTO_STATES[attachment.state]), attachment)
        by_step["" if attachment.step_key in by_step else attachment.step_key].append(photo)
    return by_step


def _header_values(report: InspectionReport) -> dict[str, Any]:
    return {key: getattr(report, key) for key in HEADER}


def _changes(content: Mapping[str, Any], versions: Sequence[ReportVersion]) -> Iterable[Change]:
    """Compare the last two submissions, field by field and answer by answer."""
    if len(versions) < 2:
        return
    before, after = (v.body for v in sorted(versions, key=lambda v: v.version)[-2:])
    for key, name in HEADER.items():
        if before.get(key) != after.get(key):
            yield Change(str(name), header_text(key, before.get(key)), header_text(key, after.get(key)))
    steps = [step for section in content["sections"] for step in section["steps"]]
    for no, step in enumerate(steps, start=1):
        key, name = step["key"], f"{no}. {wording(step['text'])}"
        old, new = (b.get("answers", {}).get(key) for b in (before, after))
        if old != new:
            yield Change(name, whole(read_answer(step, old)), whole(read_answer(step, new)))
        had, has = (len(b.get("photos", {}).get(key) or ()) for b in (before, after))
        if before.get("photos", {}).get(key) != after.get("photos", {}).get(key):
            yield Change(name, pick(f"{had} ảnh", f"{had} photos"), pick(f"{has} ảnh", f"{has} photos"))


def whole(answer: Answer) -> str:
    """Put an answer, its reason and its note into one line."""
    return " – ".join(part for part in (answer.words, answer.reason, answer.note) if part)
