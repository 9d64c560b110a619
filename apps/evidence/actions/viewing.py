"""Looking at an original is an event; at a photo that shows who somebody is, only after one has said what for."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.audit.models import Event
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.evidence.errors import PurposeNeeded
from apps.evidence.models import Attachment
from apps.evidence.queries import KIND

# For so long a stated purpose holds; it is the audit event that an app writes when somebody reads who the people are.
STATED_FOR = dt.timedelta(minutes=15)
PERSONS_READ = "persons_read"


@transaction.atomic
def view_original(*, actor: Actor, attachment: Attachment) -> None:
    """Write down that this person is given the original; call with a visible attachment.

    Raises NotFound, and PurposeNeeded as `check_purpose` does.
    """
    check_purpose(actor=actor, attachment=attachment)
    if attachment.state != Attachment.State.STORED:
        raise NotFound
    log(
        actor,
        "original.viewed",
        KIND,
        attachment.pk,
        {"sha256": attachment.sha256, "purpose": attachment.purpose},
    )


def check_purpose(*, actor: Actor, attachment: Attachment) -> None:
    """Let a photo of a person or a document be seen by who took it, and by who has just said what for.

    Raises PurposeNeeded.
    """
    if not attachment.is_nominal or actor.is_system or attachment.officer_id == actor.officer_id:
        return
    stated = Event.objects.filter(
        record_kind=attachment.owner_kind,
        oid=attachment.owner_id,
        action=f"{attachment.owner_kind}.{PERSONS_READ}",
        actor_id=actor.officer_id,
        at__gt=timezone.now() - STATED_FOR,
    )
    if not stated.exists():
        raise PurposeNeeded
