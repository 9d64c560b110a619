"""Forms about seizure reports: the filters of the list, a laboratory's result, a correction with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.accounts.models import REPORT_READERS
from apps.common.actor import Actor
from apps.common.text import say
from apps.console.queue import ANY, units_in_reach
from apps.console.seizures import name_of
from apps.organisation.queries import subtrees
from apps.reference.queries import substances
from apps.reference.rules.vocabularies import codes, vocabularies
from apps.seizures.models import ReportNumber, SeizureReport, Stage
from apps.seizures.rules.fields import LAB_FIELDS, NOMINAL

_ANSWERS = (
    ("", "–"),
    ("yes", say("Có", "Yes")),
    ("no", say("Không", "No")),
    ("unknown", say("Chưa rõ", "Unknown")),
)
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
# Header fields that a desk may correct, and of a line by its mark.
AMENDED = (
    "finding_category",
    "watch_linked",
    "handover_plan",
    "no_scale_photo_reason",
    "legal_outcome",
    "lessons",
    "lab_reason",
    "handover_reason",
)
LINE_AMENDED = ("gross_mass_g", "net_mass_g", "volume_ml", "count", "measure_basis", "removed")


class SeizureFilter(forms.Form):
    """Filters of the list; every one is a parameter of the address."""

    stage = forms.ChoiceField(required=False, label=say("Giai đoạn", "Stage"))
    unit = forms.ChoiceField(required=False, label=say("Đơn vị", "Unit"))
    group = forms.ChoiceField(required=False, label=say("Dòng báo cáo", "Report line"))
    since = forms.DateField(required=False, label=say("Từ ngày", "From"), widget=DATE)
    until = forms.DateField(required=False, label=say("Đến ngày", "To"), widget=DATE)
    q = forms.CharField(
        required=False, max_length=60, label=say("Số báo cáo, số vụ, số hiệu", "Number of report or goods")
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        stages = [choice for choice in Stage.choices if choice[0] != Stage.DRAFT]
        offer(self, "stage", [ANY, *stages])
        offer(self, "unit", [ANY, *units_in_reach(actor)])
        offer(self, "group", [ANY, *vocabulary("report_group")])

    def found(self) -> QuerySet[SeizureReport]:
        """Give the reports that match, the newest first; a filter that cannot be read does not filter."""
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        reports = SeizureReport.objects.visible_to(self.actor).filter(is_draft=False)
        if not self.actor.has_role(*REPORT_READERS):
            return reports.none()
        if "stage" in wanted:
            reports = reports.filter(stage=wanted["stage"])
        if "unit" in wanted:
            unit = UUID(wanted["unit"])
            reports = reports.filter(unit_id__in=list(subtrees([unit])[unit]))
        if "since" in wanted:
            reports = reports.filter(occurred_on__gte=wanted["since"])
        if "until" in wanted:
            reports = reports.filter(occurred_on__lte=wanted["until"])
        if "group" in wanted:
            reports = reports.filter(counted_lines__report_group=wanted["group"]).distinct()
        if "q" in wanted:
            reports = reports.filter(_named(self.actor, wanted["q"])).distinct()
        return reports.order_by("-received_at", "-pk")


def _named(actor: Actor, text: str) -> Q:
    """Find by numbers of reports, incidents, goods, conveyances and seals; those of people take a stated purpose."""
    plain = "".join(c for c in text.upper() if c.isalnum())
    by_number = Q(number__icontains=text) | Q(incident__number__icontains=text)
    if not plain:
        return by_number
    told = ReportNumber.objects.visible_to(actor).filter(normalised=plain)
    for part, hidden in NOMINAL.items():
        told = told.exclude(part=part, field__in=hidden)
    return by_number | Q(pk__in=told.values("report_id"))


class LabForm(forms.Form):
    """What a laboratory found of one line."""

    lab_outcome = forms.ChoiceField(
        label=name_of("lab_outcome"),
        choices=[
            ("positive", say("Là ma túy, tiền chất", "Positive")),
            ("negative", say("Không phải ma túy", "Negative")),
        ],
    )
    lab_substance = forms.ChoiceField(label=name_of("lab_substance"), required=False)
    lab_net_mass_g = forms.CharField(label=name_of("lab_net_mass_g"), required=False, max_length=20)
    lab_volume_ml = forms.CharField(label=name_of("lab_volume_ml"), required=False, max_length=20)
    lab_count = forms.IntegerField(label=name_of("lab_count"), required=False, min_value=0)
    lab_purity_pct = forms.CharField(label=name_of("lab_purity_pct"), required=False, max_length=20)
    lab_name = forms.CharField(label=name_of("lab_name"), max_length=200)
    lab_number = forms.CharField(label=name_of("lab_number"), max_length=60)
    lab_on = forms.DateField(label=name_of("lab_on"), widget=DATE)
    lab_note = forms.CharField(
        label=name_of("lab_note"),
        required=False,
        max_length=1000,
        help_text=say("Bắt buộc khi kết luận không phải ma túy.", "Needed when the result is negative."),
    )
    mark = forms.ChoiceField(label=say("Dòng", "Line"))
    field_order = ("mark",)

    def __init__(self, report: SeizureReport, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "mark", [(mark, mark) for mark in sorted(report.lines)])
        called = [(key, s.vi) for key, s in substances().items() if s.valid]
        offer(self, "lab_substance", [("", "–"), *sorted(called, key=lambda pair: pair[1])])

    def result(self) -> dict[str, Any]:
        """Give what was filled in, as the action takes it."""
        values = {name: self.cleaned_data[name] for name in LAB_FIELDS}
        return {
            name: value.isoformat() if name == "lab_on" else point(value)
            for name, value in values.items()
            if value not in {None, ""}
        }


class AmendForm(forms.Form):
    """A correction at a desk; what is left as it is changes nothing."""

    finding_category = forms.ChoiceField(label=name_of("finding_category"), required=False)
    watch_linked = forms.ChoiceField(label=name_of("watch_linked"), required=False, choices=_ANSWERS)
    handover_plan = forms.CharField(label=name_of("handover_plan"), required=False, max_length=1000)
    no_scale_photo_reason = forms.CharField(
        label=name_of("no_scale_photo_reason"),
        required=False,
        max_length=500,
        help_text=say(
            "Chỉ khi không còn chụp được; còn chụp được thì trả lại để công chức bổ sung ảnh.",
            "Only when none can be taken any more; otherwise return the report for the photo.",
        ),
    )
    legal_outcome = forms.ChoiceField(label=name_of("legal_outcome"), required=False)
    modus_operandi = forms.CharField(
        label=name_of("modus_operandi"),
        required=False,
        max_length=400,
        help_text=say("Nhiều mục cách nhau bằng dấu phẩy.", "Several with commas."),
    )
    lessons = forms.ChoiceField(label=name_of("lessons"), required=False, choices=_ANSWERS[:3])
    lab_reason = forms.CharField(label=name_of("lab_reason"), required=False, max_length=1000)
    handover_reason = forms.CharField(
        label=name_of("handover_reason"),
        required=False,
        max_length=1000,
        help_text=say(
            "Khi tang vật không qua tay hải quan, ví dụ lực lượng chủ trì khác giữ.",
            "When the goods never were in customs' hands: another force led and kept them.",
        ),
    )
    mark = forms.ChoiceField(label=say("Sửa dòng", "Correct line"), required=False)
    gross_mass_g = forms.CharField(label=name_of("gross_mass_g"), required=False, max_length=20)
    net_mass_g = forms.CharField(label=name_of("net_mass_g"), required=False, max_length=20)
    volume_ml = forms.CharField(label=name_of("volume_ml"), required=False, max_length=20)
    count = forms.IntegerField(label=name_of("count"), required=False, min_value=0)
    measure_basis = forms.ChoiceField(label=name_of("measure_basis"), required=False)
    removed = forms.CharField(label=name_of("removed"), required=False, max_length=500)
    reason = forms.CharField(label=say("Lý do đính chính", "Reason for the correction"), max_length=1000)

    def __init__(self, report: SeizureReport, data: QueryDict | None = None) -> None:
        fields = report.fields
        initial = {name: fields.get(name, "") for name in AMENDED}
        initial["modus_operandi"] = ", ".join(fields.get("modus_operandi") or ())
        super().__init__(data, initial=initial)
        for name in ("legal_outcome", "finding_category"):
            offer(self, name, [("", "–"), *vocabulary(name)])
        offer(self, "mark", [("", "–"), *((mark, mark) for mark in sorted(report.lines))])
        bases = [pair for pair in vocabulary("measure_basis") if pair[0] != "lab_net"]
        offer(self, "measure_basis", [("", "–"), *bases])

    def patch(self) -> dict[str, Any]:
        """Give what differs from the report, as the action takes it."""
        changed: dict[str, Any] = {
            name: self.cleaned_data[name] for name in AMENDED if name in self.changed_data
        }
        if "modus_operandi" in self.changed_data:
            parts = self.cleaned_data["modus_operandi"].split(",")
            changed["modus_operandi"] = [part.strip() for part in parts if part.strip()]
        mark = self.cleaned_data["mark"]
        given = {name: point(self.cleaned_data[name]) for name in LINE_AMENDED}
        line = {name: value for name, value in given.items() if value not in {None, ""}}
        if mark and line:
            changed["lines"] = {mark: line}
        return changed


def point(value: Any) -> Any:
    """Read a decimal comma as the point that amounts are written with."""
    return value.replace(",", ".") if isinstance(value, str) and value.replace(",", "").isdigit() else value


def offer(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    """Give a field its choices."""
    cast("forms.ChoiceField", form.fields[name]).choices = choices


def vocabulary(name: str) -> list[tuple[str, Any]]:
    """Give a vocabulary's codes with their words, in the language of the page."""
    both: Mapping[str, tuple[str, str]] = vocabularies()[name]
    return [(code, say(*both[code])) for code in both if code in codes(name)]
