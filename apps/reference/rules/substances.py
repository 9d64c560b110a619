"""Substances as the law and the reports see them: what class, which line of the table, on which list on which day.

Lists change by decree, so a control has days from and to; a seizure is read by the lists of its own day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PRECURSOR = "precursor"
# Substances that say only that nobody knows yet.
PENDING = "unknown_pending_lab"


@dataclass(frozen=True)
class Substance:
    """One substance of the list `substances`."""

    key: str
    vi: str
    en: str
    group: str
    kind: str
    aliases: tuple[str, ...] = ()
    street_names: tuple[str, ...] = ()
    cas: str = ""
    default_form: str = ""
    typical_unit: str = ""
    un_convention: str = ""
    hs_hint: str = ""
    valid: bool = True

    @property
    def is_precursor(self) -> bool:
        """Whether it is counted in the table of precursors and never among the drugs."""
        return self.group == PRECURSOR

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by."""
        return (self.vi, self.en, *self.aliases, *self.street_names)


@dataclass(frozen=True)
class Control:
    """A substance on a list of a decree, from a day to a day (the first day that it no longer holds)."""

    substance: str
    decree: str
    list: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    checked: str = "no"

    def holds_on(self, day: dt.date) -> bool:
        """Tell whether the control is in force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def read_substance(key: str, labels: tuple[str, str], data: Mapping[str, str], *, valid: bool) -> Substance:
    """Read a substance from the columns of its entry."""
    return Substance(
        key,
        *labels,
        group=data.get("report_group", "other"),
        kind=data.get("class", "unknown"),
        aliases=_several(data.get("aliases", "")),
        street_names=_several(data.get("street_names", "")),
        cas=data.get("cas", ""),
        default_form=data.get("default_form", ""),
        typical_unit=data.get("typical_unit", ""),
        un_convention=data.get("un_convention", ""),
        hs_hint=data.get("hs_hint", ""),
        valid=valid,
    )


def read_control(data: Mapping[str, str]) -> Control | None:
    """Read a control from the columns of its entry; None when its days cannot be read: it then controls nothing."""
    try:
        to = data.get("valid_to")
        return Control(
            data["substance"],
            data.get("decree", ""),
            data.get("list", ""),
            dt.date.fromisoformat(data["valid_from"]),
            dt.date.fromisoformat(to) if to else None,
            data.get("checked", "no"),
        )
    except (KeyError, ValueError):
        return None


def in_force(controls: Iterable[Control], day: dt.date) -> list[Control]:
    """Give the controls that hold on the day, the newest decree first."""
    return sorted((c for c in controls if c.holds_on(day)), key=lambda c: c.valid_from, reverse=True)


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
