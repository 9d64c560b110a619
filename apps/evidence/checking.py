"""Are files, what devices signed of them, and receipts what the ledger says? For `verify_evidence`.

Each function gets rows that the caller has loaded together, so that a hundred thousand photos are no hundred thousand
questions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.core.files.storage import storages

from apps.accounts.checking import Devices
from apps.accounts.rules import as_der, fits
from apps.audit.checking import signed_by_known
from apps.audit.models import Event, Head
from apps.audit.queries import KnownKey, known_keys, said_in
from apps.audit.rules.findings import Finding
from apps.evidence.actions import original_hash
from apps.evidence.models import Attachment, Capture, Receipt
from apps.evidence.queries import facts_of
from apps.evidence.rules.manifests import MANIFEST_DIFFERS, SIGNED, agrees
from apps.evidence.storage import original_name

DECLARED, REMOVED = "attachment.declared", "attachment.removed"


@dataclass
class Files:
    """What was loaded about some files: rows by attachment, and their events, oldest first."""

    attachments: Mapping[UUID, Attachment]
    captures: Mapping[UUID, Capture]
    events: Mapping[UUID, Sequence[Event]]

    @classmethod
    def of(cls, ids: Collection[UUID]) -> Files:
        """Load everything about the files of these ids."""
        events: dict[UUID, list[Event]] = {}
        for event in Event.objects.filter(record_kind="attachment", oid__in=list(ids)).order_by("id"):
            if event.oid is not None:
                events.setdefault(event.oid, []).append(event)
        return cls(
            {row.pk: row for row in Attachment.objects.filter(pk__in=list(ids))},
            {row.pk: row for row in Capture.objects.filter(pk__in=list(ids))},
            events,
        )


@dataclass
class Bench:
    """What every check needs: the server's keys, the devices, the heads, and how much was looked at."""

    keys: Mapping[str, KnownKey] = field(default_factory=known_keys)
    devices: Devices = field(default_factory=Devices)
    heads: Collection[tuple[int, str]] = field(
        default_factory=lambda: {(s, bytes(r).hex()) for s, r in Head.objects.values_list("size", "root")}
    )
    files: int = 0
    receipts: int = 0
    records: int = 0
    older: int = 0  # from before events named what they set: only their bytes can be checked


def tells_of_row(event: Event) -> bool:
    """Tell whether an event gives the hash of all that is said of its record, at a revision.

    That a bundle was handed out stands among the events of a record too, with the hash of the zip.
    """
    return "rev" in event.data and "sha256" in event.data


def check_files(bench: Bench, ids: Collection[UUID]) -> Iterator[Finding]:
    """Check files by their ids: row, capture, signature, device and bytes against the events."""
    loaded = Files.of(ids)
    for pk in sorted(ids):
        events = loaded.events.get(pk, ())
        attachment, capture = loaded.attachments.get(pk), loaded.captures.get(pk)
        place = f"attachment {pk}"
        declared = next((event for event in events if event.action == DECLARED), None)
        gone = max((i for i, event in enumerate(events) if event.action == REMOVED), default=-1)
        events = events[gone + 1 :]
        if gone >= 0 and not events:
            continue
        bench.files += 1
        if attachment is None:
            yield Finding("attachment-missing", place)
        else:
            if not events or "rev" in events[0].data:
                yield from _check_row(attachment, events, place)
            yield from _check_bytes(attachment, place)
        if declared is not None and "rev" not in declared.data:
            bench.older += 1
        elif capture is None:
            yield Finding("capture-missing", place)
        elif declared is not None:
            yield from _check_capture(capture, declared, place)
            flags = attachment.flags if attachment else ()
            yield from _check_signature(bench, capture, place, is_odd=MANIFEST_DIFFERS in flags)


def _check_row(attachment: Attachment, events: Sequence[Event], place: str) -> Iterator[Finding]:
    """Add up what the events say was set, and compare."""
    said: dict[str, Any] = {}
    revs = set()
    for event in events:
        if "rev" in event.data:
            revs.add(event.data["rev"])
            said.update(event.data)
    for rev in sorted(set(range(1, attachment.rev + 1)) - revs):
        yield Finding("event-missing", place, f"revision {rev}")
    names = [name for name in said if name in _FIELDS]
    for name, value in facts_of(attachment, names).items():
        if orjson.loads(orjson.dumps(value)) != said[name]:
            yield Finding("attachment-differs", place, name)


_FIELDS = frozenset(f.attname for f in Attachment._meta.concrete_fields)  # noqa: SLF001  the documented name


def _check_bytes(attachment: Attachment, place: str) -> Iterator[Finding]:
    if attachment.state != Attachment.State.STORED:
        return
    found = original_hash(attachment)
    if found is None:
        yield Finding("original-missing", place, attachment.original)
    elif found != (attachment.sha256, attachment.size):
        yield Finding("original-bytes", place, attachment.original)


def _check_capture(capture: Capture, declared: Event, place: str) -> Iterator[Finding]:
    said = declared.data
    manifest = bytes(capture.manifest)
    now = {
        "owner_kind": capture.owner_kind,
        "owner_id": str(capture.owner_id),
        "device_id": str(capture.device_id) if capture.device_id else None,
        "sha256": capture.sha256,
        "size": capture.size,
        "verdict": capture.verdict,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest() if manifest else None,
        "signature": bytes(capture.signature).hex() or None,
        "device_seq": capture.device_seq,
        "received_at": capture.received_at.isoformat(),
    }
    for name, value in now.items():
        if said.get(name) != value:
            yield Finding("capture-differs", place, name)
    if as_der(bytes(capture.signature)) != bytes(capture.signature_der):
        yield Finding("signature-forms", place)


def _check_signature(bench: Bench, capture: Capture, place: str, *, is_odd: bool) -> Iterator[Finding]:
    if capture.device_id is None:
        return
    device = bench.devices.get(capture.device_id)
    if device is None:
        yield Finding("device-missing", place, f"device {capture.device_id}")
        return
    yield from bench.devices.check_statement(device, bench.keys)
    if bench.devices.was_shut_out(device, capture.received_at):
        yield Finding("device-revoked", place, f"device {device.pk}")
    if capture.verdict != SIGNED:
        return
    manifest = bytes(capture.manifest)
    if not fits(device.public_key, bytes(capture.signature_der), manifest):
        yield Finding("manifest-signature", place)
    is_named = agrees(
        manifest,
        owner_id=capture.owner_id,
        device_id=capture.device_id,
        sha256=capture.sha256,
        size=capture.size,
    )
    if not is_named and not is_odd:
        yield Finding("manifest-content", place)


def check_receipts(bench: Bench, receipts: Iterable[Receipt]) -> Iterator[Finding]:
    """Check receipts: signature, columns, the event they name, the head, and the photos."""
    for receipt in receipts:
        bench.receipts += 1
        place = f"receipt {receipt.pk}"
        body = bytes(receipt.body)
        wrong = signed_by_known(bench.keys, receipt.key_id, receipt.at, bytes(receipt.signature), body)
        if wrong:
            yield Finding("receipt-signature" if wrong == "signature" else wrong, place)
        issued = Event.objects.filter(record_kind="receipt", oid=receipt.pk, action="receipt.issued").first()
        if issued is None:
            yield Finding("event-missing", place, "receipt.issued")
        elif issued.data.get("sha256") != hashlib.sha256(body).hexdigest():
            yield Finding("receipt-differs", place, "not the receipt that was issued")
        elif issued.data.get("posting") != str(receipt.posting_id):
            yield Finding("receipt-differs", place, "posting")
        for what in _wrong_in(bench, receipt, said_in(body)):
            yield Finding("receipt-differs", place, what)


def _wrong_in(bench: Bench, receipt: Receipt, said: Mapping[str, Any]) -> Iterator[str]:
    columns = {
        "record_kind": receipt.owner_kind,
        "record_id": str(receipt.owner_id),
        "version": receipt.version,
        "key_id": receipt.key_id,
        "server_time": receipt.at.isoformat(),
    }
    yield from (name for name, value in columns.items() if said.get(name) != value)
    named = said.get("event") or {}
    event = Event.objects.filter(pk=receipt.event_id).first()
    if event is None or named != {"id": str(event.pk), "leaf_hash": bytes(event.leaf_hash).hex()}:
        yield "event"
    head = said.get("head") or {}
    if (head.get("size"), head.get("root")) not in bench.heads:
        yield "head"
    photos = {photo["id"]: photo for photo in said.get("photos", ())}
    for capture in Capture.objects.filter(pk__in=list(photos)):
        photo = photos.pop(str(capture.pk))
        manifest = bytes(capture.manifest)
        now = (
            capture.sha256,
            capture.size,
            capture.verdict,
            hashlib.sha256(manifest).hexdigest() if manifest else None,
            capture.owner_id,
        )
        then = (photo["sha256"], photo["size"], photo["signed"], photo["manifest_sha256"], receipt.owner_id)
        if now != then:
            yield f"photo {capture.pk}"
    yield from (f"photo {pk}" for pk in photos)


def gone_receipts(records: Collection[UUID] | None = None) -> Iterator[Finding]:
    """Name the receipts that were issued and are not here, for some records or for all."""
    events = Event.objects.filter(record_kind="receipt", action="receipt.issued")
    here = set(Receipt.objects.values_list("pk", flat=True)) if records is None else None
    for event in events.iterator(chunk_size=2000) if records is None else _about(events, records):
        if event.oid is not None and (
            event.oid not in here if here is not None else not Receipt.objects.filter(pk=event.oid).exists()
        ):
            yield Finding("receipt-missing", f"receipt {event.oid}", f"version {event.data.get('version')}")


def _about(events: Any, records: Collection[UUID]) -> Iterable[Event]:
    wanted = [str(pk) for pk in records]
    found: Iterable[Event] = events.filter(data__record_id__in=wanted)
    return found


def unknown_files() -> Iterator[Finding]:
    """Name the files among the originals that no row names. Raises OSError."""
    storage = storages["evidence"]
    known = {
        original_name(sha256)
        for sha256 in Attachment.objects.values_list("sha256", flat=True).distinct().iterator()
    }
    for name in _files_below(storage, "sha256"):
        if name not in known:
            yield Finding("file-unknown", name)


def _files_below(storage: Any, place: str) -> Iterator[str]:
    try:
        directories, files = storage.listdir(place)
    except FileNotFoundError:
        return
    yield from (f"{place}/{name}" for name in sorted(files))
    for name in sorted(directories):
        yield from _files_below(storage, f"{place}/{name}")


def reused_numbers() -> Iterator[Finding]:
    """Name the manifests of one device that differ and bear the same number."""
    last: tuple[UUID | None, int | None, bytes] = (None, None, b"")
    rows = Capture.objects.exclude(device_seq=None).filter(verdict=SIGNED).order_by("device_id", "device_seq")
    for pk, device, seq, manifest in rows.values_list("pk", "device_id", "device_seq", "manifest").iterator():
        if (device, seq) == last[:2] and bytes(manifest) != last[2]:
            yield Finding("sequence-reused", f"device {device}", f"number {seq}, attachment {pk}")
        last = (device, seq, bytes(manifest))


def gaps() -> Iterator[str]:
    """Say which numbers of devices' manifests have not come: they may still be on the phones."""
    last: tuple[UUID | None, int] = (None, 0)
    rows = Capture.objects.exclude(device_seq=None).filter(verdict=SIGNED).order_by("device_id", "device_seq")
    for device, number in rows.values_list("device_id", "device_seq").iterator():
        seq = number or 0
        before = last[1] if device == last[0] else 0
        if seq > before + 1:
            yield f"device {device}: numbers {before + 1} to {seq - 1} have not come"
        last = (device, seq)
