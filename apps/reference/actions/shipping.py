"""The lists that come with the product: imported as any list, from files of the product and from its libraries.

Run after each update; what has not changed costs a comparison. A list that the service has imported itself, under one
of these names, is its own from then on and is left alone.
"""

from __future__ import annotations

import csv
import gettext
import io
from collections.abc import Iterable, Mapping

import pycountry

from apps.common.actor import Actor
from apps.reference.actions.importing import Imported, import_list
from apps.reference.models import ReferenceList
from apps.reference.rules.vocabularies import LISTS

SHIPPED: Mapping[str, tuple[str, str]] = {
    "substances": ("Chất ma túy, tiền chất", "Drugs and precursors"),
    "substance-controls": ("Danh mục chất theo nghị định", "Legal lists of substances"),
    "vocabularies": ("Bảng mã dùng chung", "Vocabularies"),
    "places": ("Sân bay, cảng biển, cửa khẩu", "Airports, seaports, border gates"),
    "routes": ("Tuyến trọng điểm", "Routes of concern"),
    "countries": ("Quốc gia, vùng lãnh thổ", "Countries and territories"),
}


def load_shipped(*, actor: Actor) -> dict[str, Imported]:
    """Make the shipped lists equal to what this version of the product brings; gives what was done to each."""
    own = set(ReferenceList.objects.filter(is_shipped=False).values_list("slug", flat=True))
    return {
        slug: import_list(actor=actor, slug=slug, lines=_lines(slug), names=names, is_shipped=True)
        for slug, names in SHIPPED.items()
        if slug not in own
    }


def _lines(slug: str) -> Iterable[bytes]:
    if slug == "countries":
        return _countries()
    return (LISTS / f"{slug}.csv").read_bytes().splitlines(keepends=True)


def _countries() -> Iterable[bytes]:
    """Give ISO 3166-1 with the names that the service uses, and those of pycountry for the rest of the world."""
    with (LISTS / "country-names.csv").open(encoding="utf-8", newline="") as file:
        ours = {row["code"]: row["label_vi"] for row in csv.DictReader(file)}
    theirs = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["vi"]).gettext
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("key", "label_vi", "label_en", "alpha_3"))
    for country in pycountry.countries:
        english = getattr(country, "common_name", country.name)
        rows.writerow(
            (country.alpha_2, ours.get(country.alpha_2) or theirs(country.name), english, country.alpha_3)
        )
    rows.writerow(("UNK", "Chưa rõ", "Unknown", ""))
    return out.getvalue().encode().splitlines(keepends=True)
