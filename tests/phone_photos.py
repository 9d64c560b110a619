"""The reference phone's photos: taken, signed for, declared by a mutation, sent by tus 1.0.0, kept until a receipt.

What the device signs about a photo, and what it checks of the server's receipt, is in docs/evidence.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from uuid_utils.compat import uuid7

from tests import phone_store as stored
from tests.wire import Answer, Refused, Wire

API = "/mobile/v1"
CHUNK = 256 * 1024
# A photo up to this size goes with the request that opens its upload, of a larger one its first piece.
AT_ONCE = 2 * CHUNK


class Photos(ABC):
    """What a phone does with photos."""

    store: sqlite3.Connection
    wire: Wire
    key: ec.EllipticCurvePrivateKey
    dice: random.Random
    sends_at_once = True
    """Whether bytes go with the request that opens their upload; older phones opened it first."""

    @abstractmethod
    def headers(self, signed_in: bool = True) -> dict[str, str]:
        """Give the headers of the protocol."""

    @abstractmethod
    def refresh(self) -> None:
        """Rotate the tokens."""

    @abstractmethod
    def now(self) -> str:
        """Give the time as the phone claims it."""

    @abstractmethod
    def _obey(self, answer: Answer) -> None: ...

    @abstractmethod
    def _write(self, kind: str, oid: str, fields: Mapping[str, Any]) -> str: ...

    def take_photo(
        self, report: str, step: str, data: bytes, *, mime: str = "image/jpeg", kind: str = "inspection"
    ) -> str:
        """Keep a photo of a record and put its declaration into the outbox; gives the attachment's id."""
        photo = str(uuid7())
        digest = hashlib.sha256(data).hexdigest()
        self.store.execute(
            "INSERT INTO photo(id, report, step, sha256, size, mime, bytes) VALUES(?,?,?,?,?,?,?)",
            (photo, report, step, digest, len(data), mime, data),
        )
        fields = {"report": report, "step": step, "sha256": digest, "size": len(data), "mime": mime}
        made = {"purpose": "overview", "captured_on_device_at": self.now(), "owner_kind": kind}
        self._write("attachment.create", photo, fields | made | self._signed(photo, fields))
        return photo

    def _signed(self, photo: str, fields: Mapping[str, Any]) -> dict[str, str]:
        """Compose the manifest of a photo under this device's next number, and sign its bytes as WebCrypto does."""
        with stored.together(self.store):
            seq = int(stored.get(self.store, "manifest_seq") or 0) + 1
            stored.put(self.store, "manifest_seq", str(seq))
        manifest = json.dumps(
            {
                "v": 1,
                "report": fields["report"],
                "device": stored.get(self.store, "device_id"),
                "kind": "photo-manifest",
                "device_seq": seq,
                "photos": [{"id": photo, "sha256": fields["sha256"], "bytes": fields["size"]}],
                "device_time": self.now(),
                "monotonic_ms": 0,
                "position": None,
                "checklist_version": None,
                "content_hash": None,
                "nonce": f"{self.dice.getrandbits(128):032x}",
            }
        ).encode()
        r, s = decode_dss_signature(self.key.sign(manifest, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return {"manifest": _base64url(manifest), "signature": _base64url(signature)}

    def send_photos(self) -> int:
        """Send the bytes of photos whose declaration was accepted; gives how many were finished.

        A photo that the server will never take (too large, no picture) is kept for the officer; the others go on. One
        that it does not know of is declared again with the journal (a restored server may have forgotten it); when that
        has not helped, it is the officer's.
        """
        waiting = "SELECT id, missed FROM photo WHERE state IN ('declared','sending') ORDER BY id"
        sent = 0
        for photo, missed in self.store.execute(waiting).fetchall():
            try:
                sent += self._send_photo(photo)
            except Refused as refused:
                if refused.status not in {404, 413, 415, 422}:
                    raise
                if refused.status == 404 and (not missed or stored.get(self.store, "replay")):
                    self.store.execute("UPDATE photo SET missed=1 WHERE id=?", (photo,))
                    stored.put(self.store, "replay", "1")
                    continue
                self.store.execute("UPDATE photo SET state='attention' WHERE id=?", (photo,))
        return sent

    def refused_photos(self) -> list[str]:
        """Give the photos that the server will not take; their bytes are still here."""
        rows = self.store.execute(
            "SELECT id FROM photo WHERE state='attention' AND bytes IS NOT NULL ORDER BY id"
        )
        return [pk for (pk,) in rows]

    def _send_photo(self, photo: str) -> bool:
        data, location, state = self.store.execute(
            "SELECT bytes, location, state FROM photo WHERE id=?", (photo,)
        ).fetchone()
        if data is None:
            return False
        offset = self._tus_offset(location) if location else None
        if offset is None:  # what was begun before is asked about first: the server may have bytes already
            is_first = self.sends_at_once and state == "declared"
            first = data[: len(data) if len(data) <= AT_ONCE else CHUNK] if is_first else b""
            self.store.execute("UPDATE photo SET state='sending' WHERE id=?", (photo,))
            location, offset = self._tus_create(photo, len(data), first)
            self.store.execute("UPDATE photo SET location=?, missed=0 WHERE id=?", (location, photo))
        while offset < len(data):
            piece = data[offset : offset + CHUNK]
            headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            answer = self._tus("PATCH", location, headers, piece)
            if answer.status == 409:
                offset = self._tus_offset(location) or 0
                continue
            self._obey(answer)
            offset = int(header(answer, "Upload-Offset"))
        self.store.execute("UPDATE photo SET state='sent' WHERE id=? AND state='sending'", (photo,))
        return True

    def _tus_create(self, photo: str, length: int, first: bytes = b"") -> tuple[str, int]:
        """Open an upload, or find the one that is open; gives its place and how many bytes the server has."""
        metadata = f"attachment_id {base64.b64encode(photo.encode()).decode()}"
        headers = {"Upload-Length": str(length), "Upload-Metadata": metadata}
        if first:
            headers["Content-Type"] = "application/offset+octet-stream"
        answer = self._tus("POST", f"{API}/uploads", headers, first)
        if answer.status == 409 and first:  # another connection was faster
            return self._tus_create(photo, length)
        self._obey(answer)
        place = "/" + header(answer, "Location").split("://", 1)[-1].split("/", 1)[1]
        return place, int(header(answer, "Upload-Offset"))

    def _tus_offset(self, location: str) -> int | None:
        answer = self._tus("HEAD", location, {})
        if answer.status in {404, 410}:
            return None
        self._obey(answer)
        return int(header(answer, "Upload-Offset"))

    def _tus(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        def send() -> Answer:
            own = self.headers() | {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
            return self.wire.request(method, path, own | dict(headers), body)

        answer = send()
        if answer.status == 401:
            self.refresh()
            answer = send()
        return answer


def header(answer: Answer, name: str) -> str:
    """Give a header of an answer, whatever its case. Raises StopIteration when it is not there."""
    return next(value for key, value in answer.headers.items() if key.lower() == name.lower())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claimed(moment: float) -> str:
    """Write a moment as a phone does."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
