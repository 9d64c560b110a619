"""Import of a list: what differs gets a new revision, what is missing leaves, batch by batch.

Each batch is one short transaction (entries, audit, feed), so pulling phones are never held up and see each row as it
was or as it is. An import that was killed is simply started again: what it had done no longer differs. The newest
import of a list takes over from any other that still runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from apps.audit.actions import log
from apps.changes.actions import Item, Rows, record, record_rows
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, Problem
from apps.common.records import new_id
from apps.common.sql import adapted, places
from apps.reference.actions.reading import decoded, read_rows
from apps.reference.actions.staging import Staging
from apps.reference.errors import ImportSuperseded
from apps.reference.models import ReferenceList
from apps.reference.queries import KIND, body
from apps.reference.rules import entry_id, is_slug, list_stream
from apps.reference.rules.folding import fold

BATCH = 2500


@dataclass(frozen=True)
class Imported:
    """What an import found and did."""

    rows: int
    changed: int
    left: int


def import_list(
    *,
    actor: Actor,
    slug: str,
    lines: Iterable[bytes],
    names: tuple[str, str] = ("", ""),
    is_shipped: bool = False,
) -> Imported:
    """Make the list equal to the CSV whose lines are given. Not to be called inside a transaction of one's own.

    `is_shipped` is noted for `load_shipped`, which leaves alone what the service has imported itself.
    Raises ListFileInvalid (nothing has changed then), InvalidFields for a slug or a missing name, ImportSuperseded
    when a newer import of the list begins meanwhile.
    """
    digest = hashlib.sha256()
    listed = _opened(actor, slug, names)
    with Staging(listed.pk) as staged:
        staged.load(read_rows(decoded(_hashed(lines, digest))))
        token = _begin(actor, listed.pk, digest.hexdigest(), staged.count)
        changed = sum(_put(actor, listed, token, rows) for rows in staged.changed(BATCH))
        left = sum(_leave(actor, listed, token, rows) for rows in staged.missing(BATCH))
        done = Imported(staged.count, changed, left)
        _end(actor, listed, token, done, is_shipped=is_shipped)
    return done


def _hashed(lines: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


@transaction.atomic
def _opened(actor: Actor, slug: str, names: tuple[str, str]) -> ReferenceList:
    """Find the list, or make it; names are needed once and may be changed later."""
    if not is_slug(slug):
        fault = Problem(
            "/slug", "slug", "Mã danh mục không hợp lệ.", "Not a slug: lower case, digits, dashes."
        )
        raise InvalidFields(errors=[fault])
    found = ReferenceList.objects.select_for_update().filter(slug=slug).first()
    if found is None:
        if not all(names):
            fault = Problem(
                "/names", "required", "Danh mục mới cần tên hai thứ tiếng.", "A new list needs both names."
            )
            raise InvalidFields(errors=[fault])
        found = ReferenceList.objects.create(slug=slug, name_vi=names[0], name_en=names[1])
        log(actor, "list.created", "reference_list", found.pk, {"slug": slug})
    elif any(names) and (found.name_vi, found.name_en) != names:
        found.name_vi, found.name_en = names[0] or found.name_vi, names[1] or found.name_en
        found.rev += 1
        found.save(update_fields=["name_vi", "name_en", "rev", "updated_at"])
        log(actor, "list.renamed", "reference_list", found.pk, {"slug": slug})
    return found


@transaction.atomic
def _begin(actor: Actor, list_id: UUID, digest: str, rows: int) -> UUID:
    """Take the list over: from now on no older import of it writes."""
    token = new_id()
    ReferenceList.objects.filter(pk=list_id).update(import_token=token)
    log(actor, "list.import_started", "reference_list", list_id, {"sha256": digest, "rows": rows})
    return token


def _locked(list_id: UUID, token: UUID) -> ReferenceList:
    listed = ReferenceList.objects.select_for_update().get(pk=list_id)
    if listed.import_token != token:
        raise ImportSuperseded
    return listed


@transaction.atomic
def _put(actor: Actor, listed: ReferenceList, token: UUID, rows: Sequence[tuple[Any, ...]]) -> int:
    """Write one batch of new and changed entries."""
    _locked(listed.pk, token)
    puts, values = [], []
    for key, vi, en, data, is_valid, digest, rev in rows:
        oid, number, valid = entry_id(listed.slug, key), (rev or 0) + 1, bool(is_valid)
        puts.append((oid, number, body(key, (vi, en), data, valid=valid)))
        values.append((oid, number, key, vi, en, data, valid, digest, _searched(key, vi, en, data)))
    _write_entries(listed.pk, values)
    _tell(actor, listed, puts=puts)
    return len(puts)


@transaction.atomic
def _leave(actor: Actor, listed: ReferenceList, token: UUID, rows: Sequence[tuple[Any, ...]]) -> int:
    """Take one batch of entries out of the list; their rows stay, so that a return gets the next revision."""
    _locked(listed.pk, token)
    leaves = [(UUID(str(oid)), rev + 1) for _, oid, rev in rows]
    listed.entries.filter(pk__in=[oid for oid, _ in leaves]).update(
        is_listed=False, rev=F("rev") + 1, updated_at=timezone.now()
    )
    _tell(actor, listed, leaves=leaves)
    return len(leaves)


@transaction.atomic
def _end(actor: Actor, listed: ReferenceList, token: UUID, done: Imported, *, is_shipped: bool) -> None:
    """Write down that the list is as the file, and let the tasks know."""
    found = _locked(listed.pk, token)
    found.imported_at, found.entry_count, found.rev = timezone.now(), done.rows, found.rev + 1
    found.is_shipped = is_shipped
    found.save(update_fields=["imported_at", "entry_count", "is_shipped", "rev", "updated_at"])
    log(actor, "list.imported", "reference_list", found.pk, asdict(done))
    item = Item(
        "list.imported",
        "reference_list",
        found.pk,
        found.rev,
        data={"stream": list_stream(found.slug)},
    )
    record(actor, item)


def _tell(
    actor: Actor,
    listed: ReferenceList,
    *,
    puts: Sequence[tuple[UUID, int, str]] = (),
    leaves: Sequence[tuple[UUID, int]] = (),
) -> None:
    what, counts = "list.batch_imported", {"changed": len(puts), "left": len(leaves)}
    log(actor, what, "reference_list", listed.pk, counts)
    record_rows(
        actor,
        Rows(what, "reference_list", listed.pk, list_stream(listed.slug), KIND, puts=puts, leaves=leaves),
    )


def _searched(key: str, vi: str, en: str, data: str) -> str:
    """Give what a search of this entry looks through."""
    return fold(" ".join((key, vi, en, *orjson.loads(data).values())))


def _write_entries(list_id: UUID, values: Sequence[tuple[Any, ...]]) -> None:
    """Insert or overwrite the entries as a set: (id, revision, key, labels, data, valid, hash, search)."""
    names = ("id", "rev", "key", "label_vi", "label_en", "data", "valid", "hash", "search")
    columns = ", ".join((*names, "list_id", "is_listed", "created_at", "updated_at"))
    into = f"INSERT INTO reference_referenceentry ({columns})"
    moved = (*names[1:2], *names[3:], "is_listed", "updated_at")
    over = "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in moved)
    now = adapted(timezone.now())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            told = orjson.dumps([dict(zip(names, value, strict=True)) for value in values]).decode()
            cursor.execute(
                f"{into} SELECT u.id, u.rev, u.key, u.label_vi, u.label_en, u.data::jsonb, u.valid, u.hash, "  # noqa: S608  names alone
                "u.search, %s, true, %s, %s FROM json_to_recordset(%s::json) AS u(id uuid, rev int, key text, "
                f"label_vi text, label_en text, data text, valid bool, hash text, search text) {over}",
                [list_id, now, now, told],
            )
            return
        owner = adapted(list_id)
        cursor.executemany(
            f"{into} VALUES ({places(names)}, %s, %s, %s, %s) {over}",
            [(oid.hex, *rest, owner, True, now, now) for oid, *rest in values],
        )
