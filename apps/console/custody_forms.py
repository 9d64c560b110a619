"""Forms about exhibits: writing one down, its next step, a sample, an offer, what was read on receipt, a count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.common.text import say
from apps.console.seizure_forms import LabForm, offer, point, vocabulary
from apps.custody.actions import STEPS
from apps.custody.models import Exhibit, HandOver
from apps.custody.queries import text
from apps.custody.rules.forms import MAX_COPIES
from apps.custody.rules.moves import steps_from
from apps.reference.queries import label as vocabulary_label
from apps.seizures.models import SeizureReport
from apps.seizures.rules.lines import standing

_BY_LINE = say("Mỗi dòng một mục.", "One on each line.")
_SEVERAL = say("Nhiều số cách nhau bằng dấu phẩy.", "Several with commas.")
_PRESENT = (("", "–"), ("yes", say("Có mặt", "Present")), ("no", say("Vắng mặt", "Absent")))
PURPOSES = (
    ("lab", say("Gửi giám định", "For the laboratory")),
    ("reference", say("Mẫu đối chứng", "For reference")),
    ("training", say("Phục vụ huấn luyện", "For training")),
)


def _text(label: str, length: int = 200, hint: str = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, help_text=hint, required=required)


def _lines(label: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(label=label, max_length=4000, help_text=_BY_LINE, required=False, widget=area)


def several(text: str, separator: str = ",") -> list[str]:
    """Read several values that were typed into one field."""
    return [part.strip() for part in text.split(separator) if part.strip()]


def _ticks(label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, widget=forms.CheckboxSelectMultiple, required=False)


def _called(mark: str, row: Mapping[str, Any]) -> str:
    """Call somebody or a vehicle of a report by the mark and by what names nobody."""
    role = vocabulary_label("person_role", row["role"]) if row.get("role") else ""
    facts = (role, *(row.get(name) for name in ("flight_no", "vessel", "plate", "train")))
    return f"{mark}: {', '.join(str(fact) for fact in facts if fact) or '–'}"


class _Witnessed(forms.Form):
    is_subject_present = forms.ChoiceField(
        label=say("Đối tượng", "Subject"),
        choices=_PRESENT,
        required=False,
        help_text=say("Vắng mặt thì cần hai người chứng kiến.", "When absent, two witnesses are needed."),
    )
    witnesses = _lines(say("Người chứng kiến", "Witnesses"))

    def said(self) -> dict[str, Any]:
        """Give what was filled in, as the actions take it."""
        values = {name: point(value) for name, value in self.cleaned_data.items()}
        if "witnesses" in values:
            values["witnesses"] = several(values["witnesses"], "\n")
        return {name: value for name, value in values.items() if value not in ("", None, [])}


class ExhibitForm(forms.Form):
    """A package of a seizure."""

    mark = forms.ChoiceField(label=say("Dòng tang vật", "Line"))
    description = _text(say("Mô tả tình trạng, bao gói", "Description, packing"), 1000, required=True)
    packages = forms.IntegerField(label=say("Số kiện", "Packages"), required=False, min_value=0)
    gross_mass_g = _text(say("Cả bì (g)", "Gross (g)"), 20)
    net_mass_g = _text(say("Tịnh (g)", "Net (g)"), 20)
    volume_ml = _text(say("Thể tích (ml)", "Volume (ml)"), 20)
    count = forms.IntegerField(label=say("Số lượng", "Count"), required=False, min_value=0)
    count_unit = forms.ChoiceField(label=say("Đơn vị đếm", "Counted in"), required=False)

    def __init__(self, report: SeizureReport, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "mark", [(mark, mark) for mark in sorted(report.lines)])
        offer(self, "count_unit", [("", "–"), *vocabulary("count_unit")])

    def said(self) -> dict[str, Any]:
        """Give what was filled in, as the action takes it."""
        values = {name: point(value) for name, value in self.cleaned_data.items()}
        return {name: value for name, value in values.items() if value not in ("", None)}


class CorrectionForm(ExhibitForm):
    """What was written down wrongly about an exhibit, and why; what is left as it is changes nothing."""

    reason = _text(say("Lý do đính chính", "Reason for the correction"), 1000, required=True)

    def __init__(self, exhibit: Exhibit, *args: Any, **kwargs: Any) -> None:
        super().__init__(exhibit.report, *args, initial=_as_written(exhibit), **kwargs)

    def said(self) -> dict[str, Any]:
        """Give what differs, as the action takes it; what was emptied is taken back."""
        names = (name for name in self.changed_data if name != "reason")
        return {name: point(self.cleaned_data[name]) for name in names}


def _as_written(exhibit: Exhibit) -> dict[str, Any]:
    masses = ("gross_mass_g", "net_mass_g", "volume_ml")
    plain = {
        name: getattr(exhibit, name) for name in ("mark", "description", "packages", "count", "count_unit")
    }
    return {**plain, **{name: (text(getattr(exhibit, name)) or "").replace(".", ",") for name in masses}}


class StepForm(_Witnessed):
    """The next step of an exhibit; what the step does not ask for stays empty."""

    step = forms.ChoiceField(label=say("Bước", "Step"))
    place = _text(say("Địa điểm, vị trí trong kho", "Place, shelf"))
    purpose = _text(say("Mục đích", "Purpose"), 500)
    seals_read = _text(say("Số niêm phong đọc được (khi mở)", "Seals as read (to open)"), 400, _SEVERAL)
    seals = _text(say("Số niêm phong mới", "New seals"), 400, _SEVERAL)
    seal_type = forms.ChoiceField(label=say("Loại niêm phong", "Kind of seal"), required=False)
    issuer = _text(say("Đơn vị phát hành (nếu khác)", "Issuer (when another)"), 40)
    gross_mass_g = _text(say("Khối lượng cả gói (g)", "Mass of the package (g)"), 20)
    signers = _text(say("Người ký nhãn niêm phong", "Who signed the label"), 800, _SEVERAL)
    stamp_of = _text(say("Đóng dấu của", "Stamp of"))
    condition = _text(say("Tình trạng gói", "State of the package"), 1000)
    record_doc_number = _text(say("Số biên bản", "Record number"), 60)
    note = _text(say("Ghi chú", "Note"), 1000)
    field_order = (
        "step place purpose seals_read seals seal_type issuer gross_mass_g is_subject_present witnesses "
        "signers stamp_of condition"
    ).split()

    def __init__(self, exhibit: Exhibit, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = dict(vocabulary("custody_event"))
        may = steps_from(exhibit.state)
        offer(self, "step", [(step, words[step]) for step in STEPS if step in may])
        offer(self, "seal_type", vocabulary("seal_type"))

    def said(self) -> dict[str, Any]:
        """Give what was filled in; every new seal is of one kind and one issuer."""
        values = super().said()
        values.pop("step")
        kind, issuer = values.pop("seal_type", ""), values.pop("issuer", "")
        for name in ("seals_read", "signers"):
            if name in values:
                values[name] = several(str(self.cleaned_data[name]))
        if "seals" in values:
            numbers = several(str(self.cleaned_data["seals"]))
            values["seals"] = [{"number": number, "type": kind, "issuer": issuer} for number in numbers]
        return values


class SampleForm(_Witnessed):
    """A sample taken from an opened exhibit."""

    sample_purpose = forms.ChoiceField(label=say("Mục đích", "Purpose"), choices=PURPOSES)
    description = _text(say("Mô tả mẫu", "Description of the sample"), 1000, required=True)
    decision_number = _text(
        say("Số quyết định (đối chứng, huấn luyện)", "Decision (reference, training)"), 60
    )
    taken_mass_g = _text(say("Lấy ra (g)", "Taken (g)"), 20)
    taken_volume_ml = _text(say("Lấy ra (ml)", "Taken (ml)"), 20)
    taken_count = forms.IntegerField(
        label=say("Lấy ra (số lượng)", "Taken (count)"), required=False, min_value=0
    )
    field_order = (
        "sample_purpose description decision_number taken_mass_g taken_volume_ml taken_count".split()
    )


class ResultForm(LabForm):
    """What a laboratory found of an exhibit or a sample."""

    method = _text(say("Phương pháp", "Method"), 1000)
    paper = forms.FileField(
        label=say("Bản kết luận giám định (tệp)", "The laboratory's paper (file)"),
        required=False,
        help_text=say(
            "Tệp không được lưu ở đây; chỉ ghi mã băm SHA-256 để sau này đối chiếu.",
            "The file is not kept here, only its SHA-256, so that it can be compared later.",
        ),
    )

    def __init__(self, exhibit: Exhibit, *args: Any, **kwargs: Any) -> None:
        super().__init__(exhibit.report, *args, **kwargs)
        del self.fields["mark"]

    def result(self) -> dict[str, Any]:
        """Give what was filled in, as the action takes it."""
        method, paper = self.cleaned_data["method"], self.cleaned_data["paper"]
        said = {"method": method, "attachment_sha256": _sha256(paper) if paper else ""}
        return {**super().result(), **{name: value for name, value in said.items() if value}}


def _sha256(file: UploadedFile) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


class OfferForm(forms.Form):
    """To whom exhibits are offered, which, and what goes with them."""

    field_order = ("exhibits", "persons", "vehicles")
    kind = forms.ChoiceField(label=say("Bên nhận", "Receiver"), choices=HandOver.Kind.choices)
    badge_no = _text(say("Số hiệu người nhận", "Receiver's badge"), 20)
    name = _text(say("Họ tên người nhận (ngoài ngành)", "Receiver's name (outside)"))
    office = _text(say("Cơ quan nhận (ngoài ngành)", "Receiving office (outside)"))
    legal_basis = _text(say("Căn cứ", "Legal basis"), 500)
    documents = _text(say("Hồ sơ, giấy tờ kèm theo", "Documents that go with it"), 1000)
    place = _text(say("Địa điểm bàn giao", "Place of the hand-over"))
    witnesses = _lines(say("Người chứng kiến bàn giao", "Witnesses of the hand-over"))
    exhibits = _ticks(say("Tang vật", "Exhibits"))
    persons = _ticks(say("Người bàn giao kèm theo", "People handed over with them"))
    vehicles = _ticks(say("Phương tiện bàn giao kèm theo", "Vehicles handed over with them"))
    copies = forms.IntegerField(
        label=say("Số bản của biên bản", "Copies of the record"),
        required=False,
        min_value=1,
        max_value=MAX_COPIES,
        help_text=say("Bỏ trống: 2 bản.", "Empty: two."),
    )

    def __init__(
        self, report: SeizureReport, exhibits: list[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "exhibits", exhibits)
        for name, rows in (("persons", report.persons), ("vehicles", report.conveyances)):
            offer(self, name, [(mark, _called(mark, row)) for mark, row in sorted(standing(rows).items())])
            if not standing(rows):
                del self.fields[name]

    def said(self) -> dict[str, Any]:
        """Give what was filled in, as the action takes it."""
        values = {**self.cleaned_data, "witnesses": several(self.cleaned_data["witnesses"], "\n")}
        return {name: value for name, value in values.items() if value}


class ReceiptForm(forms.Form):
    """What was read on each exhibit; on paper also who signed."""

    receiver_name = _text(say("Họ tên người nhận", "Receiver's name"))
    receiver_badge = _text(say("Số hiệu người nhận", "Receiver's badge"), 20)
    document_number = _text(say("Số biên bản giấy", "Number of the paper record"), 60)
    place = _text(say("Địa điểm bàn giao", "Place of the hand-over"))
    condition = _text(say("Tình trạng bao gói khi nhận", "Condition on receipt"), 1000)
    witnesses = _lines(say("Người chứng kiến bàn giao", "Witnesses of the hand-over"))
    note = _text(say("Ghi chú, lý do từ chối", "Note, reason to refuse"), 1000)

    def __init__(self, hand_over: HandOver, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = sorted(hand_over.items.items(), key=lambda pair: int(pair[1]["number"]))
        if hand_over.kind == HandOver.Kind.INSIDE:
            for name in ("receiver_name", "receiver_badge", "document_number"):
                del self.fields[name]
        for pk, item in self.items:
            name = say(f"Tang vật {item['number']}: ", f"Exhibit {item['number']}: ")
            seals = say("số niêm phong đọc được", "seals as read")
            self.fields[f"seals_{pk}"] = _text(f"{name}{seals}", 400, _SEVERAL)
            mass = say("khối lượng cân lại (g)", "mass weighed again (g)")
            self.fields[f"mass_{pk}"] = _text(f"{name}{mass}", 20)
        last = ("place", "condition", "witnesses", "note")
        self.order_fields([*(name for name in self.fields if name not in last), *last])

    def said(self) -> dict[str, Any]:
        """Give what was filled in, as the action takes it."""
        data = self.cleaned_data
        readings = {
            pk: {"seals_read": several(data[f"seals_{pk}"]), "mass_read": point(data[f"mass_{pk}"]) or None}
            for pk, _ in self.items
        }
        paper = ("receiver_name", "receiver_badge", "document_number", "place", "condition", "note")
        witnesses = several(data["witnesses"], "\n")
        return {
            "items": readings,
            **{name: data[name] for name in paper if data.get(name)},
            **({"witnesses": witnesses} if witnesses else {}),
        }


class CountForm(forms.Form):
    """A count of a store."""

    found = forms.CharField(
        label=say("Số niêm phong hoặc số tang vật đọc được", "Seals or exhibit numbers as read"),
        widget=forms.Textarea(attrs={"rows": 6}),
        max_length=200_000,
        required=False,
        help_text=_BY_LINE,
    )
    witness = _text(say("Người cùng kiểm kê", "Second person"), required=True)
    note = _text(say("Ghi chú", "Note"), 1000)
