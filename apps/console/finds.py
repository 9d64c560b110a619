"""Writing a seizure report at a desk: one form of all its fields, made from what the rules say that each may hold.

Fields are named as faults point at them: `mode`, `lines/1/net_mass_g`. What is left as it is changes nothing, so that a
phone and a desk may work on one report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import orjson
from django import forms
from django.http import QueryDict
from django.utils import timezone

from apps.checklists.models import ChecklistVersion, Status
from apps.common.actor import Actor
from apps.common.text import pick, say
from apps.console.seizure_forms import DATE, offer, point, vocabulary
from apps.console.seizures import Called, name_of, names_known, thing_of, words_of
from apps.inspections.rules import parse_time
from apps.reference.queries import label
from apps.reference.rules.vocabularies import vocabularies
from apps.seizures.models import SeizureReport
from apps.seizures.rules.fields import HEADER, MAX_MARKS, PARTS

ZONE = "Asia/Ho_Chi_Minh"
# What a desk writes, in the order of the page: title, fields of the header, parts that stand under them.
SECTIONS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "found",
        say("Phát hiện", "The find"),
        (
            *("detected_on_device_at", "occurred_on_device_at", "mode", "direction", "place_type", "place"),
            *("lead_force", "finding_category", "handling"),
        ),
        (),
    ),
    ("goods", say("Tang vật", "Goods"), (), ("lines",)),
    ("people", say("Đối tượng", "Persons"), ("persons_count", "is_subject_present"), ("persons",)),
    (
        "way",
        say("Tuyến đường, phương tiện, hàng hóa", "Route, conveyances, consignments"),
        ("departure", "destination", "origin", "transit_countries", "intended_final"),
        ("conveyances", "consignments"),
    ),
    (
        "how",
        say("Phát hiện, cất giấu như thế nào", "How it was found and hidden"),
        (
            *("first_cue", "means", "concealment_places", "concealment_techniques", "modus_operandi"),
            *("watch_linked", "search_decision"),
        ),
        (),
    ),
    (
        "who",
        say("Lực lượng tham gia", "Who took part"),
        ("participants", "participations", "witnesses"),
        (),
    ),
    (
        "papers",
        say("Diễn biến, hồ sơ", "Summary and papers"),
        (
            *("summary", "remarks", "record_doc_number", "record_doc_on", "checklist_version"),
            *("no_photo_reason", "no_scale_photo_reason", "handover_plan", "lab_reason", "handover_reason"),
            *("legal_outcome", "lessons"),
        ),
        (),
    ),
)
# Fields of a report that the page does not offer: photos are taken by phones, the others need what is not here yet
# (campaigns, alerts) or are said otherwise (a further find is joined with its incident by whoever decides).
ELSEWHERE = frozenset({"kind", "captured_tz", "photos", "alert_ids", "campaign_ids", "inspection"})
_SEVERAL = say("Nhiều mục cách nhau bằng dấu chấm phẩy.", "Several with semicolons.")
_COUNTRIES = say(
    "Mã hai chữ cái, cách nhau bằng dấu chấm phẩy: LA; TH.", "Two letters each, with semicolons: LA; TH."
)
_TOOK_PART = say(
    "Mỗi dòng: vai trò (chủ trì, đồng chủ trì, phối hợp): mã đơn vị hoặc tên cơ quan. Ví dụ: Chủ trì: NBA",
    "On each line: role (lead, co-lead, support): code of the unit or name of the agency. Such as: Lead: NBA",
)
_MARK = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}")
_LONG = 500
_NOTHING: tuple[Any, ...] = (None, "", [])


@dataclass(frozen=True)
class Section:
    """A part of the page: its fields, and the things under it by kind, each with its fields."""

    key: str
    title: str
    fields: list[forms.BoundField]
    parts: list[tuple[str, list[tuple[str, list[forms.BoundField]]]]]


class FindForm(forms.Form):
    """A report as it stands, and what was typed; `more` is the part that gets one row more.

    `was` is what the report said when the page was first shown: a field is changed by whoever changed it on the page,
    not by a phone that wrote there meanwhile.
    """

    def __init__(
        self, actor: Actor, report: SeizureReport | None, data: QueryDict | None = None, *, more: str = ""
    ) -> None:
        self._report = report
        self.was = _known(data.get("was", "")) if data else {}
        self.marks = {part: _marks(part, report, data, more) for part in PARTS}
        super().__init__(data)
        offered = _Offered(actor, names_known())
        for name, spec, value in self._places():
            self.fields[name] = offered.field(name.rpartition("/")[2], spec)
            self.initial[name] = _shown(spec, value)
            self._keep_choice(name, value)
            if data is None and value not in _NOTHING:
                self.was[name] = value
        if report is None:
            self.initial = {**self.initial, "handling": "internal", "lead_force": "customs"}

    def _keep_choice(self, name: str, value: Any) -> None:
        """Offer what the report says also where it is chosen no more: a checklist that was replaced meanwhile."""
        field = self.fields[name]
        if type(field) is forms.ChoiceField and value and not field.valid_value(value):
            known = cast("Iterable[tuple[str, Any]]", field.choices)
            offer(self, name, [*known, (value, value)])

    def _places(self) -> Iterator[tuple[str, str, Any]]:
        """Give each field of the page: its name, its spec, and what the report says there."""
        header = self._report.fields if self._report else {}
        for _, _, names, parts in SECTIONS:
            yield from ((name, HEADER[name], header.get(name)) for name in names)
            for part in parts:
                held = getattr(self._report, part) if self._report else {}
                for mark in self.marks[part]:
                    for column, spec in PARTS[part].items():
                        if column != "removed" or mark in held:
                            yield f"{part}/{mark}/{column}", spec, held.get(mark, {}).get(column)

    def sections(self) -> list[Section]:
        """Lay the fields out as the page shows them."""
        return [
            Section(
                key,
                title,
                [self[name] for name in names],
                [
                    (part, [(thing_of(part, mark), self._row(part, mark)) for mark in self.marks[part]])
                    for part in parts
                ],
            )
            for key, title, names, parts in SECTIONS
        ]

    def _row(self, part: str, mark: str) -> list[forms.BoundField]:
        names = (f"{part}/{mark}/{column}" for column in PARTS[part])
        return [self[name] for name in names if name in self.fields]

    def patch(self) -> dict[str, Any]:
        """Give what differs from what the page showed, as the actions take it; what was emptied is None."""
        said: dict[str, Any] = {} if self._report else {"captured_tz": ZONE}
        for name, spec, _ in self._places():
            value = _read(spec, self.cleaned_data[name])
            if _same(spec, self.was.get(name), value):
                continue
            part, _, rest = name.partition("/")
            if rest:
                mark, _, column = rest.partition("/")
                said.setdefault(part, {}).setdefault(mark, {})[column] = value
            else:
                said[name] = value
        return said


class _Offered:
    """Makes the field of a spec, with the choices that this person has in the language of the page."""

    def __init__(self, actor: Actor, called: Called) -> None:
        self._called = called
        self._choices = {
            "substance": _by_name(called.substances.items()),
            "country": _by_name(called.countries.items()),
            "checklist_version": _versions(actor),
        }

    def field(self, name: str, spec: str) -> forms.Field:
        kind, _, rest = spec.partition(" ")
        called = name_of(name)
        choices = self._choices.get(name) or self._choices.get(kind)
        if choices is not None:
            return forms.ChoiceField(label=called, required=False, choices=[("", "–"), *choices])
        if kind == "code":
            return forms.ChoiceField(label=called, required=False, choices=[("", "–"), *vocabulary(rest)])
        if kind == "among":
            named = [(code, words_of(name, code, self._called)) for code in rest.split()]
            return forms.ChoiceField(label=called, required=False, choices=[("", "–"), *named])
        if kind == "codes":
            ticks = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(
                label=called, required=False, choices=vocabulary(rest), widget=ticks
            )
        return _plain_field(kind, rest, called)


def _plain_field(kind: str, rest: str, called: str) -> forms.Field:
    if kind == "time":
        clock = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        return forms.DateTimeField(label=called, required=False, widget=clock)
    if kind == "date":
        return forms.DateField(label=called, required=False, widget=DATE)
    if kind == "int":
        return forms.IntegerField(label=called, required=False, min_value=0, max_value=10**9 - 1)
    if kind == "text":
        long = int(rest) >= _LONG
        widget = forms.Textarea(attrs={"rows": 3}) if long else forms.TextInput()
        return forms.CharField(label=called, required=False, max_length=int(rest), widget=widget)
    if kind == "participations":
        rows = forms.Textarea(attrs={"rows": 3})
        return forms.CharField(
            label=called, required=False, max_length=4000, widget=rows, help_text=_TOOK_PART
        )
    hint = {"texts": _SEVERAL, "countries": _COUNTRIES}.get(kind, "")
    return forms.CharField(label=called, required=False, max_length=4000, help_text=hint)


def _by_name(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: pair[1])


def _versions(actor: Actor) -> list[tuple[str, str]]:
    """Give the checklists in force."""
    rows = ChecklistVersion.objects.visible_to(actor).filter(status=Status.PUBLISHED)
    found = rows.select_related("checklist").order_by("checklist__title_vi")
    return [(str(v.pk), f"{pick(v.checklist.title_vi, v.checklist.title_en)} ({v.semver})") for v in found]


def _marks(part: str, report: SeizureReport | None, data: QueryDict | None, more: str) -> list[str]:
    """Give the rows of a part: what the report has, what the page had, and an empty one to begin with or asked for."""
    held = list(getattr(report, part)) if report else []
    rows = data.get(f"rows/{part}", "") if data else ""
    typed = [mark for mark in str(rows).split() if _MARK.fullmatch(mark)]
    found = list(dict.fromkeys([*sorted(held), *typed]))[:MAX_MARKS]
    if more == part or not found:
        numbers = (int(mark) for mark in found if mark.isdecimal())
        found.append(str(max(numbers, default=0) + 1))
    return found[:MAX_MARKS]


def _shown(spec: str, value: Any) -> Any:
    """Put a value of a report into its field."""
    kind = spec.partition(" ")[0]
    if kind == "time":
        moment = parse_time(value)
        return timezone.localtime(moment) if moment else None
    if kind in {"texts", "countries"}:
        return "; ".join(value or ())
    if kind == "participations":
        return "\n".join(
            f"{label('participation', p['role'])}: {p['unit'] or p['agency']}" for p in value or ()
        )
    return value


def _read(spec: str, typed: Any) -> Any:
    """Give what was typed as a patch says it; None for nothing."""
    kind = spec.partition(" ")[0]
    if typed in {None, ""} if not isinstance(typed, list) else not typed:
        return None
    if kind in {"time", "date"}:
        return typed.isoformat()
    if kind == "decimal":
        return point(typed.strip())
    if kind in {"texts", "countries"}:
        parts = [part.strip() for part in typed.split(";") if part.strip()]
        return ([part.upper() for part in parts] if kind == "countries" else parts) or None
    if kind == "participations":
        return [_took_part(row) for row in typed.splitlines() if row.strip()] or None
    return typed


def _took_part(row: str) -> dict[str, str]:
    role, _, who = (text.strip() for text in row.partition(":"))
    words = {word.casefold(): code for code, both in vocabularies()["participation"].items() for word in both}
    role = words.get(role.casefold(), role)
    is_code = who.isascii() and who.isupper() and " " not in who
    return {"role": role, "unit": who if is_code else "", "agency": "" if is_code else who}


def _same(spec: str, before: Any, value: Any) -> bool:
    """Tell whether a field says what it said; a page shows minutes, and spells numbers as it likes."""
    kind = spec.partition(" ")[0]
    if value is None or before in _NOTHING:
        return value is None and before in _NOTHING
    try:
        if kind == "time":
            one, two = parse_time(before), parse_time(value)
            return one is not None and two is not None and one.replace(second=0, microsecond=0) == two
        if kind == "codes":
            return set(before) == set(value)
        if kind == "decimal":
            return Decimal(before) == Decimal(value)
    except (TypeError, InvalidOperation):  # what the page showed came back as something else
        return False
    return bool(before == value)


def _known(text: str) -> dict[str, Any]:
    """Read what the page says that it showed."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
