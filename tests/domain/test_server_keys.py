"""`manage.py server_keys`, what phones are told of keys, and what a deployment is warned of."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.audit.keys import is_signed_by, server_key
from apps.audit.models import KeyStatement
from apps.changes.models import Entry
from apps.changes.rules import REF
from apps.sync.comparison import compare_records
from backend.checks import check_signing_key, check_witness


@pytest.fixture(autouse=True)
def keys(settings: Any, tmp_path: Path, db: None) -> Path:
    """A deployment with no key yet."""
    settings.KEYS_DIR = tmp_path / "keys"
    settings.MAKES_OWN_KEY = False
    return tmp_path / "keys"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("server_keys", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def listed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run("list", "--json"))
    return rows


def test_a_deployment_is_told_what_is_missing(keys: Path, settings: Any) -> None:
    assert [m.id for m in check_signing_key(None)] == ["haidang.E001"]
    with pytest.raises(CommandError, match="make"):
        run("rotate")
    run("make")
    assert check_signing_key(None) == []
    path = keys / "server-ed25519.pem"
    path.chmod(0o640)
    assert [m.id for m in check_signing_key(None)] == ["haidang.E002"]
    path.chmod(0o600)
    path.write_text("rubbish")
    assert [m.id for m in check_signing_key(None)] == ["haidang.E003"]
    assert [m.id for m in check_witness(None)] == ["haidang.W001"]
    settings.WITNESS_DIR = "/somewhere"
    assert check_witness(None) == []


def test_making_twice_makes_one(keys: Path) -> None:
    assert run("make") == run("make")
    assert len(listed()) == 1


def test_phones_learn_of_the_next_key_from_the_one_they_pinned(keys: Path) -> None:
    run("make")
    pinned = server_key()
    run("rotate")
    entry = Entry.objects.get(kind="server_key", stream_id=REF)
    body = json.loads(entry.body)
    statement = base64.b64decode(body["statement"])
    assert is_signed_by(pinned.public, base64.b64decode(body["signature"]), statement)
    said = json.loads(statement)
    assert base64.b64decode(said["public_key"]) == server_key().public
    assert (body["signed_by"], body["revoked"], entry.rev) == (pinned.id, None, 1)
    assert [d for found in compare_records(kinds=["server_key"]) for d in found] == []


def test_a_revocation_reaches_phones(keys: Path) -> None:
    run("make")
    run("rotate")
    second = server_key()
    with pytest.raises(CommandError, match="rotate"):
        run("revoke", second.id, "--reason", "lộ khóa")
    run("rotate")
    with pytest.raises(CommandError, match="offset"):
        run("revoke", second.id, "--reason", "lộ khóa", "--since", "2026-11-21T08:00:00")
    run("revoke", second.id, "--reason", "lộ khóa", "--since", "2026-11-21T08:00:00+07:00")
    entry = Entry.objects.get(
        kind="server_key", oid=KeyStatement.objects.get(key_id=second.id, kind="added").pk
    )
    revoked = json.loads(entry.body)["revoked"]
    assert entry.rev == 2
    assert is_signed_by(
        server_key().public, base64.b64decode(revoked["signature"]), base64.b64decode(revoked["statement"])
    )
    row = next(row for row in listed() if row["key_id"] == second.id)
    assert row["revoked_from"] == "2026-11-21T01:00:00+00:00"
    assert [d for found in compare_records(kinds=["server_key"]) for d in found] == []
