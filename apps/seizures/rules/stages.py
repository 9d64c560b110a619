"""The stages of a seizure report (dictionary 4.3): who moves it on, where it may still be edited, what counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.inspections.errors import ReportVoided, StateChanged, StateLocked
from apps.seizures.rules.lines import LAB_NEGATIVE, NOT_A_DRUG, Measure

DRAFT, FLASH, PRELIMINARY, SUBMITTED = "draft", "flash", "preliminary", "submitted"
UNIT_VERIFIED, REGION_VERIFIED, HQ_ACCEPTED = "unit_verified", "region_verified", "hq_accepted"
LAB_CONFIRMED, CLOSED, VOIDED, MERGED = "lab_confirmed", "closed", "voided", "merged"
EDITABLE = (DRAFT, FLASH, PRELIMINARY)
LIVE = (FLASH, PRELIMINARY, SUBMITTED, UNIT_VERIFIED, REGION_VERIFIED, HQ_ACCEPTED, LAB_CONFIRMED)
PROVISIONAL, CONFIRMED, EXCLUDED = "provisional", "confirmed", "excluded"

# What a phone sends → stages it may be sent from (a new report counts as a draft).
SENDS: Mapping[str, tuple[str, ...]] = {
    FLASH: (DRAFT,),
    PRELIMINARY: (DRAFT, FLASH),
    SUBMITTED: (DRAFT, FLASH, PRELIMINARY),
}
# verb → stages it may start from → stage it leads to
MOVES: Mapping[str, Mapping[str, str]] = {
    "verify_unit": {SUBMITTED: UNIT_VERIFIED},
    "verify_region": {UNIT_VERIFIED: REGION_VERIFIED},
    "accept": {REGION_VERIFIED: HQ_ACCEPTED},
    "confirm_lab": {HQ_ACCEPTED: LAB_CONFIRMED},
    "close": {LAB_CONFIRMED: CLOSED},
    "return": dict.fromkeys((SUBMITTED, UNIT_VERIFIED, REGION_VERIFIED), PRELIMINARY),
    "void": dict.fromkeys(LIVE, VOIDED),
}
ENDED = (VOIDED, MERGED)
NO_DRUGS = (LAB_NEGATIVE, NOT_A_DRUG)


def next_stage(verb: str, stage: str) -> str:
    """Give the stage a decision leads to. Raises ReportVoided or StateChanged when it cannot start here."""
    to = MOVES[verb].get(stage)
    if to is None:
        raise ReportVoided if stage in ENDED else StateChanged
    return to


def check_editable(stage: str) -> None:
    """Refuse an edit from the field once the report was submitted.

    Raises ReportVoided; StateLocked when it was submitted meanwhile; StateChanged when its verification has moved on.
    """
    if stage in EDITABLE:
        return
    if stage in ENDED:
        raise ReportVoided
    raise StateLocked if stage == SUBMITTED else StateChanged


def statistic_status(stage: str, lines: Iterable[Measure]) -> str:
    """Say how a report stands in the figures: provisional until the laboratory, excluded when nothing is left."""
    found = list(lines)
    is_none_left = any(m.excluded in NO_DRUGS for m in found) and not any(m.is_counted for m in found)
    if stage in {DRAFT, *ENDED} or is_none_left:
        return EXCLUDED
    return CONFIRMED if stage in {LAB_CONFIRMED, CLOSED} else PROVISIONAL
