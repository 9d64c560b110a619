"""Reads of reference lists: the body of an entry as phones hold it, substances, and the words of the vocabularies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import orjson
from django.db.models import QuerySet

from apps.common.text import pick
from apps.reference.models import ReferenceEntry
from apps.reference.rules.substances import Control, Substance, in_force, read_control, read_substance
from apps.reference.rules.vocabularies import words

KIND = "reference_entry"
SUBSTANCES, CONTROLS, COUNTRIES = "substances", "substance-controls", "countries"


def body(key: str, labels: tuple[str, str], data: str, *, valid: bool) -> str:
    """Give the ready JSON of an entry; `data` is JSON already."""
    label = {"vi": labels[0], "en": labels[1]}
    return orjson.dumps({"key": key, "label": label, "data": orjson.Fragment(data), "valid": valid}).decode()


def label(vocabulary: str, code: str) -> str:
    """Give what a code is called in the language of the request."""
    return pick(*words(vocabulary, code))


def substances() -> Mapping[str, Substance]:
    """Give every substance by its key, also those that are not to be chosen any more."""
    rows = _entries(SUBSTANCES).values_list("key", "label_vi", "label_en", "data", "valid")
    return {key: read_substance(key, (vi, en), data, valid=valid) for key, vi, en, data, valid in rows}


def countries() -> Mapping[str, str]:
    """Give what each country is called in the language of the request, by its two letters."""
    rows = _entries(COUNTRIES).values_list("key", "label_vi", "label_en")
    return {key: pick(vi, en) for key, vi, en in rows}


def controls() -> Mapping[str, list[Control]]:
    """Give the legal lists on which each substance stands or has stood, by its key."""
    found: dict[str, list[Control]] = {}
    for data in _entries(CONTROLS).values_list("data", flat=True):
        control = read_control(data)
        if control is not None:
            found.setdefault(control.substance, []).append(control)
    return found


def controls_on(day: dt.date) -> Mapping[str, list[Control]]:
    """Give for each substance the lists it stands on that day, the newest decree first."""
    found = {key: in_force(several, day) for key, several in controls().items()}
    return {key: several for key, several in found.items() if several}


def _entries(slug: str) -> QuerySet[ReferenceEntry]:
    return ReferenceEntry.objects.filter(list__slug=slug, is_listed=True).order_by("key")
