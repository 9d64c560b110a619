"""What the simulator found, one plain test each; the docstring tells the story (`python3 manage.py simulate`)."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from apps.changes.actions import Item, record, relay, settle
from apps.changes.models import Change, Entry
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence import actions as evidence
from apps.evidence.models import Attachment
from apps.evidence.storage import depot, original_name
from tests import phone_store
from tests.cast import Cast
from tests.evidence import declare, on_disk
from tests.evidence_images import jpeg
from tests.phone import Phone
from tests.wire import Answer

DAY = 86400.0


@pytest.fixture
def store() -> sqlite3.Connection:
    return phone_store.open_store(":memory:")


@pytest.fixture(autouse=True)
def own_disk(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path / "evidence")}


def page(**members: Any) -> dict[str, Any]:
    return {"epoch": "e", "cursor": "c", "reset": [], "drop": [], "changes": [], "complete": {}, **members}


def change(stream: str) -> dict[str, Any]:
    return {"s": stream, "k": "posting", "id": str(new_id()), "op": "put", "rev": 1, "body": {}}


def streams(store: sqlite3.Connection) -> set[str]:
    return {stream for (stream,) in store.execute("SELECT DISTINCT stream FROM base").fetchall()}


def test_a_load_of_everything_takes_away_streams_that_are_not_named(store: sqlite3.Connection) -> None:
    """An officer left the gate, and the database was restored.

    The phone set its cursor to null, so the server could not name the gate's stream in `drop`, and the old gate's
    records stayed on the phone for ever.
    """
    phone_store.take_page(store, page(reset=["post:1", "ref"], changes=[change("post:1"), change("ref")]))
    phone_store.put(store, "cursor", "")
    phone_store.take_page(store, page(reset=["ref"], changes=[change("ref")]))
    assert streams(store) == {"ref"}


def test_an_ordinary_page_takes_no_stream_away(store: sqlite3.Connection) -> None:
    """The other side of the above: with a cursor, only `drop` takes away."""
    phone_store.take_page(store, page(reset=["post:1", "ref"], changes=[change("post:1"), change("ref")]))
    phone_store.take_page(store, page())
    assert streams(store) == {"post:1", "ref"}


def test_what_was_merged_out_of_sight_is_not_overwritten(store: sqlite3.Connection) -> None:
    """An officer with two phones left the gate, and the second phone submitted a report that the first had edited.

    The server merged both (revision 4) and the report left the second phone with the gate's stream. What was written
    on it after that named revision 4, which that phone had never shown, and replaced the first phone's words.
    """
    sent = {"id": str(new_id()), "object": str(new_id()), "type": "inspection.submit", "base_rev": 1}
    phone_store.keep_in_journal(store, sent, 4, 0.0)
    edit = (str(new_id()), "inspection.save", sent["object"], "{}", "[]", "", 0)
    columns = "id, type, object, fields, depends, made_at, base_rev"
    store.execute(f"INSERT INTO outbox({columns}) VALUES(?,?,?,?,?,?,?)", edit)
    (taken,) = phone_store.ready(store, 10, 0.0, DAY)
    assert taken["base_rev"] == 1


def test_a_restored_server_lets_nothing_go_from_the_journal(store: sqlite3.Connection) -> None:
    """A report was acknowledged, the server restored from an older backup, and the phone away for a month.

    At its next contact it pushed new work first; the acknowledgement of that let go what was older than 14 days, before
    the journal had been sent again: the report was nowhere.
    """
    old = {"id": str(new_id()), "object": str(new_id()), "type": "inspection.submit"}
    new = old | {"id": str(new_id())}
    phone_store.keep_in_journal(store, old, 1, 0.0)
    phone_store.keep_in_journal(store, new, 1, 31 * DAY, lets_go=False)
    assert [json.loads(b)["id"] for (b,) in store.execute("SELECT body FROM journal ORDER BY seq")] == [
        old["id"],
        new["id"],
    ]
    phone_store.keep_in_journal(store, new, 1, 31 * DAY)
    assert store.execute("SELECT count(*) FROM journal").fetchone() == (1,)


def test_a_phone_that_dies_while_it_wipes_itself_has_wiped_nothing() -> None:
    """A lost phone was told to wipe itself and was killed after the first tables.

    Before its next contact the database was restored from a backup in which it was not lost: it went on with half of
    what its officer had written.
    """
    phone = Phone("http://127.0.0.1:9")
    phone.save({"remarks": "a"})
    phone.store.set_authorizer(
        lambda action, table, *_: (
            sqlite3.SQLITE_DENY if (action, table) == (sqlite3.SQLITE_DELETE, "photo") else sqlite3.SQLITE_OK
        )
    )
    with pytest.raises(sqlite3.DatabaseError):
        phone.wipe()
    phone.store.set_authorizer(None)
    assert phone.waiting() == 1
    phone.wipe()
    assert phone.waiting() == 0


class Script:
    """Stands in for a server: takes every push, has nothing to tell, and lives under an epoch."""

    def __init__(self) -> None:
        self.epoch = "one"
        self.time = "2026-03-02T00:00:00Z"
        self.pushed: list[str] = []

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        if path.endswith("/sync/pull"):
            empty = page(epoch=self.epoch, more=False, snapshot=[])
            return Answer(200, {}, json.dumps(empty).encode())
        ids = [mutation["id"] for mutation in json.loads(body)["mutations"]]
        self.pushed += ids
        results = [{"id": pk, "status": "applied", "rev": 1} for pk in ids]
        told = {"server_time": self.time, "epoch": self.epoch, "results": results}
        return Answer(200, {}, json.dumps(told).encode())


def test_a_restore_before_the_first_pull_is_noticed() -> None:
    """A phone had pushed and not yet pulled, as after a first restore, when the server was restored once more.

    Its cursor was null, so nobody answered 410, it knew no epoch to compare with, and what it had been told was
    applied was nowhere.
    """
    phone, server = Phone("http://127.0.0.1:9"), Script()
    vars(phone)["wire"] = server
    phone.save({"remarks": "a"})
    phone.push()
    (first,) = server.pushed
    server.epoch = "two"
    phone.pull()
    assert server.pushed == [first, first]
    phone.pull()
    assert server.pushed == [first, first]


def test_a_journal_that_is_still_to_be_sent_again_is_kept() -> None:
    """The server was restored while a phone was sending its journal again, and the phone came back weeks later.

    It put the journal off to its next contact and pushed new work; the acknowledgement of that let go what was older
    than 14 days.
    """
    phone, server = Phone("http://127.0.0.1:9"), Script()
    vars(phone)["wire"] = server
    phone.save({"remarks": "a"})
    phone.push()
    (first,) = server.pushed
    phone.put("replay", "1")
    server.epoch, server.time = "two", "2026-04-02T00:00:00Z"
    phone.save({"remarks": "b"})
    phone.push()
    server.pushed.clear()
    phone.push()
    assert first in server.pushed


def forget(attachment: Attachment) -> None:
    """Put the row back to what a backup from before the upload says."""
    fields = {"state": "expected", "original": "", "stored_at": None, "thumbnail": ""}
    Attachment.objects.filter(pk=attachment.pk).update(**fields)


def test_a_restored_database_finds_the_photos_it_has_forgotten(cast: Cast) -> None:
    """A photo was stored, its phone deleted its copy, and the database was restored from an older backup.

    Its bytes lay at their address, nobody would send them again, and the report waited for its photo for ever.
    """
    photo = jpeg(30, 20)
    attachment = declare(cast.officer, photo)
    evidence.store_original(actor=cast.officer.actor(), attachment_id=attachment.pk, data=photo)
    forget(attachment)
    assert evidence.recover_originals(actor=SYSTEM) == 1
    attachment.refresh_from_db()
    assert (attachment.state, attachment.original) == ("stored", original_name(attachment.sha256))
    assert json.loads(Entry.objects.get(oid=attachment.pk).body)["state"] == "stored"
    assert Change.objects.filter(kind="attachment.stored", oid=attachment.pk).count() == 2
    assert evidence.recover_originals(actor=SYSTEM) == 0


def test_damaged_or_missing_bytes_are_not_recovered(cast: Cast, tmp_path: Path) -> None:
    """The other side of the above: only bytes with the declared hash are what the attachment waits for."""
    missing, damaged = declare(cast.officer, jpeg(31, 20)), declare(cast.officer, jpeg(32, 20))
    depot().write(original_name(damaged.sha256), b"x" * damaged.size)
    assert evidence.recover_originals(actor=SYSTEM) == 0
    for attachment in (missing, damaged):
        attachment.refresh_from_db()
        assert attachment.state == "expected"


def test_a_photo_that_is_found_is_made_durable_before_anyone_is_told(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server died between linking a photo to its address and making that name durable.

    Its upload expired, the photo was found at its address and told as stored, the phone deleted its copy, and a power
    cut took the name away: the photo was nowhere.
    """
    photo = jpeg(33, 20)
    attachment = declare(cast.officer, photo)
    path = tmp_path / "evidence" / original_name(attachment.sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(photo)
    synced = []

    def sync(fd: int) -> None:
        attachment.refresh_from_db()
        assert attachment.state == "expected"
        synced.append(os.fstat(fd).st_ino)

    monkeypatch.setattr(os, "fsync", sync)
    assert evidence.recover_originals(actor=SYSTEM) == 1
    assert synced == [made.stat().st_ino for made in (path, *path.parents) if tmp_path in made.parents]


def test_an_old_message_settles_nothing_that_another_task_owes(db: None) -> None:
    """The database was restored while messages waited in the broker.

    The numbers of reactions began again, and a message to count the figures settled the arrival of a photo: that report
    was never completed.
    """
    sent: list[tuple[str, list[int]]] = []
    with transaction.atomic():
        record(SYSTEM, Item("thing.made", "thing", new_id(), 1))
    relay({"thing.made": ["app.draw"]}, lambda task, ids: sent.append((task, ids)))
    done: list[Change] = []
    assert settle(sent[0][1], done.extend, task="app.count") == 0
    assert not done
    assert settle(sent[0][1], done.extend, task="app.draw") == 1
