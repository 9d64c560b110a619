"""Looking at an original is an event."""

from __future__ import annotations

from django.db import transaction

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.evidence.models import Attachment
from apps.evidence.queries import KIND


@transaction.atomic
def view_original(*, actor: Actor, attachment: Attachment) -> None:
    """Write down that this person is given the original; call with a visible attachment. Raises NotFound."""
    if attachment.state != Attachment.State.STORED:
        raise NotFound
    log(
        actor,
        "original.viewed",
        KIND,
        attachment.pk,
        {"sha256": attachment.sha256, "purpose": attachment.purpose},
    )
