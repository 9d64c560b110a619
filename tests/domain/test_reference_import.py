"""Imports of reference lists: what differs gets a revision, what is missing leaves, faults are told by line."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.audit.models import Event
from apps.changes.actions import Rows, record_rows
from apps.changes.models import Change, Entry, Stream
from apps.common.actor import SYSTEM
from apps.common.errors import InvalidFields
from apps.reference.actions import Imported, import_list, importing
from apps.reference.errors import ImportSuperseded, ListFileInvalid
from apps.reference.models import ReferenceEntry, ReferenceList
from apps.reference.rules import entry_id
from tests.cast import Cast
from tests.work import Pocket, check_feed, fresh

NAMES = ("Cảng biển", "Seaports")
Row = tuple[str, ...]


def file(*rows: Row, header: Row = ("key", "label_vi", "label_en")) -> list[bytes]:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode().splitlines(keepends=True)


def ports(*keys: str, label: str = "Port") -> list[Row]:
    return [(key, f"Cảng {key}", f"{label} {key}") for key in keys]


def load(*rows: Row, header: Row = ("key", "label_vi", "label_en"), slug: str = "ports") -> Imported:
    return import_list(actor=SYSTEM, slug=slug, lines=file(*rows, header=header), names=NAMES)


def revisions() -> dict[str, int]:
    return dict(ReferenceEntry.objects.filter(is_listed=True).values_list("key", "rev"))


@pytest.fixture(params=[1, 2, 2500])
def _batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", request.param)


@pytest.mark.usefixtures("_batch")
def test_only_what_differs_gets_a_revision(db: None) -> None:
    assert load(*ports("A", "B", "C", "D")) == Imported(4, 4, 0)
    assert load(*ports("A", "B", "C", "D")) == Imported(4, 0, 0)
    seq = Stream.objects.get(pk="list:ports").seq
    assert load(*ports("A"), *ports("C", label="Harbour"), *ports("D", "E")) == Imported(4, 2, 1)
    assert revisions() == {"A": 1, "C": 2, "D": 1, "E": 1}
    assert Stream.objects.get(pk="list:ports").seq == seq + 3
    assert load(*ports("A", "B")) == Imported(2, 1, 3)
    assert revisions() == {"A": 1, "B": 3}, "what comes back goes on from its revision"
    check_feed()


def test_the_body_is_what_the_file_said(db: None) -> None:
    load(
        ("VNHPH", "Hải Phòng", "Hai Phong", "VN", "", "0"),
        header=("key", "label_vi", "label_en", "country", "note", "valid"),
    )
    entry = Entry.objects.get(kind="reference_entry")
    assert UUID(str(entry.oid)) == entry_id("ports", "VNHPH")
    assert entry.body == (
        '{"key":"VNHPH","label":{"vi":"Hải Phòng","en":"Hai Phong"},"data":{"country":"VN"},"valid":false}'
    )
    assert ReferenceEntry.objects.get().data == {"country": "VN"}


def test_the_same_entry_has_the_same_id_on_every_server() -> None:
    assert str(entry_id("ports", "VNHPH")) == "b407a00b-1a48-5438-9083-4655b5a05221"


FAULTY: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "no file": (b"", [("/1", "columns")]),
    "no column": (b"key,label_vi\nA,B\n", [("/1", "columns")]),
    "a column twice": (b"key,label_vi,label_en,key\n", [("/1", "columns")]),
    "not UTF-8": (b"key,label_vi,label_en\nA,B,C\nB,\xe0\xe1,C\n", [("/3", "encoding")]),
    "not UTF-8 in the header": (b"\xff\xfekey\n", [("/1", "encoding")]),
    "a cell short": (b"key,label_vi,label_en\nA,B\nB,B,B\nC,C\n", [("/2", "cells"), ("/4", "cells")]),
    "no key": (b"key,label_vi,label_en\n ,B,C\n", [("/2", "key")]),
    "no label": (b"key,label_vi,label_en\nA,,C\n", [("/2", "label")]),
    "a long label": (b"key,label_vi,label_en\nA," + b"x" * 201 + b",C\n", [("/2", "label")]),
    "NUL": (b"key,label_vi,label_en\nA,B\x00,C\n", [("/2", "text")]),
    "an odd truth": (b"key,label_vi,label_en,valid\nA,B,C,perhaps\n", [("/2", "valid")]),
    "a quote left open": (b'key,label_vi,label_en\nA,"B,C\nD,E,F\n', [("/3", "csv")]),
    "a key twice": (b"key,label_vi,label_en\nA,B,C\nB,B,B\nA,D,E\n", [("/4", "duplicate")]),
    "too much": (b"key,label_vi,label_en,x\nA,B,C," + b"x" * 5000 + b"\n", [("/2", "data")]),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_file_changes_nothing_and_names_the_lines(db: None, fault: str) -> None:
    load(*ports("A", "Z"))
    before = list(Stream.objects.values())
    content, wanted = FAULTY[fault]
    with pytest.raises(ListFileInvalid) as refused:
        import_list(actor=SYSTEM, slug="ports", lines=content.splitlines(keepends=True))
    assert [(f.pointer, f.code) for f in refused.value.errors] == wanted
    assert list(Stream.objects.values()) == before
    assert revisions() == {"A": 1, "Z": 1}


def test_twenty_faults_are_enough(db: None) -> None:
    with pytest.raises(ListFileInvalid) as refused:
        load(*[("", "x", "y")] * 500)
    assert len(refused.value.errors) == 20


def test_a_new_list_needs_a_slug_and_two_names(db: None) -> None:
    for slug, names in (("Ports!", NAMES), ("ports", ("Cảng", ""))):
        with pytest.raises(InvalidFields):
            import_list(actor=SYSTEM, slug=slug, lines=file(), names=names)
    assert not ReferenceList.objects.exists()


def test_a_byte_order_mark_and_blank_lines_are_nothing(db: None) -> None:
    lines = [b"\xef\xbb\xbfkey,label_vi,label_en\r\n", b"\r\n", b"A,B,C\r\n", b",,\r\n"]
    assert import_list(actor=SYSTEM, slug="ports", lines=lines, names=NAMES).rows == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_import_did_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    keys = [f"K{i:02}" for i in range(20)]
    with monkeypatch.context() as patched:
        patched.setattr(importing, "record_rows", _dies_after(2))
        with pytest.raises(KeyboardInterrupt):
            load(*ports(*keys))
    assert len(revisions()) == 6
    check_feed()
    assert load(*ports(*keys)) == Imported(20, 14, 0)
    assert set(revisions().values()) == {1}
    check_feed()


def _dies_after(batches: int) -> Any:
    done = 0

    def tell(actor: Any, rows: Rows) -> None:
        nonlocal done
        if done == batches:
            raise KeyboardInterrupt
        done += 1
        record_rows(actor, rows)

    return tell


def test_a_newer_import_takes_over(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    begun: list[bool] = []

    def overtaken(actor: Any, rows: Rows) -> None:
        record_rows(actor, rows)
        if not begun:
            begun.append(True)
            importing._begin(SYSTEM, rows.oid, "", 0)

    monkeypatch.setattr(importing, "record_rows", overtaken)
    with pytest.raises(ImportSuperseded):
        load(*ports("A", "B", "C", "D"))
    assert len(revisions()) == 2


def test_imports_are_written_down(db: None) -> None:
    load(*ports("A", "B"))
    load(*ports("A", "C"))
    told = list(
        Event.objects.filter(record_kind="reference_list").order_by("at").values_list("action", "data")
    )
    assert [action.split(".")[1] for action, _ in told] == [
        "created", "import_started", "batch_imported", "imported",
        "import_started", "batch_imported", "batch_imported", "imported",
    ]  # fmt: skip
    assert told[-1][1] == {"rows": 2, "changed": 1, "left": 1}
    assert len(told[1][1]["sha256"]) == 64
    assert Change.objects.filter(kind="list.imported").count() == 2


def test_a_list_reaches_the_service_and_no_liaison(cast: Cast) -> None:
    load(*ports("A", "B"))
    for member, count in ((cast.officer, 2), (cast.leader, 2), (cast.administrator, 2), (cast.liaison, 0)):
        pocket = Pocket()
        pocket.pull(member.actor())
        assert len(pocket.of_kind("reference_entry")) == count
        assert ReferenceEntry.objects.visible_to(member.actor()).count() == count
        assert ReferenceList.objects.visible_to(member.actor()).count() == bool(count)
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    load(*ports("B", "C", label="New"))
    pocket.pull(cast.officer.actor())
    assert {body["label"]["en"] for _, body in pocket.of_kind("reference_entry").values()} == {
        "New B",
        "New C",
    }
    assert pocket.rows == fresh(cast.officer.actor())


def test_the_command(db: None, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ports.csv"
    path.write_bytes(b"".join(file(*ports("A", "B"))))
    call_command("import_reference_list", "ports", str(path), "--name-vi", "Cảng", "--name-en", "Ports")
    assert "2 rows, 2 changed, 0 left" in capsys.readouterr().out
    call_command("import_reference_list", "ports", str(path), "--json")
    assert '"changed": 0' in capsys.readouterr().out
    path.write_bytes(b"key,label_vi,label_en\nA,B\n")
    with pytest.raises(CommandError, match="Line 2: 2 cells, not 3"):
        call_command("import_reference_list", "ports", str(path))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_reference_list", "ports", str(tmp_path / "none.csv"))


def test_rows_need_a_transaction(transactional_db: None) -> None:
    with pytest.raises(RuntimeError):
        record_rows(SYSTEM, Rows("x.changed", "x", UUID(int=1), "s", "k"))


def test_a_batch_that_leaves_what_is_not_there_writes_nothing(db: None) -> None:
    ids = [UUID(int=i) for i in range(4)]
    with transaction.atomic():
        puts = [(ids[0], 1, "{}"), (ids[1], 1, "{}")]
        record_rows(SYSTEM, Rows("x.changed", "x", ids[0], "s", "k", puts=puts, leaves=[(ids[3], 2)]))
        record_rows(SYSTEM, Rows("x.changed", "x", ids[0], "s", "k", leaves=[(ids[0], 2), (ids[3], 2)]))
    assert list(Entry.objects.order_by("seq").values_list("oid", "seq", "op")) == [
        (ids[1], 2, "put"),
        (ids[0], 3, "del"),
    ]
    assert connection.vendor in {"sqlite", "postgresql"}
    check_feed()
