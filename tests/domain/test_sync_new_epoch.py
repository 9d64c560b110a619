"""`manage.py sync_new_epoch`: what phones are told after a restore, and what is written down."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command

from apps.audit.models import Event
from apps.sync.queries import epoch
from tests.cast import Cast


def declare() -> str:
    out = io.StringIO()
    call_command("sync_new_epoch", "--json", stdout=out)
    return str(json.loads(out.getvalue())["epoch"])


def pull(client: Any, cursor: str | None = None) -> Any:
    return client.post(
        "/mobile/v1/sync/pull", json.dumps({"cursor": cursor}), content_type="application/json"
    )


def test_phones_that_know_the_old_epoch_are_told_the_new_one(cast: Cast) -> None:
    client = cast.officer.client()
    before = pull(client).json()
    told = declare()
    assert told == epoch() != before["epoch"]
    refused = pull(client, before["cursor"])
    assert (refused.status_code, refused.json()["code"]) == (410, "epoch-changed")
    assert refused.json()["current"] == {"epoch": told}
    fresh = pull(client).json()
    assert fresh["epoch"] == told
    assert pull(client, fresh["cursor"]).status_code == 200


def test_every_declaration_is_another_epoch_and_an_audit_event(cast: Cast) -> None:
    first, second = declare(), declare()
    assert first != second
    events = Event.objects.filter(action="epoch.changed").order_by("at")
    assert [str(event.oid) for event in events] == [first, second]


def test_people_are_told_in_words(db: None) -> None:
    out = io.StringIO()
    call_command("sync_new_epoch", stdout=out)
    assert epoch() in out.getvalue()
