"""Declaring a file: the row, the feed, the claims, and what happens when it is said twice."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from apps.accounts.rules import load_key
from apps.audit.models import Event
from apps.changes.models import Change, Entry
from apps.changes.rules import post_stream
from apps.common.errors import ExistsDifferent, InvalidFields
from apps.evidence import actions
from apps.evidence.models import Attachment, Capture
from apps.evidence.rules.manifests import manifest_bytes
from tests import evidence_images as images
from tests.cast import Cast, Key
from tests.evidence import declare

PHOTO = images.jpeg()


def test_a_declaration_reaches_row_feed_outbox_and_audit(cast: Cast) -> None:
    when = "2026-11-21T08:00:00+07:00"
    attachment = declare(cast.officer, PHOTO, step_key="xray", purpose="seal", captured_on_device_at=when)
    assert (attachment.state, attachment.rev, attachment.is_draft) == ("expected", 1, True)
    assert attachment.unit_id == cast.noi_bai.pk
    assert attachment.device_id == cast.officer.phone.device.pk
    entry = Entry.objects.get(oid=attachment.pk)
    assert entry.stream_id == post_stream(cast.officer.posting.pk)
    body = json.loads(entry.body)
    assert body == {
        "id": str(attachment.pk),
        "owner_kind": "inspection",
        "owner_id": str(attachment.owner_id),
        "step_key": "xray",
        "purpose": "seal",
        "sha256": attachment.sha256,
        "size": len(PHOTO),
        "mime": "image/jpeg",
        "state": "expected",
        "failure": "",
        "stored_at": None,
        "captured_on_device_at": "2026-11-21T01:00:00+00:00",
        "flags": [],
        "rev": 1,
    }
    change = Change.objects.get(kind="attachment.declared", oid=attachment.pk)
    assert change.data == {"owner_kind": "inspection", "owner_id": str(attachment.owner_id)}
    assert Event.objects.filter(action="attachment.declared", oid=attachment.pk).count() == 1


def test_saying_it_again_changes_nothing(cast: Cast) -> None:
    first = declare(cast.officer, PHOTO)
    again = declare(cast.officer, PHOTO, id=first.pk, owner_id=first.owner_id)
    assert (again.pk, again.rev) == (first.pk, 1)
    assert Change.objects.filter(oid=first.pk).count() == 1


def test_another_file_under_the_same_id_is_refused(cast: Cast) -> None:
    first = declare(cast.officer, PHOTO)
    for member, data, owner in (
        (cast.officer, PHOTO + b"x", first.owner_id),
        (cast.officer, PHOTO, uuid4()),
        (cast.team_mate, PHOTO, first.owner_id),
    ):
        with pytest.raises(ExistsDifferent) as caught:
            declare(member, data, id=first.pk, owner_id=owner)
        assert caught.value.current is None


def test_hostile_text_is_refused_by_its_place(cast: Cast) -> None:
    with pytest.raises(InvalidFields) as caught:
        declare(cast.officer, PHOTO, step_key="a\x00b", manifest="\ud800")
    assert {fault.pointer for fault in caught.value.errors} == {"/fields/step", "/fields/manifest"}
    assert not Attachment.objects.exists()


def webcrypto(key: Key, message: bytes) -> bytes:
    """Sign as WebCrypto does: 64 bytes r‖s."""
    r, s = decode_dss_signature(key.private.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def said(cast: Cast, data: bytes, owner: UUID, **changed: object) -> bytes:
    """Compose a manifest as a phone does."""
    facts = {
        "v": 1,
        "device_seq": 7,
        "report": str(owner),
        "device": str(cast.officer.phone.device.pk),
        "photos": [{"id": "x", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}],
    }
    return json.dumps({**facts, **changed}, indent=1, ensure_ascii=False).encode()


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_manifest_and_signature_are_kept_verbatim_in_both_forms(cast: Cast) -> None:
    owner = uuid4()
    manifest = said(cast, PHOTO, owner, note="ảnh  ")
    raw = webcrypto(cast.officer.phone.key, manifest)
    attachment = declare(
        cast.officer, PHOTO, owner_id=owner, manifest=b64url(manifest), signature=b64url(raw)
    )
    assert attachment.flags == []
    capture = Capture.objects.get(pk=attachment.pk)
    assert (bytes(capture.manifest), bytes(capture.signature)) == (manifest, raw)
    assert (capture.verdict, capture.device_seq, capture.sha256) == ("signed", 7, attachment.sha256)
    key = load_key(cast.officer.phone.device.public_key)
    key.verify(bytes(capture.signature_der), manifest, ec.ECDSA(SHA256()))
    event = Event.objects.get(action="attachment.declared", oid=attachment.pk)
    assert event.data["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert event.data["signature"] == raw.hex()


@pytest.mark.parametrize(
    "encode",
    [lambda raw: base64.b64encode(raw).decode(), b64url, lambda raw: b64url(raw) + "=="],
    ids=["base64", "base64url", "padded"],
)
def test_a_manifest_as_plain_text_and_any_base64_of_a_signature_are_understood(
    cast: Cast, encode: Callable[[bytes], str]
) -> None:
    owner = uuid4()
    manifest = said(cast, PHOTO, owner)
    raw = webcrypto(cast.officer.phone.key, manifest)
    attachment = declare(
        cast.officer, PHOTO, owner_id=owner, manifest=manifest.decode(), signature=encode(raw)
    )
    assert attachment.flags == []
    assert bytes(Capture.objects.get(pk=attachment.pk).manifest) == manifest


def test_old_apps_sign_nothing_and_are_taken(cast: Cast) -> None:
    attachment = declare(cast.officer, PHOTO)
    capture = Capture.objects.get(pk=attachment.pk)
    assert (attachment.flags, capture.verdict, bytes(capture.signature)) == ([], "unsigned", b"")
    assert Event.objects.get(action="attachment.declared", oid=attachment.pk).data["verdict"] == "unsigned"


@pytest.mark.parametrize(
    "changed",
    [
        {"report": str(uuid4())},
        {"device": str(uuid4())},
        {"photos": []},
        {"photos": "none"},
        {"photos": [{"sha256": "0" * 64, "bytes": len(PHOTO)}]},
        {"photos": [7, {"sha256": hashlib.sha256(PHOTO).hexdigest(), "bytes": 1}]},
    ],
)
def test_a_manifest_that_says_something_else_is_flagged(cast: Cast, changed: dict[str, object]) -> None:
    owner = uuid4()
    manifest = said(cast, PHOTO, owner, **changed)
    raw = webcrypto(cast.officer.phone.key, manifest)
    attachment = declare(
        cast.officer, PHOTO, owner_id=owner, manifest=b64url(manifest), signature=b64url(raw)
    )
    assert attachment.flags == ["manifest-differs"]


@pytest.mark.parametrize(
    "manifest", ["[]", "null", pytest.param("[" * 30_000, id="deep"), "\ufeff{}", "e30", "A"]
)
def test_a_signed_manifest_that_cannot_be_read_is_flagged(cast: Cast, manifest: str) -> None:
    raw = webcrypto(cast.officer.phone.key, manifest_bytes(manifest))
    attachment = declare(cast.officer, PHOTO, manifest=manifest, signature=b64url(raw))
    assert attachment.flags == ["manifest-differs"]


@pytest.mark.parametrize("signature", ["AAAA", "%%%", "x" * 399, base64.b64encode(b"\x00" * 64).decode()])
def test_a_signature_that_does_not_fit_is_flagged_never_refused(cast: Cast, signature: str) -> None:
    attachment = declare(cast.officer, PHOTO, manifest="{}", signature=signature)
    assert attachment.flags == ["signature-invalid"]


def test_anothers_signature_does_not_fit(cast: Cast) -> None:
    raw = webcrypto(Key(), b"{}")
    attachment = declare(cast.officer, PHOTO, manifest="{}", signature=base64.b64encode(raw).decode())
    assert attachment.flags == ["signature-invalid"]


def test_publishing_shows_a_records_files_once(cast: Cast) -> None:
    first = declare(cast.officer, PHOTO)
    second = declare(cast.officer, PHOTO, owner_id=first.owner_id)
    other = declare(cast.officer, PHOTO)

    def publish() -> int:
        return actions.publish_attachments(
            actor=cast.officer.actor(), owner_kind="inspection", owner_id=first.owner_id
        )

    leader = cast.leader.actor()
    assert not Attachment.objects.visible_to(leader).exists()
    assert [publish(), publish()] == [2, 0]
    assert set(Attachment.objects.visible_to(leader)) == {first, second}
    late = declare(cast.officer, PHOTO, owner_id=first.owner_id)
    assert set(Attachment.objects.visible_to(leader)) == {first, second, late}
    assert other not in Attachment.objects.visible_to(leader)
