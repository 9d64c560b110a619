"""The printed record of a hand-over: for whom it was made and why is written down, with the hash of what was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import override

from apps.accounts.models import Handling, Officer
from apps.audit.actions import log, sign_head
from apps.audit.models import Head
from apps.audit.queries import latest_head
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.common.text import clean_text
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Stop
from apps.custody.paper import Sheet, Side, draw
from apps.custody.queries import HAND_OVER, text
from apps.inspections.actions.review import check_may_hand_out
from apps.organisation.queries import lines_of_command, names
from apps.reference.rules.vocabularies import words

_BANNERS = {Handling.RESTRICTED: "HẠN CHẾ"}


@dataclass(frozen=True)
class Printed:
    """The PDF, the name it should bear, and its SHA-256."""

    content: bytes
    name: str
    sha256: str


def print_hand_over(*, actor: Actor, offer_id: UUID, reason: str) -> Printed:
    """Make the record of a hand-over for signature, by who leads or reviews the unit of its seizure, for a reason.

    It bears the newest signed head of the ledger and the hash of each exhibit's newest step. Raises NotFound,
    NotReviewer, NoteRequired, SigningKeyMissing, LedgerBroken.
    """
    offer = HandOver.objects.visible_to(actor).select_related("report", "giver").filter(pk=offer_id).first()
    if offer is None:
        raise NotFound
    check_may_hand_out(actor, offer.report.unit_id, reason)
    reason = clean_text(reason)[:500]
    sign_head()
    with override("vi"):
        content = draw(_sheet(actor, offer, latest_head()))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        log(actor, "hand_over.printed", HAND_OVER, offer.pk, {"sha256": digest, "reason": reason})
    return Printed(content, f"{offer.number}.pdf", digest)


def _sheet(actor: Actor, offer: HandOver, head: Head | None) -> Sheet:
    now = timezone.localtime()
    exhibits = {str(e.pk): e for e in Exhibit.objects.filter(pk__in=list(offer.items))}
    items = sorted(offer.items.items(), key=lambda pair: int(pair[1]["number"]))
    told = [f"Tang vật {i['number']}: {_stops(i)}" for _, i in items if i.get("differs")]
    decided = CustodyEvent.objects.filter(hand_over=offer, kind="decided").select_related("officer")
    for event in decided:
        said = event.said["said"]
        verdict = "công nhận số liệu đọc được" if said["verdict"] == "as_read" else "giữ nguyên như trước"
        who = event.officer.full_name if event.officer else ""
        told.append(f"Tang vật {event.said['number']}: {who} quyết định {verdict}. {said['note']}")
    printer = (
        Officer.objects.filter(pk=actor.officer_id).values_list("badge_no", flat=True).first() or "hệ thống"
    )
    line = lines_of_command([offer.report.unit_id])[offer.report.unit_id]
    called = names(line)
    return Sheet(
        number=offer.number,
        authority=[called[unit].upper() for unit in reversed(line[:2]) if unit in called],
        place_and_day=f"Ngày {now.day:02} tháng {now.month:02} năm {now.year}",
        handling=_BANNERS.get(Handling(offer.report.handling), "LƯU HÀNH NỘI BỘ"),
        facts=_facts(offer),
        sides=_sides(offer),
        rows=[_row(item, exhibits[pk]) for pk, item in items if pk in exhibits],
        differences=told,
        witnesses=_sealing_witnesses(exhibits[pk] for pk, _ in items if pk in exhibits),
        signatures=(
            ("ĐẠI DIỆN BÊN GIAO", offer.giver.full_name),
            ("ĐẠI DIỆN BÊN NHẬN", offer.receiver_name),
            *_witness_places(offer),
        ),
        seal_of_ledger=_ledger(head, [exhibits[pk] for pk, _ in items if pk in exhibits]),
        qr=_qr(offer, head),
        copies=offer.copies or 2,
        foot=f"{offer.number} · in lúc {now:%d/%m/%Y %H:%M} bởi {printer} · {called.get(line[0], '')}",
    )


_ORDINALS = ("THỨ NHẤT", "THỨ HAI", "THỨ BA", "THỨ TƯ", "THỨ NĂM", "THỨ SÁU")


def _witness_places(offer: HandOver) -> list[tuple[str, str]]:
    """Give a place for each witness of the hand-over whom its steps name, and blank ones up to two."""
    named = list(dict.fromkeys(name for said in _said(offer) for name in said.get("witnesses", ())))
    named += [""] * (2 - len(named))
    return [
        (f"NGƯỜI CHỨNG KIẾN {_ORDINALS[place] if place < len(_ORDINALS) else f'THỨ {place + 1}'}", name)
        for place, name in enumerate(named)
    ]


def _said(offer: HandOver) -> list[dict[str, Any]]:
    """Give what was said at each step of the hand-over, the offer first."""
    return [event.said["said"] for event in CustodyEvent.objects.filter(hand_over=offer).order_by("at", "pk")]


def _sealing_witnesses(exhibits: Iterable[Exhibit]) -> list[str]:
    """Say who saw the seals put on that an exhibit bore last, as the step names them."""
    lines: dict[str, list[str]] = {}
    for exhibit in exhibits:
        steps = CustodyEvent.objects.filter(exhibit=exhibit, kind__in=("sealed", "resealed")).order_by("seq")
        last = steps.last()
        if last is None:
            continue
        said = last.said["said"]
        names_ = ", ".join(said.get("witnesses", ()))
        absent = " (vắng mặt đối tượng)" if said.get("is_subject_present") == "no" else ""
        label = "".join(
            f", {before}{text_}"
            for before, text_ in (
                ("nhãn có chữ ký của ", ", ".join(said.get("signers", ()))),
                ("dấu của ", said.get("stamp_of")),
                ("tình trạng: ", said.get("condition")),
            )
            if text_
        )
        at = f"{timezone.localtime(last.at):%H:%M ngày %d/%m/%Y}"
        lines.setdefault(f"niêm phong lúc {at}{absent}, người chứng kiến: {names_}{label}", []).append(
            str(exhibit.number)
        )
    return [f"Tang vật {', '.join(numbers)}: {words_}." for words_, numbers in lines.items()]


def _facts(offer: HandOver) -> list[tuple[str, str]]:
    fields = offer.report.fields
    said = _said(offer)
    place = next((one["place"] for one in reversed(said) if one.get("place")), "")
    condition = next((one["condition"] for one in reversed(said) if one.get("condition")), "")
    record = " ngày ".join(filter(None, (fields.get("record_doc_number"), _day(fields.get("record_doc_on")))))
    return [
        ("Báo cáo bắt giữ", str(offer.report.number)),
        ("Biên bản vụ việc", record),
        ("Căn cứ", offer.legal_basis),
        ("Hồ sơ, giấy tờ kèm theo", offer.documents),
        ("Người bàn giao kèm theo", _people(offer)),
        ("Phương tiện bàn giao kèm theo", _vehicles(offer)),
        ("Số biên bản giấy của bên nhận", offer.document_number),
        ("Địa điểm bàn giao", place),
        ("Tình trạng tang vật khi bàn giao", condition),
        ("Kết quả bàn giao", str(HandOver.State(offer.state).label)),
        ("Ghi chú", offer.note),
    ]


def _people(offer: HandOver) -> str:
    """Say who goes with the exhibits, as the report has them now: who prints this may read their names."""
    return "\n".join(
        _listed(mark, [row.get("full_name"), _born(row), row.get("nationality"), _paper(row)])
        for mark in offer.persons
        if (row := offer.report.persons.get(mark)) is not None
    )


def _born(row: Mapping[str, Any]) -> str:
    return f"sinh {row['birth_date']}" if row.get("birth_date") else ""


def _paper(row: Mapping[str, Any]) -> str:
    return f"giấy tờ số {row['document_number']}" if row.get("document_number") else ""


_VEHICLE = (
    *(("plate", "biển số"), ("plate_country", "nước đăng ký"), ("trailer", "rơ moóc"), ("vessel", "tàu")),
    *(("imo", "IMO"), ("voyage", "chuyến"), ("train", "tàu hỏa"), ("flight_no", "chuyến bay")),
)


def _vehicles(offer: HandOver) -> str:
    return "\n".join(
        _listed(mark, [f"{words_} {row[name]}" for name, words_ in _VEHICLE if row.get(name)])
        for mark in offer.vehicles
        if (row := offer.report.conveyances.get(mark)) is not None
    )


def _listed(mark: str, facts: Iterable[Any]) -> str:
    return f"({mark}) " + (", ".join(str(fact) for fact in facts if fact) or "chưa rõ")


def _day(text_: Any) -> str:
    return "/".join(reversed(str(text_).split("-"))) if text_ else ""


def _sides(offer: HandOver) -> list[Side]:
    giver = names([offer.giver_posting.unit_id]).get(offer.giver_posting.unit_id, "")
    posting = offer.receiver_posting
    receiver = names([posting.unit_id]).get(posting.unit_id, "") if posting else offer.receiver_office
    given, taken = (timezone.localtime(t) if t else None for t in (offer.offered_at, offer.answered_at))
    return [
        Side(
            "Bên giao",
            [
                ("Họ tên", f"{offer.giver.full_name} ({offer.giver.badge_no})"),
                ("Đơn vị", giver),
                ("Đề nghị lúc", f"{given:%H:%M ngày %d/%m/%Y}" if given else ""),
            ],
        ),
        Side(
            "Bên nhận",
            [
                (
                    "Họ tên",
                    offer.receiver_name + (f" ({offer.receiver_badge})" if offer.receiver_badge else ""),
                ),
                ("Đơn vị, cơ quan", receiver),
                ("Xác nhận lúc", f"{taken:%H:%M ngày %d/%m/%Y}" if taken else ""),
            ],
        ),
    ]


def _row(item: dict[str, Any], exhibit: Exhibit) -> list[str]:
    amounts = [
        f"tịnh {_grams(text(exhibit.net_mass_g))} g" if exhibit.net_mass_g is not None else "",
        f"{_grams(text(exhibit.volume_ml))} ml" if exhibit.volume_ml is not None else "",
        f"{exhibit.count} {words('count_unit', exhibit.count_unit)[0]}" if exhibit.count else "",
    ]
    shown = "".join(f", {one}" for one in amounts if one)
    read = "seals_read" in item
    return [
        str(item["number"]),
        f"{exhibit.description}{shown} (dòng {exhibit.mark})",
        ", ".join(item["seals"]),
        _grams(item["gross_mass_g"]),
        ", ".join(item.get("seals_read", ())),
        _grams(item.get("mass_read")),
        (_stops(item) or "Khớp") if read else "",
    ]


def _grams(value: str | None) -> str:
    whole, _, decimals = (value or "").partition(".")
    shown = f"{int(whole):,}".replace(",", ".") if whole else ""
    return ",".join(filter(None, (shown, decimals)))


def _stops(item: dict[str, Any]) -> str:
    return ", ".join(str(Stop(code).label) for code in item.get("differs", ()))


def _ledger(head: Head | None, exhibits: list[Exhibit]) -> list[str]:
    lines = [f"Tang vật {e.number}: bước {e.seq}, mã băm {e.head}" for e in exhibits]
    if head is None:
        return lines
    at = timezone.localtime(head.at)
    return [
        f"Đầu sổ cái {head.origin}: {head.size} sự kiện, ký lúc {at:%d/%m/%Y %H:%M:%S} bằng khóa {head.key_id}",
        f"Gốc: {bytes(head.root).hex()}",
        *lines,
        "Mã QR ghi số biên bản và đầu sổ. Người giữ biên bản này đối chiếu được rằng sổ cái không bị viết lại về sau.",
    ]


def _qr(offer: HandOver, head: Head | None) -> str:
    if head is None:
        return offer.number
    at = f"{head.at:%Y-%m-%dT%H:%M:%SZ}"
    return "|".join((offer.number, head.origin, str(head.size), bytes(head.root).hex(), at, head.key_id))
