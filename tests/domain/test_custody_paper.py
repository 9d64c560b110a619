"""The printed record: its letters, header, list, differences, ledger; who may have it; what breaks a layout."""

from __future__ import annotations

import hashlib
import unicodedata
from io import BytesIO
from typing import Any

import orjson
import pytest
from pypdf import PdfReader

from apps.audit.models import Event
from apps.audit.queries import latest_head
from apps.common.errors import InvalidFields, NotFound
from apps.common.text import MAX_TEXT
from apps.custody import actions
from apps.custody.actions.printing import Printed
from apps.custody.queries import hand_over_body, hand_over_bytes
from apps.inspections.errors import NoteRequired, NotReviewer
from tests.cast import Cast, Member
from tests.holding import Holding


@pytest.fixture(autouse=True)
def _own_keys(settings: Any, tmp_path: Any) -> None:
    """A signing key of this test."""
    settings.KEYS_DIR = tmp_path / "keys"


def printed(by: Member, offer: Any, reason: str = "Ký bàn giao") -> Printed:
    return actions.print_hand_over(actor=by.actor(), offer_id=offer.pk, reason=reason)


def read(done: Printed) -> str:
    """Give the words of all pages on one line."""
    pages = PdfReader(BytesIO(done.content)).pages
    return unicodedata.normalize("NFC", " ".join(" ".join(page.extract_text().split()) for page in pages))


def test_what_stands_on_the_paper(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(
        exhibit, legal_basis="Điều 33 Bộ luật Tố tụng hình sự", documents="Biên bản niêm phong"
    )
    done = printed(cast.leader, offer)
    words = read(done)
    head = latest_head()
    assert head is not None
    for expected in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập – Tự do – Hạnh phúc",
        "BIÊN BẢN BÀN GIAO TANG VẬT, VẬT CHỨNG",
        "LƯU HÀNH NỘI BỘ",
        f"Số: {offer.number}",
        str(exhibit.report.number),
        "12/BB-HC ngày 20/08/2024",
        "Điều 33 Bộ luật Tố tụng hình sự",
        "Nguyễn Văn An",
        "Lý Văn Phúc",
        "NP-000123",
        "1.250",
        "Không có.",
        "ĐẠI DIỆN BÊN NHẬN",
        "NGƯỜI CHỨNG KIẾN THỨ HAI",
        bytes(head.root).hex(),
        exhibit.events.latest("seq").hash,
        "Trang 1/",
    ):
        assert expected in words, expected
    assert "Người Thử Một" not in words
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in PdfReader(BytesIO(done.content)).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert all("SourceSerifPro" in name for name in fonts if "Helvetica" not in name), fonts


def test_the_witnesses_whom_the_steps_name_stand_at_their_places(holding: Holding, cast: Cast) -> None:
    absent: dict[str, Any] = {"is_subject_present": "no", "witnesses": ["Trần Thị Thấy", "Lê Văn Biết"]}
    offer = holding.offer(holding.sealed(**absent), witnesses=["Đỗ Văn Chứng"], place="Phòng bàn giao số 1")
    words = read(printed(cast.leader, offer))
    assert "người chứng kiến: Trần Thị Thấy, Lê Văn Biết" in words
    assert "(vắng mặt đối tượng)" in words
    assert words.index("NGƯỜI CHỨNG KIẾN THỨ NHẤT") < words.index("Đỗ Văn Chứng")
    assert "Địa điểm bàn giao: Phòng bàn giao số 1" in words
    more = ["Đỗ Văn Chứng", "Hà Thị Kiến", "Vũ Văn Ba"]
    holding.accept(offer, witnesses=more, condition="Bao gói nguyên vẹn")
    words = read(printed(cast.leader, offer))
    assert all(name in words for name in more)
    assert words.count("Đỗ Văn Chứng") == 1
    assert "NGƯỜI CHỨNG KIẾN THỨ BA" in words
    assert "Bao gói nguyên vẹn" in words


def test_who_signed_the_label_and_whose_stamp_it_bears(holding: Holding, cast: Cast) -> None:
    label: dict[str, Any] = {
        "signers": ["HQ-A", "Ngô Thị Chủ Hàng"],
        "stamp_of": "Hải quan Nội Bài",
        "condition": "Túi nguyên vẹn",
    }
    exhibit = holding.sealed(**label)
    words = read(printed(cast.leader, holding.offer(exhibit)))
    assert (
        "nhãn có chữ ký của HQ-A, Ngô Thị Chủ Hàng, dấu của Hải quan Nội Bài, tình trạng: Túi nguyên vẹn"
        in words
    )
    page = cast.leader.console().get(f"/console/exhibits/{exhibit.pk}/").content.decode()
    for said in ("HQ-A, Ngô Thị Chủ Hàng", "Hải quan Nội Bài", "Túi nguyên vẹn"):
        assert said in page


GOING: dict[str, Any] = {
    "persons": {
        "1": {"full_name": "Người Thử Một", "birth_date": "1990", "document_number": "C1234567"},
        "2": {"full_name": "Người Thử Hai", "removed": "Ghi nhầm"},
    },
    "conveyances": {"1": {"plate": "29A-123.45", "plate_country": "VN"}},
}


def test_people_vehicles_and_copies_stand_on_the_paper_and_only_there(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed(holding.recorded(holding.seizing.submitted(**GOING)))
    offer = holding.offer(exhibit, persons=["1"], vehicles=["1"], copies=4)
    words = read(printed(cast.leader, offer))
    for expected in ("Người Thử Một, sinh 1990", "giấy tờ số C1234567", "biển số 29A-123.45", "04 bản"):
        assert expected in words, expected
    page = cast.custodian.console().get(f"/console/hand-overs/{offer.pk}/").content.decode()
    assert "Đối tượng 1 của báo cáo" in page
    assert "Người Thử" not in page
    assert "Người Thử" not in str(hand_over_body(offer)), "the receiver's phone learns no name"
    plain = read(
        printed(cast.leader, holding.offer(holding.sealed(holding.recorded(exhibit.report), "NP-9")))
    )
    assert "02 bản" in plain
    assert "kèm theo" not in plain


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"persons": ["2"]}, "persons"),
        ({"persons": ["1", "7"]}, "persons"),
        ({"vehicles": ["2"]}, "vehicles"),
        ({"vehicles": "1"}, "vehicles"),
        ({"copies": 0}, "copies"),
        ({"copies": 21}, "copies"),
    ],
)
def test_only_what_the_report_names_is_handed_over_with_it(
    holding: Holding, said: dict[str, Any], wrong: str
) -> None:
    exhibit = holding.sealed(holding.recorded(holding.seizing.submitted(**GOING)))
    with pytest.raises(InvalidFields) as refusal:
        holding.offer(exhibit, **said)
    assert {fault.pointer for fault in refusal.value.errors} == {f"/fields/{wrong}"}


def test_the_hash_of_an_old_hand_over_stays(holding: Holding) -> None:
    """What nobody said when it was made is not among what is hashed."""
    told = orjson.loads(hand_over_bytes(holding.offer(holding.sealed())))
    assert told.keys().isdisjoint({"persons", "vehicles", "copies"})


def test_it_is_written_down_with_its_hash(holding: Holding, cast: Cast) -> None:
    done = printed(cast.hq_reviewer, holding.offer(holding.sealed()))
    told = Event.objects.get(action="hand_over.printed").data
    assert told == {"sha256": hashlib.sha256(done.content).hexdigest(), "reason": "Ký bàn giao"}
    assert done.name.startswith("BG-")


def test_who_may_have_it(holding: Holding, cast: Cast) -> None:
    offer = holding.offer(holding.sealed())
    for member in (cast.custodian, cast.officer, cast.hq_analyst):
        with pytest.raises(NotReviewer):
            printed(member, offer)
    for member in (cast.outsider, cast.other_leader, cast.neighbour):
        with pytest.raises(NotFound):
            printed(member, offer)
    with pytest.raises(NoteRequired):
        printed(cast.leader, offer, " ")
    assert not Event.objects.filter(action="hand_over.printed").exists()


def test_differences_and_what_a_leader_said_of_them(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(exhibit)
    holding.accept(offer, {exhibit.pk: (["NP-000999"], "1250")})
    words = read(printed(cast.leader, offer))
    assert "Tang vật 1: Sai niêm phong" in words
    assert "NP-000999" in words
    actions.decide_discrepancy(
        actor=cast.leader.actor(), exhibit_id=exhibit.pk, base_rev=None, verdict="stay", note="Đọc nhầm số"
    )
    assert "Phạm Thị Dung quyết định giữ nguyên như trước. Đọc nhầm số" in read(printed(cast.leader, offer))


def test_marks_of_other_languages_and_endless_words_break_nothing(holding: Holding, cast: Cast) -> None:
    report = holding.seizing.submitted()
    wild = ("<b>&amp;</para> {x} %s " + "W" * 300 + " 金 " + "ữ" * 600)[:1000]
    exhibits = [
        holding.sealed(holding.recorded(report, description=wild), f"NP-{number:04}-" + "8" * 50)
        for number in range(30)
    ]
    offer = holding.offer(*exhibits, documents="<i>" * 300)
    many = [f"<{n}>" + "9" * 55 for n in range(60)]
    holding.accept(offer, {exhibits[0].pk: (many, "1")}, note=("Ghi chú <br> " * MAX_TEXT)[:1000])
    words = read(printed(cast.leader, offer))
    assert "<b>&amp;</para> {x} %s" in words
    assert "<59>" in words.replace(" ", "")
