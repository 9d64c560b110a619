"""Case 31: a device is revoked. Every route tells it so, tus too, with the order to wipe when it was lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver

from apps.accounts.actions import report_device_lost, suspend_device
from apps.evidence.models import Upload
from tests.cast import Cast
from tests.evidence import declare
from tests.evidence_images import noisy_jpeg

OPEN = {"schema", "docs", "devices-enrol", "sessions", "sessions-challenge", "sessions-refresh"}
SOME_ID = "0192f0c1-0000-7000-8000-00000000000a"


def routes() -> list[str]:
    """Give an address of every phone route that asks who calls, from the resolver itself."""
    all_routes: Any = get_resolver().url_patterns
    patterns = next(p for p in all_routes if str(p.pattern) == "mobile/v1/").url_patterns
    paths = [str(p.pattern) for p in patterns if p.name not in OPEN]
    for place in ("<uuid:upload_id>", "<uuid:attachment_id>"):
        paths = [path.replace(place, SOME_ID) for path in paths]
    return [
        f"/mobile/v1/{path.replace('<str:stream>', 'ref').replace('<str:sha256>', 'a' * 64)}"
        for path in paths
    ]


@pytest.mark.parametrize(("verb", "wipe"), [(report_device_lost, True), (suspend_device, False)])
def test_case_31_every_route_says_so(cast: Cast, verb: Any, wipe: bool) -> None:
    """403 `device-revoked` on every route and method that asks who calls; `wipe` when it was lost."""
    client, headers = cast.officer.client(), {"Tus-Resumable": "1.0.0"}
    verb(actor=cast.leader.actor(), device=cast.officer.phone.device, reason="Mất máy")
    paths = routes()
    assert len(paths) >= 8
    for path in paths:
        for method in ("get", "post", "put", "patch", "delete"):
            send: Any = client.generic
            answer = send(method.upper(), path, b"{}", content_type="application/json", headers=headers)
            assert answer.status_code == 403, (method, path, answer.status_code)
            told = answer.json()
            assert (told["code"], told["wipe"]) == ("device-revoked", wipe), (method, path)


def test_case_31_an_upload_under_way_takes_no_further_byte(cast: Cast) -> None:
    """403 with `wipe` for the chunk and for HEAD; not one byte is kept."""
    photo = noisy_jpeg(20_000)
    attachment = declare(cast.officer, photo)
    client = cast.officer.client()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(photo))}
    place = client.post("/mobile/v1/uploads", headers=tus)["Location"]
    report_device_lost(actor=cast.leader.actor(), device=cast.officer.phone.device, reason="Mất máy")
    chunk = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    send: Any = client.generic
    answer = send("PATCH", place, photo, content_type="application/offset+octet-stream", headers=chunk)
    assert (answer.status_code, answer.json()["wipe"]) == (403, True)
    assert client.head(place, headers={"Tus-Resumable": "1.0.0"}).status_code == 403
    assert Upload.objects.get().offset == 0
    attachment.refresh_from_db()
    assert attachment.state == "expected"
