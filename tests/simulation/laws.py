"""The laws: what must hold when the network has healed, phones have synchronised and the worker has nothing to do."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from apps.accounts.actions import reinstate_officer
from apps.accounts.models import Device, Officer
from apps.accounts.queries import actor_for
from apps.audit.models import Event
from apps.changes.models import Change, Entry, Reaction, Stream
from apps.changes.rules import DIGEST_MASK, REF, post_stream, row_digest
from apps.checklists.models import ChecklistVersion
from apps.checklists.queries import body as checklist_body
from apps.common.actor import SYSTEM, Actor
from apps.evidence.models import Attachment, Upload
from apps.evidence.queries import body as attachment_body
from apps.inspections.models import InspectionReport, ReportVersion
from apps.inspections.queries import body as report_body
from apps.inspections.queries import photos_missing
from apps.inspections.rules import flatten
from apps.reference.models import ReferenceList
from apps.reference.rules import list_stream
from apps.reporting.queries import differences
from apps.sync.models import Mutation
from tests.simulation.handset import Handset, KillableStore
from tests.simulation.world import Made, World, removed_photos

# What a phone holds: (stream, kind, id) → (revision, body).
Held = dict[tuple[str, str, str], tuple[int, Any]]
ROUNDS = 15
JOURNAL_DAYS = 14


def settle(world: World) -> None:
    """Heal everything and let phones and worker go on until nothing moves."""
    world.tell("— everything heals —")
    server = world.server
    while world.network.late:
        world.network.bring_late(0)
    for officer in Officer.objects.filter(is_active=False):
        reinstate_officer(actor=SYSTEM, officer=officer, reason="-")
    for i in range(ROUNDS):
        server.clock.pass_by(
            100 if i < 2 else 1000
        )  # long enough for what is overdue, then for phones that wait
        before = _standing(world)
        for phone in world.phones:
            outcome = phone.contact(phone.sync)
            if outcome not in {"is done", "is wiped", "wipes itself"}:
                world.tell(f"  {phone.name} {outcome}")
        if i == 0:
            server.drain()
            world.beat()
        server.run("changes.sweep")
        server.drain()
        if i and _standing(world) == before:
            return
    raise AssertionError(f"phones and server never come to rest: {_standing(world)}")


def check(world: World) -> None:
    """Hold the story against every law."""
    _feed_adds_up()
    _nothing_is_owed()
    receipts = {str(m.pk): m for m in Mutation.objects.all()}
    may: dict[str, Held] = {}
    for phone in world.phones:
        if phone.is_wiped:
            continue
        officer = Officer.objects.get(username=phone.username)
        actor = actor_for(officer)
        assert phone.wire.resets == 0, f"{phone.name} disagreed with the server's sums and had to load anew"
        _nothing_is_lost(world, phone, receipts)
        if phone.username not in may:
            may[phone.username] = _may_hold(actor)
        _old_equals_fresh(phone, actor, may[phone.username])
        _photos_are_whole(world, phone)
    _reports_are_what_was_written(world, list(receipts.values()))
    _late_work_ends(receipts.values())
    _lost_phones_are_wiped(world)
    _numbers_have_no_gaps()
    _figures_are_counted()
    _audit_tells_all()
    _files_are_whole(world)
    _sending_again_changes_nothing(world)


def content(world: World) -> set[str]:
    """Say what a story came to, so that a run can tell what its stories were made of."""
    found = {f"mutation {status}" for status in Mutation.objects.values_list("status", flat=True)}
    found |= {f"report {state}" for state in InspectionReport.objects.values_list("state", flat=True)}
    found |= {f"photo {state}" for state in Attachment.objects.values_list("state", flat=True)}
    signs = {
        "crash": "the server dies",
        "power": "the power fails",
        "late request": "  late, ",
        "restore": "is restored from",
        "killed app": "is killed on the way",
        "cut off": "is cut off",
        "edited apart": " with pulling",
        "signs in again": "sessions/challenge",
        "post left": "leaves the post",
        "wiped": "wipes itself",
        "insists": " insists on ",
        "photo by two requests": "PATCH",
    }
    text = "\n".join(world.story)
    found |= {name for name, sign in signs.items() if sign in text}
    if len(set(InspectionReport.objects.values_list("device", flat=True))) > 1:
        found.add("several devices")
    if InspectionReport.objects.filter(version__gt=1).exists():
        found.add("second version")
    return found


def _standing(world: World) -> tuple[Any, ...]:
    phones = tuple(
        (
            *phone.store.execute("SELECT state, count(*) FROM outbox GROUP BY 1 ORDER BY 1").fetchall(),
            *phone.store.execute("SELECT state, count(*) FROM photo GROUP BY 1 ORDER BY 1").fetchall(),
        )
        for phone in world.phones
        if not phone.is_wiped
    )
    streams = tuple(Stream.objects.order_by("pk").values_list("pk", "seq"))
    return phones, streams, Mutation.objects.count()


def _feed_adds_up() -> None:
    """Each stream's count and digest are those of its entries; no number stands twice or above the head."""
    live: dict[str, list[tuple[str, UUID, int]]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    for stream, kind, oid, seq, op, rev in Entry.objects.values_list(
        "stream_id", "kind", "oid", "seq", "op", "rev"
    ):
        numbers[stream].append(seq)
        if op == "put":
            live[stream].append((kind, oid, rev))
    for pk, seq, n, h in Stream.objects.values_list("pk", "seq", "n", "h"):
        digest = sum(row_digest(*row) for row in live[pk]) & DIGEST_MASK
        assert (n, h) == (len(live[pk]), digest), f"{pk}: count and digest {n}, {h}"
        assert max(numbers[pk], default=0) <= seq, f"{pk}: a number above the head"
        assert len(set(numbers[pk])) == len(numbers[pk]), f"{pk}: a number twice"


def _nothing_is_owed() -> None:
    owed = list(Reaction.objects.filter(done_at=None).values_list("task", "change__kind"))
    assert not owed, f"owed and not done: {owed}"
    assert not Change.objects.filter(relayed_at=None).exists(), "a change was never relayed"


def _nothing_is_lost(world: World, phone: Handset, receipts: dict[str, Mutation]) -> None:
    """Everything an officer wrote is on the server with one receipt, or before the officer's eyes with its text."""
    rows = {
        row[0]: row[1:]
        for row in phone.store.execute(
            "SELECT seq, id, type, object, fields, state, result FROM outbox"
        ).fetchall()
    }
    for seq, made in world.made[phone.name].items():
        assert seq in rows, f"{phone.name} has lost what it wrote: {made}"
        pk, kind, oid, fields, state, result = rows[seq]
        assert (kind, oid, json.loads(fields)) == (made.type, made.object, made.fields), (
            f"{phone.name} changed a text"
        )
        told = json.loads(result) if result else {}
        receipt = receipts.get(pk)
        if state == "done":
            if receipt is None:
                assert _is_long_ago(world, pk), f"acknowledged and not on the server: {made} {told}"
                continue
            assert receipt.status == "applied", f"told applied, the receipt says {receipt.status}: {made}"
        elif state == "attention":
            is_taken = receipt is not None and receipt.status == "applied"
            assert not is_taken or _judged_anew(world, phone), f"applied, but the officer is asked: {made}"
        elif state == "waiting":
            assert _may_wait(phone, seq, told), f"waits for ever: {made} {told}"
        else:
            assert state == "answered", f"{state} at rest: {made}"
        if receipt is not None and receipt.payload:
            sent = json.loads(receipt.payload)
            assert (sent["object"], sent["fields"]) == (oid, made.fields), "the receipt holds another text"


def _judged_anew(world: World, phone: Handset) -> bool:
    """Tell whether a server that had forgotten its refusal may have taken the same mutation from a late repetition.

    Or a restore brought back a server that had taken what the one before refused.
    """
    if len(world.restores) > 1:
        return True
    restored = [i for i, line in enumerate(world.story) if "is restored from the backup" in line]
    late = f"late, {phone.name}'s POST sync/push"
    return bool(restored) and any(line.startswith(late) for line in world.story[restored[0] :])


def _is_long_ago(world: World, pk: str) -> bool:
    """Tell whether the receipt may be gone: by age, or because a restore came when the journal had let go of it."""
    taken = world.taken.get(pk, world.scene.moment)
    if (world.server.clock.moment - taken).days >= settings.KEEP.receipt_days:
        return True
    at = world.acked.get(pk, world.scene.moment)
    return any((to - at).days >= JOURNAL_DAYS for _, to in world.restores)


def _may_wait(phone: Handset, seq: int, told: dict[str, Any]) -> bool:
    """What waits at rest waits for the officer's word on something before it."""
    behind = phone.store.execute(
        "SELECT count(*) FROM outbox o, outbox p WHERE o.seq=? AND p.seq < o.seq AND (p.object=o.object "
        "OR o.depends LIKE '%' || p.id || '%') AND p.state IN ('attention','waiting','answered')",
        (seq,),
    ).fetchone()[0]
    return bool(behind) or told.get("code") == "dependency-failed"


def _old_equals_fresh(phone: Handset, actor: Actor, may: Held) -> None:
    """A phone that lived through the story holds what a new one loads, and that is what it may hold, and all of it."""
    fresh = Handset(phone.network, phone.name, phone.username, phone.store.real.serialize())
    fresh.wire.heard = lambda _path, _answer: None
    fresh.store.execute("DELETE FROM base")
    fresh.put("cursor", "")
    with fresh.in_hand():
        fresh.pull()
    old, new = _held(phone.store), _held(fresh.store)
    assert old == new, f"{phone.name} differs from a fresh phone: {_difference(old, new)}"
    kinds = {"inspection", "attachment", "checklist"}
    held = {key: row for key, row in new.items() if key[1] in kinds}
    assert held == may, f"{phone.name} does not hold what it should: {_difference(held, may)}"
    posts = {key[2] for key in new if key[1] == "posting"}
    assert posts == {str(pk) for pk in actor.post_ids()}, f"{phone.name} holds the postings {posts}"
    streams = {stream for stream, _, _ in new}
    lists = {list_stream(slug) for slug in ReferenceList.objects.values_list("slug", flat=True)}
    assert streams <= {REF, *lists, *(post_stream(UUID(str(p))) for p in actor.post_ids())}, streams
    fresh.close()


def _held(store: KillableStore) -> Held:
    rows = store.execute("SELECT stream, kind, id, rev, body FROM base").fetchall()
    return {(s, k, i): (rev, json.loads(body)) for s, k, i, rev, body in rows}


def _may_hold(actor: Actor) -> Held:
    """Give what this person's phone should hold, from the tables of the domain and `visible_to` alone."""
    held: Held = {}
    if not actor.posts:
        return held
    for report in InspectionReport.objects.visible_to(actor).filter(officer_id=actor.person):
        held[post_stream(report.posting_id), "inspection", str(report.pk)] = (report.rev, report_body(report))
    for photo in Attachment.objects.visible_to(actor).filter(officer_id=actor.person):
        held[post_stream(photo.posting_id), "attachment", str(photo.pk)] = (photo.rev, attachment_body(photo))
    for version in ChecklistVersion.objects.visible_to(actor).on_phones().select_related("checklist"):
        held[REF, "checklist", str(version.pk)] = (version.rev, checklist_body(version))
    return {key: (rev, orjson.loads(orjson.dumps(body))) for key, (rev, body) in held.items()}


def _difference(one: dict[Any, Any], other: dict[Any, Any]) -> str:
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    lines = []
    for key in keys[:3]:
        mine, yours = one.get(key), other.get(key)
        if mine and yours and isinstance(mine[1], dict) and isinstance(yours[1], dict):
            names = [n for n in {**mine[1], **yours[1]} if mine[1].get(n) != yours[1].get(n)]
            lines.append(
                f"{key}: rev {mine[0]}/{yours[0]}, {[(n, mine[1].get(n), yours[1].get(n)) for n in names[:4]]}"
            )
        else:
            lines.append(f"{key}: {'here' if mine else 'missing'} / {'here' if yours else 'missing'}")
    return f"{len(keys)} rows; " + "; ".join(lines)


def _was_let_go(world: World, phone: Handset, photo: str) -> bool:
    """Tell whether a restore came when the journal no longer held the declaration of a photo."""
    declared = phone.store.execute("SELECT id, state FROM outbox WHERE object=?", (photo,)).fetchone()
    return bool(declared[1] == "done" and _is_long_ago(world, declared[0]))


def _photos_are_whole(world: World, phone: Handset) -> None:
    """A photo is stored with its hash, or still on the phone, or no report came for it in 30 days."""
    removed = world.removed | removed_photos()
    rows = phone.store.execute("SELECT id, sha256, bytes, state FROM photo").fetchall()
    states = {str(a.pk): a for a in Attachment.objects.all()}
    for pk, sha256, data, state in rows:
        attachment = states.get(pk)
        if attachment is None and (pk in removed or (data is None and _was_let_go(world, phone, pk))):
            continue
        if data is None:
            assert attachment is not None and attachment.state == "stored", f"photo {pk[-4:]} is nowhere"  # noqa: PT018
        else:
            assert hashlib.sha256(data).hexdigest() == sha256, "the phone's copy is damaged"
        if attachment is not None:
            assert attachment.sha256 == sha256, "another photo under this id"
            declared = phone.store.execute("SELECT state FROM outbox WHERE object=?", (pk,)).fetchone()
            if declared == ("done",):
                assert attachment.state == "stored", (
                    f"photo {pk[-4:]} is {state} here, {attachment.state} there"
                )


def _reports_are_what_was_written(world: World, receipts: Iterable[Mutation]) -> None:
    """Each field holds what the last applied edit of it said; no report is there that nobody made, or twice."""
    edits: dict[str, list[dict[str, Any]]] = defaultdict(list)
    made_by = _made(world)
    for receipt in sorted(receipts, key=lambda m: m.received_at):
        if receipt.payload and receipt.status == "applied" and receipt.type.startswith("inspection."):
            told = json.loads(receipt.result)
            by = {"rev": told["rev"], "device": receipt.device_id, "made": made_by.get(str(receipt.pk))}
            edits[str(receipt.oid)].append({**json.loads(receipt.payload), **by})
    reports = {str(r.pk): r for r in InspectionReport.objects.all()}
    made = {m.object for rows in world.made.values() for m in rows.values()}
    assert set(reports) <= made, "a report that nobody made"
    if (world.server.clock.moment - world.scene.moment).days >= settings.KEEP.receipt_days:
        return  # receipts have been let go, and what comes now is judged anew
    forgotten = _forgotten(world, receipts)
    for oid, mutations in edits.items():
        if oid in forgotten:
            continue
        wanted: dict[str, Any] = {}
        submitted = False
        _overwrites_nothing_unseen(oid, mutations, is_restored=bool(world.restores))
        for mutation in mutations:
            if mutation["type"] == "inspection.discard":
                wanted, submitted = {}, False
            else:
                wanted |= flatten(mutation["fields"])
                submitted = submitted or mutation["type"] == "inspection.submit"
        report = reports.get(oid)
        assert (report is not None) == bool(wanted), (
            f"report {oid[-4:]} {'is gone' if wanted else 'was discarded'}"
        )
        if report is not None:
            _holds(report, wanted)
            assert bool(report.number) == submitted, (
                f"report {oid[-4:]}: submitted {submitted}, {report.number!r}"
            )


def _made(world: World) -> dict[str, Made]:
    """Give what officers wrote, by the id under which their phones sent it."""
    found: dict[str, Made] = {}
    for phone in world.phones:
        ids = dict(phone.store.execute("SELECT seq, id FROM outbox").fetchall())
        found |= {ids[seq]: made for seq, made in world.made[phone.name].items() if seq in ids}
    return found


def _overwrites_nothing_unseen(oid: str, mutations: list[dict[str, Any]], *, is_restored: bool) -> None:
    """An edit that was applied was made in sight of what it replaced, or was sent by the same phone before.

    A record that has left the phone was seen as the phone's earlier edits saw it. What an officer wrote on a phone
    never replaces what was written on it later, whatever was refused, sent again, or insisted on meanwhile.
    """
    seen: dict[str, tuple[int, Any, Any]] = {}
    sight: dict[Any, int] = defaultdict(lambda: 1)
    for mutation in mutations:
        if mutation["type"] == "inspection.discard":
            seen = {}
            continue
        made = mutation["made"]
        bases = [mutation["base_rev"]]
        if made is not None and not is_restored and mutation["base_rev"] is not None:
            sight[mutation["device"]] = max(sight[mutation["device"]], made.seen)
            bases.append(sight[mutation["device"]])
        for key, value in flatten(mutation["fields"]).items():
            rev, before, device = seen.get(key, (0, None, None))
            is_foreign = before != value and device != mutation["device"]
            is_older = device == mutation["device"] and _written(value) < _written(before)
            assert is_restored or not is_older, f"report {oid[-4:]}: {value!r} replaced the newer {before!r}"
            unseen = is_foreign and any(base is not None and rev > base for base in bases)
            assert not unseen, f"report {oid[-4:]}: {value!r} replaced {before!r} without having seen it"
            if before != value:
                seen[key] = (mutation["rev"], value, mutation["device"])


def _written(value: Any) -> int:
    """Tell when a word was written: they are numbered through the story. 0 for what is no such word."""
    found = re.search(r"word-(\d+)", json.dumps(value))
    return int(found[1]) if found else 0


def _late_work_ends(receipts: Iterable[Mutation]) -> None:
    """Work for a post that was left is taken for some days, and then no more."""
    posts = dict(InspectionReport.objects.values_list("pk", "posting__valid_to"))
    for receipt in receipts:
        left = posts.get(receipt.oid) if receipt.oid and receipt.type != "inspection.discard" else None
        if left and receipt.status == "applied":
            late = receipt.received_at - left
            assert late <= settings.MOVED_OFFICER_GRACE, (
                f"taken {late} after the post was left: {receipt.payload}"
            )


def _lost_phones_are_wiped(world: World) -> None:
    lost = {str(pk) for pk in Device.objects.filter(state="lost").values_list("pk", flat=True)}
    held = {phone.get("device_id") for phone in world.phones if not phone.is_wiped}
    assert not lost & held, "a lost phone still holds its records"


def _forgotten(world: World, receipts: Iterable[Mutation]) -> set[str]:
    """Give the objects of which some receipt or payload has been let go by age, so that they tell no whole story."""
    known = {str(m.pk) for m in receipts}
    gone = {str(m.oid) for m in receipts if not m.payload}
    for phone in world.phones:
        rows = phone.store.execute("SELECT id, object FROM outbox WHERE state='done'").fetchall()
        gone |= {oid for pk, oid in rows if pk not in known}
    return gone


def _holds(report: InspectionReport, wanted: dict[str, Any]) -> None:
    for key, value in wanted.items():
        if key in {"remarks", "place"} or key.startswith(("answers.step_3", "photos.")):
            part, _, step = key.partition(".")
            now = getattr(report, part)
            found = now.get(step) if step else now
            assert found == value, f"report {str(report.pk)[-4:]}: {key} is {found!r}, last written {value!r}"
    versions = sorted(ReportVersion.objects.filter(report=report).values_list("version", flat=True))
    assert versions == list(range(1, report.version + 1)), f"versions {versions} of {report.version}"
    if report.state == "media_pending":
        assert photos_missing(report), f"report {str(report.pk)[-4:]} waits for photos that are all here"


def _numbers_have_no_gaps() -> None:
    given: dict[str, list[int]] = defaultdict(list)
    for number in InspectionReport.objects.exclude(number=None).values_list("number", flat=True):
        series, _, count = str(number).rpartition("-")
        given[series].append(int(count))
    for series, counts in given.items():
        assert sorted(counts) == list(range(1, len(counts) + 1)), f"{series}: {sorted(counts)}"


def _figures_are_counted() -> None:
    found = differences()
    assert not found, f"figures differ from the rows: {found}"


def _audit_tells_all() -> None:
    """Each change has its event in the audit."""
    changes = Counter(Change.objects.exclude(kind="attachment.bound").values_list("kind", "oid"))
    events = Counter(Event.objects.values_list("action", "oid"))
    missing = [key for key, times in changes.items() if events[key] < times]
    assert not missing, f"without an audit event: {missing}"


def _files_are_whole(world: World) -> None:
    root = world.server.disk.root
    for photo in Attachment.objects.filter(state="stored"):
        path = root / photo.original
        assert path.exists(), f"the bytes of {photo.pk} are not there"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == photo.sha256, (
            f"the bytes of {photo.pk} differ"
        )
    spool = root / "uploads"
    left = {path.name for path in spool.iterdir()} if spool.exists() else set()
    open_ones = {
        str(pk) for pk in Upload.objects.filter(ended_at=None, finished_at=None).values_list("pk", flat=True)
    }
    assert left <= open_ones, f"bytes that nobody waits for: {left - open_ones}"


def _sending_again_changes_nothing(world: World) -> None:
    before = _everything()
    for phone in world.phones:
        if phone.is_wiped:
            continue
        since = world.server.clock.moment.timestamp() - JOURNAL_DAYS * 86400
        rows = phone.store.execute(
            "SELECT body FROM journal WHERE acked_at > ? ORDER BY seq", (since,)
        ).fetchall()
        bodies = [json.loads(body) for (body,) in rows]
        if bodies:
            with phone.in_hand():
                answer = phone.call(
                    "POST", "/sync/push", {"device_id": phone.get("device_id"), "mutations": bodies[:200]}
                )
            odd = [r for r in answer["results"] if r["status"] != "duplicate"]
            assert not odd, f"not a duplicate: {odd}"
    assert _everything() == before, "sending the journal again changed the server"


TABLES = (
    "inspections_inspectionreport",
    "inspections_reportversion",
    "inspections_reviewnote",
    "evidence_attachment",
    "changes_entry",
    "changes_stream",
    "changes_change",
    "audit_event",
    "sync_mutation",
)


def _everything() -> list[Any]:
    with connection.cursor() as cursor:
        found = []
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")
            found.append(sorted(map(repr, cursor.fetchall())))
        return found
