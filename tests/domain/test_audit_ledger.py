"""The ledger: events are numbered once and without gaps, heads are signed over them, proofs fit, keys follow keys."""

from __future__ import annotations

import base64
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.audit.actions import (
    announced_key,
    export_head,
    log,
    revoke_key,
    rotate_key,
    sequence_events,
    sign_head,
)
from apps.audit.errors import LedgerBroken, SigningKeyMissing
from apps.audit.keys import is_signed_by, seed_of, server_key
from apps.audit.models import Event, Head, KeyStatement, Leaf, Pending, Tile
from apps.audit.queries import known_keys, ledger_size, proof_between, proof_of, root_at
from apps.audit.rules import trees
from apps.common.actor import SYSTEM
from apps.common.insert_only import releasing
from apps.common.records import new_id
from tests.work import at_once

TABLES = ("audit_event", "audit_leaf", "audit_tile", "audit_head", "audit_keystatement")


def write(count: int) -> None:
    for _ in range(count):
        log(SYSTEM, "thing.done", "thing", new_id(), {"a": 1})


@pytest.fixture
def own_keys(settings: Any, tmp_path: Path, db: None) -> Path:
    """A keys directory of this test."""
    settings.KEYS_DIR = tmp_path / "keys"
    return tmp_path / "keys"


def test_events_are_numbered_once_in_their_order(db: None) -> None:
    write(5)
    assert sequence_events() == 5
    assert sequence_events() == 0
    write(3)
    assert sequence_events() == 3
    rows = list(Leaf.objects.order_by("leaf_index").values_list("leaf_index", "event_id"))
    assert [index for index, _ in rows] == list(range(8))
    assert [pk for _, pk in rows] == list(Event.objects.order_by("id").values_list("pk", flat=True))
    assert not Pending.objects.exists()


def test_an_event_that_commits_late_is_not_stepped_over(db: None) -> None:
    write(2)
    first = Event.objects.order_by("id")[0].pk
    held = Pending.objects.filter(event_id=first)
    held.delete()  # as if its transaction were still open
    assert sequence_events() == 1
    Pending.objects.create(event_id=first)
    assert sequence_events() == 1
    assert Leaf.objects.get(event_id=first).leaf_index == 1


def test_roots_and_proofs_fit(own_keys: Path) -> None:
    write(600)
    while sequence_events(most=97):
        pass
    size = ledger_size()
    leaves = [bytes(h) for h in Leaf.objects.order_by("leaf_index").values_list("leaf_hash", flat=True)]
    growing = trees.Growing(lambda level, index, found: tiles.append((level, index, found)))
    tiles: list[tuple[int, int, bytes]] = []
    for leaf in leaves:
        growing.add(leaf)
    assert root_at(size) == growing.root()
    assert tiles == [(t.level, t.index, bytes(t.hash)) for t in Tile.objects.order_by("level", "index")]
    assert len(tiles) == 2
    assert trees.is_included(leaves[77], 77, size, proof_of(77, size), growing.root())
    assert trees.is_consistent(300, size, root_at(300), growing.root(), proof_between(300, size))


def test_a_head_says_what_there_is_under_a_signature(own_keys: Path, settings: Any) -> None:
    settings.LEDGER_ORIGIN = "test.example/ledger"
    write(3)
    head = sign_head()
    assert head is not None
    said = orjson.loads(bytes(head.body))
    assert (said["origin"], said["size"], said["key_id"]) == (
        "test.example/ledger",
        head.size,
        server_key().id,
    )
    assert said["root"] == root_at(head.size).hex()
    assert is_signed_by(server_key().public, bytes(head.signature), bytes(head.body))
    assert sign_head() is None, "nothing happened since"
    write(1)
    following = sign_head()
    assert following is not None
    assert following.size == head.size + 1


def test_nothing_is_signed_over_a_ledger_that_was_rewritten(own_keys: Path) -> None:
    write(3)
    assert sign_head() is not None
    tamper("audit_leaf", "UPDATE audit_leaf SET leaf_hash = %s WHERE leaf_index = 1", [b"x" * 32])
    write(1)
    with pytest.raises(LedgerBroken):
        sign_head()
    assert Head.objects.count() == 1


def test_nothing_is_signed_when_a_leaf_is_gone(own_keys: Path) -> None:
    write(3)
    assert sign_head() is not None
    tamper("audit_leaf", "DELETE FROM audit_leaf WHERE leaf_index = 0", [])
    write(1)
    with pytest.raises(LedgerBroken):
        sign_head()


def tamper(table: str, statement: str, values: list[Any]) -> None:
    """Do what only the owner of the database can: take the triggers away and rewrite."""
    with connection.cursor() as cursor:
        for release in releasing(table, connection.vendor):
            cursor.execute(release)
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_tables_refuse_to_be_rewritten(own_keys: Path, table: str, verb: str) -> None:
    if verb == "TRUNCATE" and connection.vendor != "postgresql":
        verb = "DELETE"  # SQLite has no other way to empty a table
    write(300)
    sign_head()
    column = {"audit_event": "note", "audit_head": "origin", "audit_keystatement": "key_id"}.get(
        table, "leaf_hash"
    )
    column = "hash" if table == "audit_tile" else column
    statement = {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[verb]
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_witness_gets_each_head_once(own_keys: Path, tmp_path: Path) -> None:
    assert export_head(tmp_path / "witness") is None
    write(1)
    sign_head()
    first = export_head(tmp_path / "witness")
    assert first is not None
    before = first.read_bytes()
    assert export_head(tmp_path / "witness") == first
    assert first.read_bytes() == before
    assert stat.S_IMODE(first.stat().st_mode) == 0o444
    told = orjson.loads(before)
    assert base64.b64decode(told["head"]) == bytes(Head.objects.get().body)
    write(1)
    sign_head()
    assert export_head(tmp_path / "witness") != first


def test_a_head_is_handed_over_by_command(own_keys: Path, tmp_path: Path, settings: Any) -> None:
    with pytest.raises(CommandError, match="no witness"):
        call_command("export_head")
    write(3)
    settings.WITNESS_DIR = str(tmp_path / "witness")
    out = StringIO()
    call_command("export_head", stdout=out)
    told = orjson.loads(Path(out.getvalue().strip()).read_bytes())
    assert base64.b64decode(told["head"]) == bytes(Head.objects.get().body)
    assert Head.objects.get().size == Leaf.objects.count() > 0
    call_command("export_head", stdout=out)
    assert len(list((tmp_path / "witness").iterdir())) == 1
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="not written"):
        call_command("export_head", "--to", str(tmp_path / "file"))


class TestKeys:
    def test_the_first_key_announces_itself(self, own_keys: Path) -> None:
        key = announced_key()
        assert announced_key() == key
        row = KeyStatement.objects.get()
        assert (row.key_id, row.signed_by) == (key.id, key.id)
        assert is_signed_by(key.public, bytes(row.signature), bytes(row.body))
        assert Event.objects.get(action="server_key.added").data["key_id"] == key.id

    def test_a_key_that_nobody_announced_signs_nothing(self, own_keys: Path, settings: Any) -> None:
        write(1)
        announced_key()
        settings.KEYS_DIR = own_keys.parent / "other"
        with pytest.raises(SigningKeyMissing):
            sign_head()

    def test_a_deployment_does_not_make_its_key_by_itself(self, own_keys: Path, settings: Any) -> None:
        settings.MAKES_OWN_KEY = False
        with pytest.raises(SigningKeyMissing):
            server_key()

    def test_a_key_is_followed_by_another_which_it_announces(self, own_keys: Path) -> None:
        write(1)
        sign_head()
        old = server_key()
        new = rotate_key(actor=SYSTEM)
        assert server_key() == new != old
        row = KeyStatement.objects.get(key_id=new.id)
        assert row.signed_by == old.id
        assert is_signed_by(old.public, bytes(row.signature), bytes(row.body))
        write(1)
        head = sign_head()
        assert head is not None
        assert head.key_id == new.id
        assert sorted(path.name for path in own_keys.iterdir()) == [
            f"retired-{old.id}.pem",
            "server-ed25519.pem",
        ]

    def test_a_rotation_that_was_killed_is_finished_by_the_next(
        self, own_keys: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = announced_key()
        with monkeypatch.context() as patch:
            patch.setattr(
                "apps.audit.actions.keys.take_next_key", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
            )
            with pytest.raises(KeyboardInterrupt):
                rotate_key(actor=SYSTEM)
        assert server_key() == old
        new = rotate_key(actor=SYSTEM)
        assert server_key() == new
        assert KeyStatement.objects.count() == 2

    def test_a_key_from_the_environment(self, own_keys: Path, settings: Any) -> None:
        old = announced_key()
        settings.SERVER_KEY = seed_of(old)
        settings.KEYS_DIR = own_keys.parent / "none"
        assert server_key().public == old.public
        new = rotate_key(actor=SYSTEM)
        assert server_key().public == old.public, "until its seed is set"
        settings.SERVER_KEY = seed_of(new)
        assert announced_key().id == new.id

    def test_a_key_is_no_longer_trusted(self, own_keys: Path) -> None:
        old = announced_key()
        since = timezone.now() - timedelta(hours=1)
        with pytest.raises(ValueError, match="rotate"):
            revoke_key(actor=SYSTEM, key_id=old.id, since=since, reason="bản sao bị lộ")
        rotate_key(actor=SYSTEM)
        with pytest.raises(LookupError):
            revoke_key(actor=SYSTEM, key_id="0" * 16, since=since, reason="-")
        revoke_key(actor=SYSTEM, key_id=old.id, since=since, reason="bản sao bị lộ")
        keys = known_keys()
        assert keys[old.id].until == since
        assert keys[server_key().id].until is None


@pytest.mark.django_db(transaction=True)
def test_many_number_at_once_and_none_twice(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    announced_key()
    write(200)
    started = Event.objects.count()

    def number() -> None:
        for _ in range(10):
            sequence_events(waits=True, most=30)
            log(SYSTEM, "thing.done", "thing", UUID(int=1))

    assert at_once(number, number, number, number) == []
    sequence_events(waits=True)
    rows = list(Leaf.objects.order_by("leaf_index").values_list("leaf_index", flat=True))
    assert rows == list(range(Event.objects.count()))
    assert len(rows) >= started
