"""What bytes are judged to be, and what a phone may declare."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import DomainError, InvalidFields
from apps.evidence import demo
from apps.evidence.errors import FileTooLarge, ImageTooComplex, ImageTooLarge, UnsupportedMedia
from apps.evidence.imaging import Imager
from apps.evidence.rules.claims import flags_of
from apps.evidence.rules.content import Facts, examine
from apps.evidence.rules.declarations import PURPOSES, judge
from apps.evidence.rules.manifests import position_of
from tests import evidence_images as images


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (images.jpeg(), "image/jpeg"),
        (images.noisy_jpeg(50_000), "image/jpeg"),
        (images.png(), "image/png"),
        (images.webp(), "image/webp"),
        (images.webp(lossless=True), "image/webp"),
    ],
)
def test_a_photo_is_known_by_its_structure(data: bytes, mime: str) -> None:
    facts = examine(data)
    assert facts.mime == mime
    assert facts.flags == ()
    assert facts.width
    assert facts.height


def test_the_size_in_pixels_is_read_without_decoding() -> None:
    for make in (images.jpeg, images.png, images.webp):
        facts = examine(make(123, 77))
        assert (facts.width, facts.height) == (123, 77)


def test_a_video_is_known() -> None:
    assert examine(images.mp4()) == Facts("video/mp4")


@pytest.mark.parametrize("make", [images.jpeg, images.png, images.webp])
def test_what_hangs_behind_a_photo_is_flagged_and_kept(make: object) -> None:
    assert examine(make() + b"<html>" * 3).flags == ("trailing-data",)  # type: ignore[operator]


@pytest.mark.parametrize("make", [images.jpeg, images.png, images.webp])
def test_a_photo_that_ends_early_is_flagged_and_kept(make: object) -> None:
    assert examine(make()[:-12]).flags == ("truncated",)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", UnsupportedMedia),
        (b"\xff\xd8\xff", UnsupportedMedia),
        (b"<html></html>", UnsupportedMedia),
        (b"PK\x03\x04" + b"\x00" * 40, UnsupportedMedia),
        (b"GIF89a" + b"\x00" * 40, UnsupportedMedia),
        (b"%PDF-1.7" + b"\x00" * 40, UnsupportedMedia),
        (b"\x89PNG\r\n\x1a\n", UnsupportedMedia),
        (images.heic(), UnsupportedMedia),
        (images.png_bomb(), ImageTooLarge),
        (images.jpeg_bomb(), ImageTooLarge),
        (images.segment_bomb(), ImageTooComplex),
    ],
)
def test_what_is_no_photo_or_would_blow_up_is_refused(data: bytes, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        examine(data)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF", b"\x00\x00\x00\x18ftypisom"]),
)
def test_no_bytes_break_the_reader(tail: bytes, head: bytes) -> None:
    for data in (head + tail, images.jpeg()[: len(tail)] + tail, b"RIFF\x00\x00\x00\x00WEBP" + tail):
        try:
            facts = examine(data)
        except DomainError:
            continue
        assert facts.mime


def declared(**changes: object) -> dict[str, object]:
    return {
        "owner_kind": "inspection",
        "owner_id": uuid4(),
        "sha256": "ab" * 32,
        "size": 10,
        "mime": "image/jpeg",
    } | changes


def test_a_good_declaration_is_taken() -> None:
    claim = judge(
        declared(sha256="AB" * 32, captured_on_device_at="2026-11-21T08:00:00+07:00", step_key="ảnh_1")
    )
    assert claim.sha256 == "ab" * 32
    assert claim.captured_on_device_at == datetime(2026, 11, 21, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "xy" * 32),
        ("sha256", "ab" * 31),
        ("sha256", None),
        ("sha256", ["ab" * 32]),
        ("size", 0),
        ("size", -1),
        ("size", True),
        ("size", 1.5),
        ("size", "10"),
        ("mime", 7),
        ("mime", "image/jpeg\x00"),
        ("step_key", "x" * 81),
        ("step_key", "a\x00b"),
        ("step_key", "a\ud800"),
        ("step_key", "a\u202eb"),
        ("purpose", "selfie"),
        ("capture_mode", "stolen"),
        ("owner_kind", "Inspection; DROP"),
        ("owner_id", "no-uuid"),
        ("captured_on_device_at", "yesterday"),
        ("captured_on_device_at", "2026-11-21T08:00:00"),
        ("captured_on_device_at", "0001-01-01T00:00:00+14:00"),
        ("captured_on_device_at", 17),
        ("manifest", "{\x00}"),
        ("manifest", "x" * 70_000),
        ("signature", "s" * 500),
    ],
)
def test_each_fault_is_told_by_its_place(field: str, value: object) -> None:
    with pytest.raises(InvalidFields) as caught:
        judge(declared(**{field: value}))
    name = {"owner_id": "report", "step_key": "step"}.get(field, field)
    assert [fault.pointer for fault in caught.value.errors] == [f"/fields/{name}"]


@pytest.mark.parametrize("mime", ["image/heic", "image/gif", "application/pdf", "text/html"])
def test_other_types_are_refused(mime: str) -> None:
    with pytest.raises(UnsupportedMedia):
        judge(declared(mime=mime))


@pytest.mark.parametrize(("mime", "size"), [("image/jpeg", 25 * 2**20), ("video/mp4", 500 * 2**20)])
def test_each_kind_has_its_limit(mime: str, size: int) -> None:
    assert judge(declared(mime=mime, size=size)).size == size
    with pytest.raises(FileTooLarge):
        judge(declared(mime=mime, size=size + 1))
    with pytest.raises(FileTooLarge):
        judge(declared(mime=mime, size=10**40))


@pytest.mark.parametrize(
    ("taken", "offset", "flagged"),
    [
        ("2026:11:21 15:00:00", "+07:00", False),
        ("2026:11:21 15:09:00", "+07:00", False),
        ("2026:11:21 15:11:00", "+07:00", True),
        ("2026:11:21 15:00:00", "+00:00", True),
        ("2026:11:21 15:00:00", None, False),
        ("2026:11:20 15:00:00", None, True),
        ("2026:13:45 15:00:00", "+07:00", False),
        ("nonsense", None, False),
        (None, None, False),
    ],
)
def test_times_that_cannot_agree_are_flagged(taken: str | None, offset: str | None, flagged: bool) -> None:
    told = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert bool(flags_of({"taken": taken, "offset": offset}, told)) is flagged


def test_without_a_device_time_nothing_is_compared() -> None:
    assert flags_of({"taken": "2026:11:21 15:00:00"}, None) == ()


@pytest.mark.parametrize(
    ("place", "position", "flagged"),
    [
        ((21.22, 105.81), (21.22, 105.81, 12), False),
        ((21.22, 105.81), (21.235, 105.81, 12), False),
        ((21.22, 105.81), (21.24, 105.81, 12), True),
        ((21.22, 105.81), (21.24, 105.81, 500), False),
        ((21.22, 105.81), (10.82, 106.66, 12), True),
        ((0.0, 180.0), (0.0, -180.0, 5), False),
        ((90.0, 0.0), (-90.0, 0.0, 5), True),
        ((21.22, 105.81), None, False),
        (None, (21.22, 105.81, 12), False),
    ],
)
def test_places_that_cannot_agree_are_flagged(
    place: tuple[float, float] | None, position: tuple[float, float, float] | None, flagged: bool
) -> None:
    claims = {"position": dict(zip(("latitude", "longitude"), place, strict=True))} if place else {}
    assert flags_of(claims, None, position) == (("exif-place-differs",) if flagged else ())


@pytest.mark.parametrize(
    ("said", "position"),
    [
        ({"latitude": 21.2, "longitude": 105.8, "accuracy_m": 12}, (21.2, 105.8, 12.0)),
        ({"latitude": 21.2, "longitude": 105.8}, None),
        ({"latitude": True, "longitude": 105.8, "accuracy_m": 12}, None),
        ({"latitude": 1e400, "longitude": 105.8, "accuracy_m": 12}, None),
        ({"latitude": 10**400, "longitude": 105.8, "accuracy_m": 12}, None),
        ({"latitude": 21.2, "longitude": 105.8, "accuracy_m": 10**400}, None),
        ({"latitude": 21.2, "longitude": 105.8, "accuracy_m": -1}, None),
        ({"latitude": 91, "longitude": 105.8, "accuracy_m": 12}, None),
        ([21.2, 105.8], None),
        (None, None),
    ],
)
def test_a_position_is_read_of_a_manifest_when_it_is_sound(said: object, position: object) -> None:
    assert position_of(json.dumps({"position": said}).encode()) == position


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"{"])
def test_a_manifest_that_is_none_says_no_position(raw: bytes) -> None:
    assert position_of(raw) is None


@pytest.mark.parametrize("scene", demo.SCENES)
def test_a_drawn_photo_is_the_same_each_time_and_a_good_one(scene: str) -> None:
    taken = datetime(2026, 11, 21, 14, 41, 10, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    photo = demo.draw_photo(scene, 7, taken=taken, place=(21.22, 105.81))
    assert photo == demo.draw_photo(scene, 7, taken=taken, place=(21.22, 105.81))
    assert photo != demo.draw_photo(scene, 8, taken=taken, place=(21.22, 105.81))
    assert 40_000 < len(photo) < 120_000
    assert examine(photo) == Facts("image/jpeg", 1280, 960)
    with Imager() as imager:
        look = imager.look(photo)
    assert look.claims == {
        "make": "Hai Dang",
        "model": "Simulated camera 1",
        "taken": "2026:11:21 14:41:10",
        "offset": "+07:00",
        "position": {"latitude": 21.22, "longitude": 105.81},
    }
    assert flags_of(look.claims, taken) == ()


def test_each_purpose_has_a_scene() -> None:
    for purpose in PURPOSES:
        assert {demo.scene_of(purpose, n) for n in range(3)} <= set(demo.SCENES)
