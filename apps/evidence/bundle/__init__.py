"""A bundle: everything that proves a record, in one zip that anybody can check with `python3` and `openssl`.

`verify.py` and the README go into the zip as they lie here; the program imports nothing of the product.
"""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.accounts.models import Device
from apps.accounts.rules import load_key
from apps.audit.actions import announced_key
from apps.audit.models import Event, Head, KeyStatement, Leaf
from apps.audit.queries import known_keys, proof_of
from apps.common.sql import as_uuid
from apps.evidence.models import Attachment, Capture, Receipt
from apps.evidence.storage import depot

HERE = Path(__file__).resolve().parent
SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4"}


@dataclass(frozen=True)
class Version:
    """One submitted version: its bytes and the receipt for it."""

    number: int
    content: bytes
    receipt: Receipt


@dataclass(frozen=True)
class TimeStamp:
    """The authority's answer about the head, and the certificates under which it is believed (PEM)."""

    token: bytes
    certificates: bytes


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle: a record's versions, its stored photos, the events about them, and a head over these.

    `custody` and `files` are what the custody of a seizure adds: its part of the index, and files by name.
    """

    record_kind: str
    record_id: UUID
    number: str
    versions: Sequence[Version]
    photos: Sequence[Attachment]
    events: Sequence[Event]
    head: Head
    made_at: datetime
    custody: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    stamp: TimeStamp | None = None


def write_bundle(file: IO[bytes], contents: Contents) -> None:
    """Write the zip. Raises StorageUnavailable, FileNotFoundError, and Missing when the ledger has holes."""
    with zipfile.ZipFile(file, "w") as archive:
        bundle = _Bundle(archive)
        photos = [_photo(bundle, photo) for photo in contents.photos]
        index = {
            "v": 1,
            "record_kind": contents.record_kind,
            "record_id": contents.record_id,
            "number": contents.number,
            "made_at": contents.made_at,
            "photos": photos,
            "devices": _devices(bundle, {photo["device"] for photo in photos if photo["device"]}),
            "versions": [_version(bundle, version) for version in contents.versions],
            "events": [_event(bundle, event, contents.head) for event in contents.events],
            "keys": _keys(bundle),
            "signed_by": announced_key().id,
            "stamped": contents.stamp is not None,
            **contents.custody,
        }
        for name, data in contents.files.items():
            bundle.put(name, data)
        bundle.put("ledger/head.json", bytes(contents.head.body))
        bundle.put("ledger/head.sig", bytes(contents.head.signature))
        if contents.stamp:
            bundle.put("ledger/head.tsr", contents.stamp.token)
            bundle.put("ledger/authority.pem", contents.stamp.certificates)
        bundle.put("index.json", orjson.dumps(index, option=orjson.OPT_INDENT_2))
        bundle.put("verify.py", (HERE / "verify.py").read_bytes())
        bundle.put("README.txt", _readme(contents, photos, bundle.folders()).encode())
        bundle.finish()


class _Bundle:
    """The zip as it grows, with the hash of each file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._sums: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        self._archive.writestr(name, data, zipfile.ZIP_DEFLATED)
        self._sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}")

    def copy(self, name: str, source: IO[bytes]) -> None:
        """Copy a file piece by piece; photos do not get smaller, so they are only stored."""
        digest = hashlib.sha256()
        with self._archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
            while piece := source.read(1024 * 1024):
                digest.update(piece)
                target.write(piece)
        self._sums.append(f"{digest.hexdigest()}  {name}")

    def folders(self) -> set[str]:
        """Name the folders that have anything in them."""
        names = (line.partition("  ")[2] for line in self._sums)
        return {name.partition("/")[0] for name in names if "/" in name}

    def finish(self) -> None:
        """Write the list of all files with their hashes, and the server's signature over it."""
        sums = "".join(f"{line}\n" for line in sorted(self._sums)).encode()
        self._archive.writestr("SHA256SUMS", sums)
        self._archive.writestr("SHA256SUMS.sig", announced_key().sign(sums))


def _photo(bundle: _Bundle, photo: Attachment) -> dict[str, Any]:
    capture = Capture.objects.get(pk=photo.pk)
    name = f"photos/{photo.pk}"
    with depot().open(photo.original) as source:
        bundle.copy(f"{name}.{SUFFIX[photo.mime]}", source)
    is_signed = capture.verdict == Capture.Verdict.SIGNED
    if is_signed:
        bundle.put(f"{name}.manifest", bytes(capture.manifest))
        bundle.put(f"{name}.sig", bytes(capture.signature))
        bundle.put(f"{name}.der", bytes(capture.signature_der))
    return {
        "id": photo.pk,
        "file": f"{name}.{SUFFIX[photo.mime]}",
        "sha256": photo.sha256,
        "size": photo.size,
        "device": str(capture.device_id) if is_signed else None,
        "manifest": f"{name}.manifest" if is_signed else None,
        "signature": f"{name}.sig" if is_signed else None,
        "signature_der": f"{name}.der" if is_signed else None,
    }


def _devices(bundle: _Bundle, ids: set[str]) -> list[str]:
    for device in Device.objects.filter(pk__in=ids):
        kept = orjson.loads(device.statement)
        name = f"devices/{device.pk}"
        pem = load_key(device.public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        bundle.put(f"{name}.pem", pem)
        bundle.put(f"{name}.statement.json", base64.b64decode(kept["statement"]))
        bundle.put(f"{name}.statement.sig", base64.b64decode(kept["signature"]))
    return sorted(ids)


def _version(bundle: _Bundle, version: Version) -> int:
    place = f"versions/{version.number}"
    bundle.put(f"{place}/content.json", version.content)
    bundle.put(f"{place}/receipt.json", bytes(version.receipt.body))
    bundle.put(f"{place}/receipt.sig", bytes(version.receipt.signature))
    return version.number


def _event(bundle: _Bundle, event: Event, head: Head) -> dict[str, Any]:
    bundle.put(f"ledger/{event.pk}.json", bytes(event.body))
    bundle.put(f"ledger/{event.pk}.salt", bytes(event.salt))
    index = Leaf.objects.get(event_id=as_uuid(event.pk)).leaf_index
    proof = [step.hex() for step in proof_of(index, head.size)]
    leaf = bytes(event.leaf_hash).hex()
    about = {"id": event.pk, "action": event.action, "record": event.oid}
    return {**about, "leaf_hash": leaf, "index": index, "proof": proof}


def _keys(bundle: _Bundle) -> list[dict[str, Any]]:
    said: dict[str, list[str]] = {}
    for row in KeyStatement.objects.order_by("at", "id"):
        name = f"{row.key_id}.{row.kind}"
        bundle.put(f"server/{name}.json", bytes(row.body))
        bundle.put(f"server/{name}.sig", bytes(row.signature))
        said.setdefault(row.key_id, []).append(name)
    keys = known_keys().values()
    for key in keys:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        bundle.put(
            f"server/{key.id}.pem", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    return [{"id": key.id, "statements": said[key.id]} for key in keys]


def _readme(contents: Contents, photos: Sequence[dict[str, Any]], folders: set[str]) -> str:
    receipt = contents.versions[-1].receipt
    first = next((photo for photo in photos if photo["manifest"]), None)
    place = f"versions/{contents.versions[-1].number}"
    commands = ["sha256sum -c SHA256SUMS"]
    if first:
        key = f"devices/{first['device']}.pem"
        commands.append(
            f"openssl dgst -sha256 -verify {key} -signature {first['signature_der']} {first['manifest']}"
        )
    signed = (
        (receipt.key_id, f"{place}/receipt.json", f"{place}/receipt.sig"),
        (contents.head.key_id, "ledger/head.json", "ledger/head.sig"),
        (announced_key().id, "SHA256SUMS", "SHA256SUMS.sig"),
    )
    commands += [
        f"openssl pkeyutl -verify -pubin -inkey server/{signer}.pem -rawin -in {name} -sigfile {signature}"
        for signer, name, signature in signed
    ]
    if contents.stamp:
        commands.append(
            "openssl ts -verify -data ledger/head.json -in ledger/head.tsr -CAfile ledger/authority.pem "
            "-untrusted ledger/authority.pem"
        )
    shown = textwrap.indent("\n".join(commands), "    ") + "\n"
    lines = (HERE / "README.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    template = "".join(line for line in lines if _is_here(line, folders))
    return template.format(
        number=contents.number,
        record_id=contents.record_id,
        made_at=contents.made_at.isoformat(timespec="seconds"),
        key_id=receipt.key_id,
        commands_vi=shown,
        commands_en=shown,
        stamp_vi=_STAMPED[0] if contents.stamp else _UNSTAMPED[0],
        stamp_en=_STAMPED[1] if contents.stamp else _UNSTAMPED[1],
    )


def _is_here(line: str, folders: set[str]) -> bool:
    """Tell whether a line of the README, if it explains a folder, explains one of this bundle."""
    explained = _FOLDER.match(line)
    return explained is None or explained.group(1) in folders


_FOLDER = re.compile(r"  ([a-z]+)/ ")
_STAMPED = (
    (
        "Đầu sổ cái có dấu thời gian của một cơ quan bên ngoài (RFC 3161). Đề nghị đối chiếu chứng thư\n"
        "ledger/authority.pem với bản do chính cơ quan đó công bố."
    ),
    (
        "The ledger's head bears the time stamp of an outside authority (RFC 3161). Compare ledger/authority.pem with\n"
        "the certificate that the authority itself publishes."
    ),
)
_UNSTAMPED = (
    "Hồ sơ này KHÔNG có dấu thời gian của cơ quan bên ngoài: thời điểm trong hồ sơ là theo máy chủ.",
    "This bundle bears NO time stamp of an outside authority: its times are those of the server alone.",
)
