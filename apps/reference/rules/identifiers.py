"""Numbers that carry a check: containers, air waybills, postal items, passports, tax codes, ships, plates and more.

A number that fails its check is kept and shown with that fact, never refused: forged numbers are evidence. `yes` says
that the number is well formed, not that the thing is genuine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import airportsdata
import pycountry
import stdnum.casrn
import stdnum.imei
import stdnum.imo
import stdnum.iso6346
import stdnum.vn.mst

Validity = Literal["yes", "no", "unknown"]
MAX_RAW = 120


@dataclass(frozen=True)
class Identifier:
    """A number as it was written, in the spelling under which it is compared, and whether its check holds."""

    raw: str
    normalised: str
    valid: Validity


def identify(kind: str, raw: str) -> Identifier:
    """Read a number of a kind (`KINDS`); of a kind without a rule nobody knows whether it is valid."""
    text = raw.strip()[:MAX_RAW]
    plain = re.sub(r"[\s.\-/]", "", text).upper()[:MAX_RAW]  # capitals of some letters are several
    rule = _RULES.get(kind)
    if rule is None or not plain:
        return Identifier(text, plain, "unknown")
    verdict = rule(plain)
    return Identifier(text, plain, "unknown" if verdict is None else "yes" if verdict else "no")


def is_container(text: str) -> bool:
    """ISO 6346 (freight containers): owner code, one of U J Z R, six digits and their check, ASCII alone."""
    shaped = re.fullmatch(r"[A-Z]{3}[UJZR][0-9]{7}", text)
    return bool(shaped) and bool(stdnum.iso6346.is_valid(text))


def is_air_waybill(text: str) -> bool:
    """IATA: prefix of the airline, seven digits, and their remainder by 7."""
    return bool(re.fullmatch(r"[0-9]{11}", text)) and int(text[3:10]) % 7 == int(text[10])


def is_postal_item(text: str) -> bool:
    """UPU S10: service, eight digits with weights 8 6 4 2 3 5 9 7, check digit, country."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{9}[A-Z]{2}", text):
        return False
    left = 11 - sum(int(d) * w for d, w in zip(text[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: 0, 11: 5}.get(left, left) == int(text[10])


def mrz_digit(text: str) -> int:
    """Give the check digit of a field of a machine-readable zone (ICAO 9303): weights 7 3 1, A = 10, `<` = 0."""
    return sum(int(c, 36) * (7, 3, 1)[i % 3] if c != "<" else 0 for i, c in enumerate(text)) % 10


def is_passport_zone(text: str) -> bool:
    """ICAO 9303, TD3: two lines of 44 with five check digits in the second."""
    if not re.fullmatch(r"P[A-Z<][A-Z<]{42}[A-Z0-9<]{44}", text):
        return False
    line = text[44:]
    parts = {9: line[:9], 19: line[13:19], 27: line[21:27], 43: line[:10] + line[13:20] + line[21:43]}
    sound = all(line[at] == str(mrz_digit(part)) for at, part in parts.items())
    personal = line[42] == str(mrz_digit(line[28:42])) or (line[42] == "<" and not line[28:42].strip("<"))
    return sound and personal


def is_citizen_number(text: str) -> bool | None:
    """Vietnamese identity cards: twelve digits (nine in the old form), without any check digit."""
    return None if re.fullmatch(r"[0-9]{12}|[0-9]{9}", text) else False


def is_tax_code(text: str) -> bool | None:
    """Vietnamese tax codes of ten or thirteen digits; twelve are a person's own number, which has no check."""
    if re.fullmatch(r"[0-9]{12}", text):
        return None
    return bool(re.fullmatch(r"[0-9]{10}([0-9]{3})?", text)) and bool(stdnum.vn.mst.is_valid(text))


def is_vietnamese_plate(text: str) -> bool | None:
    """Vietnamese civil plates and trailers; the other series (diplomatic, army, foreign) have no rule here."""
    civil = re.fullmatch(r"[1-9][0-9][ABCDEFGHKLMNPSTUVXYZĐR][A-Z0-9]?[0-9]{4,5}", text)
    return True if civil else None


def is_flight(text: str) -> bool:
    """A flight number: airline of two or three characters, up to four digits, an optional letter."""
    return bool(re.fullmatch(r"[A-Z0-9]{2}[A-Z]?[0-9]{1,4}[A-Z]?", text))


def is_declaration(text: str) -> bool:
    """A customs declaration (VNACCS): twelve digits, the last of which counts amendments."""
    return bool(re.fullmatch(r"[0-9]{12}", text))


def is_hs_code(text: str) -> bool:
    """A tariff code: six digits, or eight with the regional ones."""
    return bool(re.fullmatch(r"[0-9]{6}([0-9]{2})?", text))


def is_phone(text: str) -> bool | None:
    """A telephone number by its length; whether it is in use nobody can tell."""
    return None if re.fullmatch(r"\+?[0-9]{7,15}", text) else False


def is_ship(text: str) -> bool:
    """The IMO number of a ship."""
    return bool(stdnum.imo.is_valid(text.removeprefix("IMO")))


def is_country(text: str) -> bool:
    """A country of ISO 3166-1 (two letters), or UNK: asked, and not known."""
    return text == "UNK" or (len(text) == 2 and pycountry.countries.get(alpha_2=text) is not None)


def is_airport(text: str) -> bool:
    """An airport by its code of three letters (IATA)."""
    return text in _airports()


def is_locode(text: str) -> bool | None:
    """A place by UN/LOCODE: a country and three characters; there is no list of all of them here."""
    return None if re.fullmatch(r"[A-Z]{2}[A-Z2-9]{3}", text) and is_country(text[:2]) else False


@lru_cache(maxsize=1)
def _airports() -> frozenset[str]:
    return frozenset(airportsdata.load("IATA"))


_RULES: Mapping[str, Callable[[str], bool | None]] = {
    "container_no": is_container,
    "mawb": is_air_waybill,
    "s10": is_postal_item,
    "mrz": is_passport_zone,
    "citizen_no": is_citizen_number,
    "tax_code": is_tax_code,
    "plate": is_vietnamese_plate,
    "flight_no": is_flight,
    "declaration_no": is_declaration,
    "hs_code": is_hs_code,
    "phone": is_phone,
    "imo": is_ship,
    "imei": lambda text: bool(stdnum.imei.is_valid(text)),
    "cas": lambda text: bool(stdnum.casrn.is_valid(_with_dashes(text))),
    "country": is_country,
    "airport": is_airport,
    "locode": is_locode,
}
# Kinds that phones may name; those without a rule are kept as written.
KINDS = (*_RULES, "hawb", "courier_no", "bl_no", "passport_no", "vessel", "voyage", "train", "trailer")


def _with_dashes(text: str) -> str:
    return f"{text[:-3]}-{text[-3:-1]}-{text[-1:]}"
