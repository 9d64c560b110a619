"""What also happens in a service: people move, a phone is lost, another is locked, an officer is suspended."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max

from apps.accounts import actions
from apps.accounts.models import Device
from apps.common.actor import SYSTEM, Actor
from apps.evidence.models import Capture
from apps.inspections.models import InspectionReport
from backend.demo_data.people import Service, move
from backend.demo_data.simulation import Simulation

# Who moves from where to where, days before the end of the story.
MOVES = (("TSN", "CPS", 3), ("LBA", "LLA", 2), ("HP1", "HP3", 1))


def contacts(story: Simulation, service: Service) -> None:
    """Let each phone be heard of when its officer's last report came: some were in use today, some lie in a drawer."""
    last = dict(
        InspectionReport.objects.exclude(received_at=None)
        .values_list("officer_id")
        .annotate(Max("received_at"))
    )
    for person in service.people:
        if person.device and person.officer.pk in last:
            story.at(last[person.officer.pk])
            actor = Actor(officer_id=person.officer.pk, device_id=person.device.pk)
            actions.note_contact(actor=actor, last_seen_at=None)


def trouble(story: Simulation, service: Service) -> None:
    """Move three officers, report one phone lost, lock another, suspend an officer: all in the last days.

    The phones are two of which nothing came since: what a phone sends after it was shut out would be no evidence.
    """
    for old, new, days in MOVES:
        story.at(story.end - dt.timedelta(days=days, hours=3))
        move(service, service.at(old, "officer")[-1], new, story.now)
    story.at(story.end - dt.timedelta(days=2))
    locked, lost = silent_since(service, story.now)[-2:]
    actions.report_device_lost(
        actor=SYSTEM, device=lost, reason="Rơi khi kiểm tra bãi hàng, đã báo lãnh đạo."
    )
    actions.suspend_device(actor=SYSTEM, device=locked, reason="Máy chậm bất thường, chờ kiểm tra an toàn.")
    story.at(story.end - dt.timedelta(days=1))
    suspended = service.at("HCM-MT", "officer")[-1]
    actions.suspend_officer(actor=SYSTEM, officer=suspended.officer, reason="Tạm nghỉ chờ bố trí công tác.")


def silent_since(service: Service, moment: dt.datetime) -> list[Device]:
    """Give the phones whose last photo came before a moment."""
    heard = set(Capture.objects.filter(received_at__gte=moment).values_list("device_id", flat=True))
    return [person.device for person in service.people if person.device and person.device.pk not in heard]
