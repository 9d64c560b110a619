"""Filling in a checklist as an officer would: how a quiet, a doubtful and a telling inspection look, step by step.

The checker of the version itself says what is still missing, so a changed checklist is filled in as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.demo_data.checklists import Edition
from backend.demo_data.profiles import AIRWAY_PREFIX
from backend.demo_data.simulation import Simulation
from backend.demo_data.words import KEPT_ELSEWHERE, NOT_APPLICABLE, UNAVAILABLE

QUIET, DOUBT, FIND = "quiet", "doubt", "find"
MOODS = (QUIET, DOUBT, FIND)
# What a step says in each mood; a list is a choice between whole answers, each as likely as it is often there.
Said = tuple[Sequence[Any], Sequence[Any], Sequence[Any]]
STORIES: Mapping[str, Said] = {
    "ownership_answers": (
        (["owns_all", "packed_self"], ["owns_all"], ["owns_all", "packed_self"]),
        (["packed_by_other"], ["owns_all", "evasive"]),
        (["carries_for_other", "evasive"], ["packed_by_other", "evasive"]),
    ),
    "xray_hand": (("clear",), ("clear", "unclear", "organic_mass"), ("clear", "organic_mass")),
    "xray_checked": (("clear",), ("unclear", "organic_mass"), ("hidden_layer", "organic_mass")),
    "canine_pass": (("no_reaction",), ("interest", "no_reaction"), ("indication",)),
    "bag_structure": (
        (["nothing"],),
        (["odour"], ["fresh_glue"], ["nothing"]),
        (["thick_base", "fresh_glue"],),
    ),
    "contents_check": (
        (["nothing"],),
        (["food"], ["cosmetics"], ["nothing"]),
        (["electronics"], ["footwear"]),
    ),
    "opened_before_passenger": ((False,), (True,), (True,)),
    "opened_in_presence": ((False,), (True,), (True,)),
    "rapid_test": (("swab_negative",), ("swab_negative",), ("test_positive", "swab_positive")),
    "party_check": (("no_match",) * 20 + ("new_party",), ("possible", "new_party"), ("possible", "match")),
    "inner_packaging": ((["nothing"],), (["repacked"], ["nothing"]), (["double_wall"], ["impregnated"])),
    "field_test": (("negative",), ("negative", "inconclusive"), ("positive",)),
    "declaration_review": (
        (["normal"],) * 9 + (["low_value"],),
        (["vague_goods"], ["low_value", "vague_goods"], ["new_consignee"]),
        (["low_value", "freight_over_value"], ["vague_goods", "new_consignee"]),
    ),
    "repeat_contact": (("no",), ("phone", "address"), ("both", "phone")),
    "reasons_to_open": ((["none"],) * 49 + (["random"],), (["xray"], ["declaration"]), (["xray", "canine"],)),
    "sealed_tins": (("normal",), ("normal", "mass_differs"), ("mass_differs", "reclosed")),
    "low_value_pet_food": (("not_such", "normal"), ("normal",), ("suspicious",)),
    "trace_swab": (("negative",), ("negative",), ("positive",)),
    "positive_response": tuple([(["stopped", "access_limited", "flash_sent", "no_contact"],)] * 3),  # type: ignore[dict-item]
    "seal_condition": ((["intact"],), (["rivets_new"], ["intact"]), (["glued", "rivets_new"],)),
    "crew_papers": ((["in_order"],), (["frequent_crossing"], ["mismatch"]), (["frequent_crossing"],)),
    "ownerless_goods": (("none",), ("none", "present"), ("present",)),
    "protection_on": tuple([(["gloves", "mask", "goggles"], ["gloves", "mask"])] * 3),  # type: ignore[dict-item]
    "persons_separated": tuple([("separated", "no_person")] * 3),  # type: ignore[dict-item]
    "police_called": tuple([("police", "border_guard")] * 3),  # type: ignore[dict-item]
    "documents_given": tuple([(["seizure_record", "sealing_record", "custody_log", "photos"],)] * 3),  # type: ignore[dict-item]
    "dog_health": ((["fit"],), (["tired"],), (["fit"],)),
}
_BASIS = {
    "declared": "declared",
    "targeted": "targeted",
    "suspicion_observed": "observed",
    "alert_hit": "alert",
}
_DISPOSITION = {"finding": "detained", "referred": "referred", "suspicion_open": "referred"}
_AMOUNTS: Mapping[str, tuple[float, float]] = {
    "checked_mass": (6, 31),
    "weighed_mass": (4, 900),
    "inside_length": (5890, 12040),
    "scale_deviation": (-0.08, 0.08),
    "dog_mass": (22, 38),
    "ambient_temp": (17, 37),
    "gross_mass": (180, 5400),
    "rows_sampled": (2, 8),
    "test_kits": (6, 60),
    "work_minutes": (15, 40),
    "items_worked": (8, 120),
    "witness_count": (1, 2),
    "package_count": (1, 12),
    "exhibit_count": (1, 6),
    "unclaimed_bags": (0, 2),
}


@dataclass
class Filled:
    """The answers of one report and how many photos each step needs."""

    answers: dict[str, Any] = field(default_factory=dict)
    photos: dict[str, int] = field(default_factory=dict)


class Filler:
    """Fills in one edition for one inspection."""

    def __init__(
        self, story: Simulation, edition: Edition, header: Mapping[str, Any], mood: str, signer: str
    ) -> None:
        self.story, self.edition, self.header, self.mood, self.signer = story, edition, header, mood, signer
        points = [k for k, s in edition.steps.items() if {"suspicious", "altered"} <= _options(s)]
        # In a telling inspection one of the points to look at is not as it should be.
        self.odd = story.one_of(points) if points and mood != QUIET else ""
        self.done = Filled()

    def fill(self, *, thoroughness: float = 0.35) -> Filled:
        """Answer what is required and some of what is not, then whatever the checker still asks for."""
        for key, step in self.edition.steps.items():
            if step.get("required") and "visible_if" not in step and step["kind"] != "photo":
                self._answer(key)
        done = self.done
        for key in self.edition.compiled.visible_steps(done.answers, self.header, done.photos):
            step = self.edition.steps[key]
            optional = (
                key not in done.answers and step["kind"] not in {"photo", "sign"} and not step.get("photos")
            )
            if optional and self.story.often(thoroughness):
                self._answer(key)
        self._complete()
        return done

    def _complete(self) -> None:
        for _ in range(12):
            found = self.edition.compiled.check(self.done.answers, self.header, self.done.photos, final=True)
            faults = [f for f in found if not f.is_warning]
            if not faults:
                return
            for fault in faults:
                _, part, key = fault.pointer.split("/")[:3]
                if part == "photos" and self.edition.steps[key]["kind"] != "photo":
                    self.done.photos[key] = max(1, self.edition.steps[key]["photos"]["min"])
                elif fault.code in {"required", "photos-missing"}:
                    self._answer(key)
                else:
                    raise AssertionError(f"the demo answered {key} wrongly: {fault.code}")
        raise AssertionError("the demo could not fill in the checklist")

    def _answer(self, key: str) -> None:
        step = self.edition.steps[key]
        if step.get("allow_na") and self._does_not_apply(step):
            reason = KEPT_ELSEWHERE if step["kind"] == "photo" else self.story.one_of(NOT_APPLICABLE)
            self.done.answers[key] = {"na": True, "reason": reason}
        elif step["kind"] == "photo":
            self.done.photos[key] = step["photos"]["min"]
        elif self.mood == QUIET and step["kind"] == "choice" and "xray" in key and self.story.often(0.012):
            self.done.answers[key] = {"unavailable": True, "reason": self.story.one_of(UNAVAILABLE)}
        else:
            self.done.answers[key] = {"value": self._value(key, step)}

    def _does_not_apply(self, step: Mapping[str, Any]) -> bool:
        """A seal that was not opened, an image that the scanner keeps: left out with the reason."""
        if step["kind"] in {"scan", "photo"} and step.get("photos"):
            return self.story.often(0.96 if self.mood == QUIET else 0.75)
        return self.mood == QUIET and self.story.often(0.06)

    def _value(self, key: str, step: Mapping[str, Any]) -> Any:
        if key == "selection_basis":
            return _BASIS.get(self.header["selection_reason"], "random")
        if key == "disposition":
            return _DISPOSITION.get(self.header["outcome"], "released")
        if key == "xray_image":
            return self._image(step)
        if key == self.odd:
            return "altered" if self.mood == FIND else "suspicious"
        said = STORIES.get(key)
        if said and _fits(said[MOODS.index(self.mood)], step):
            return self.story.one_of(said[MOODS.index(self.mood)])
        return _BY_KIND[step["kind"]](self, key, step)

    def _image(self, step: Mapping[str, Any]) -> str:
        """Name the X-ray image: the first option is the one without a question."""
        values = [option["value"] for option in step["options"]]
        return str({QUIET: values[0], DOUBT: values[1], FIND: values[-1]}[self.mood])

    def _text(self, key: str, step: Mapping[str, Any]) -> str:
        digits = self.story.digits
        texts = {
            "plate_no": f"{self.header['transport'].get('plate', '')} (VN)".strip(),
            "search_decision_no": f"{digits(3)}/QĐ-KNCGTHC",
            "test_kit_expiry": f"{self.story.now.year + 1}-0{1 + int(digits(1)) % 9}-28",
            "legal_basis": f"Công văn số {digits(3)}/CV-PC04 và Quyết định chuyển giao {digits(2)}/QĐ-CG",
            "scene_frozen_note": "Phát hiện tại bàn kiểm tra, có mặt hai công chức và đại diện đơn vị khai thác; "
            "khu vực đã căng dây, camera số 4 ghi hình liên tục.",
            "handover_plan": "Niêm phong, lưu kho tang vật của đơn vị; bàn giao cơ quan điều tra trong 24 giờ.",
            "fault_text": "Màn hình chập chờn, đã dùng máy dự phòng và báo kỹ thuật.",
            "mass_difference_reason": "Chênh do bao bì hút ẩm, hai bên đã cân lại và thống nhất.",
            "stop_decision": f"Quyết định số {digits(2)}/QĐ-TG",
        }
        return texts.get(key, "Đã kiểm tra, ghi nhận tại biên bản.")[: step.get("max_length") or 4000]

    def _scan(self, key: str, step: Mapping[str, Any]) -> dict[str, str]:
        raw = self.header["goods"].get("number") if key in {"parcel_no", "awb_scan", "container_no"} else None
        if raw is None:
            raw = {
                "passport_scan": "P<UTO" + "DEMO<<PASSENGER<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
                "dog_tag": f"K9-{self.story.digits(3)}",
                "equipment_tag": f"TB-{self.story.digits(5)}",
            }.get(key, f"HQ{self.story.digits(7)}")
        return {"raw": raw, "symbology": (step.get("symbology") or ["code_128"])[0]}

    def _amount(self, key: str, step: Mapping[str, Any]) -> str | int:
        low, high = _AMOUNTS.get(key, (0, 10))
        if key == "gross_mass_now" and "gross_mass_before" in self.done.answers:
            return self.done.answers["gross_mass_before"]["value"]  # type: ignore[no-any-return]
        value = low + (high - low) * self.story.dice.random()
        decimals = step.get("decimals") or 0
        return f"{value:.{decimals}f}" if decimals else round(value)


def _options(step: Mapping[str, Any]) -> set[str]:
    return {option["value"] for option in step.get("options") or ()}


def _fits(said: Sequence[Any], step: Mapping[str, Any]) -> bool:
    options = _options(step)
    if step["kind"] == "bool":
        return all(isinstance(one, bool) for one in said)
    return all(set(one if isinstance(one, list) else [one]) <= options for one in said)


def _first(_filler: Filler, _key: str, step: Mapping[str, Any]) -> str:
    return str(step["options"][0]["value"])


_BY_KIND: Mapping[str, Callable[[Filler, str, Mapping[str, Any]], Any]] = {
    "bool": lambda _filler, _key, _step: True,
    "choice": _first,
    "multi": lambda filler, key, step: [_first(filler, key, step)],
    "number": Filler._amount,  # noqa: SLF001  this table belongs to the class
    "measure": Filler._amount,  # noqa: SLF001  likewise
    "text": Filler._text,  # noqa: SLF001  likewise
    "scan": Filler._scan,  # noqa: SLF001  likewise
    "sign": lambda filler, _key, _step: {"name": filler.signer},
}


def s10(story: Simulation) -> str:
    """Make a postal item number with a right check digit (UPU S10)."""
    digits = story.digits(8)
    rest = 11 - sum(int(d) * w for d, w in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return f"EE{digits}{ {10: 0, 11: 5}.get(rest, rest) }VN"


def airway_bill(story: Simulation) -> str:
    """Make an air waybill number whose last digit is the serial modulo 7."""
    serial = story.digits(7)
    return f"{story.one_of(AIRWAY_PREFIX)}-{serial}{int(serial) % 7}"


def container_no(story: Simulation) -> str:
    """Make a container number of the invented owner TSTU with a right check digit (ISO 6346)."""
    body = f"TSTU{story.digits(6)}"
    letters = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))
    total = sum((int(c) if c.isdigit() else letters[c]) * 2**i for i, c in enumerate(body))
    return f"{body}{total % 11 % 10}"
