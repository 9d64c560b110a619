"""The simplest tus client, for tests inside one process, and the storages its uploads may go to."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.evidence.models import Attachment
from apps.evidence.storage import depot
from tests.cast import Member
from tests.evidence import on_disk, on_s3

URL = "/mobile/v1/uploads"


class Tus:
    """The simplest client: what it sends is what the test says."""

    def __init__(self, member: Member) -> None:
        self.client = member.client()

    def post(self, length: int | str, attachment: Attachment | None = None, **more: Any) -> Any:
        named = base64.b64encode(str(attachment.pk).encode()).decode() if attachment else ""
        headers = {"Upload-Length": str(length)} if length != "" else {}
        headers |= {"Upload-Metadata": f"attachment_id {named}"} if named else {}
        return self.send("post", URL, headers=headers | more.pop("headers", {}), **more)

    def head(self, place: str) -> Any:
        return self.send("head", place)

    def offset(self, place: str) -> int:
        return int(self.head(place)["Upload-Offset"])

    def patch(self, place: str, offset: int | str, data: bytes, **headers: str) -> Any:
        own = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return self.send("patch", place, data, headers=own | headers)

    def delete(self, place: str) -> Any:
        return self.send("delete", place)

    def opened(self, attachment: Attachment | None, length: int = 0) -> str:
        """Open an upload; gives its address."""
        answer = self.post(length or (attachment.size if attachment else 0), attachment)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(
        self, method: str, place: str, data: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> Any:
        own = {"Tus-Resumable": "1.0.0"} | (headers or {})
        kind = own.pop("Content-Type", "application/offset+octet-stream" if data else "")
        more: Any = {"CONTENT_LENGTH": str(len(data))} if kind else {}
        send: Any = self.client.generic
        return send(method.upper(), place, data, content_type=kind, headers=own, **more)


def storages_for(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[str]:
    """Keep evidence on a disk or on S3, as the fixture's parameter says; nothing under way is left behind."""
    kind = str(request.param)
    place = on_disk(tmp_path) if kind == "disk" else on_s3(request.getfixturevalue("s3_server"))
    settings.STORAGES = settings.STORAGES | {"evidence": place}
    yield kind
    for upload in list(depot().uploads()):
        depot().discard(upload)
