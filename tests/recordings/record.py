"""The scenes that are recorded: what a phone of the present protocol sends, step by step.

To record a new protocol, bring the scenes to it, then:

    RECORD_PROTOCOL=2 python3 manage.py test tests/api/test_recordings.py -k record

It writes `protocol-2/` and touches no other. A released protocol's files are never edited (docs/testing.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.recordings.matching import generalised
from tests.recordings.world import World

HERE = Path(__file__).parent
API = "/mobile/v1"
HEADERS = ("Location", "Upload-Offset", "Upload-Length", "Tus-Resumable", "Retry-After", "X-Server-Time")
Step = dict[str, Any]

REPORT: dict[str, Any] = {
    "checklist_version": "{{version}}",
    "posting": "{{posting}}",
    "mode": "express",
    "direction": "import",
    "place_type": "express_hub",
    "place": "Kho chuyển phát nhanh",
    "selection_reason": "targeted",
    "outcome": "nothing_found",
    "started_on_device_at": "{{ago:900}}",
    "ended_on_device_at": "{{ago:60}}",
    "captured_tz": "Asia/Ho_Chi_Minh",
    "means_used": ["xray_baggage", "physical_search"],
    "answers": {
        f"step_{i}": {"value": (True, "a", 12, "Không có dấu hiệu bất thường")[i % 4]} for i in range(20)
    },
}


def scenes(protocol: int) -> dict[str, list[Step]]:
    """Give the scenes by name."""
    stranger = {"Sync-Protocol": str(protocol), "App-Version": "1.0.0", "Accept": "application/json"}
    phone = stranger | {"Authorization": "Bearer {{access_token}}", "X-Device-Id": "{{device_id}}"}
    tus = phone | {"Tus-Resumable": "1.0.0"}
    chunk = {"Content-Type": "application/offset+octet-stream"}

    def ask(method: str, path: str, body: Any = None, headers: Any = phone, **more: Any) -> Step:
        return {"method": method, "path": API + path, "headers": headers, "body": body, **more}

    def mutation(name: str, kind: str, oid: str, fields: Any = None, **more: Any) -> dict[str, Any]:
        sent = {"id": f"{{{{new:{name}}}}}", "type": kind, "object": f"{{{{new:{oid}}}}}", "device_seq": 1}
        return {**sent, "base_rev": None, "fields": fields or {}, "made_on_device_at": "{{ago:5}}", **more}

    def push(*mutations: Any, **more: Any) -> Step:
        return ask("POST", "/sync/push", {"device_id": "{{device_id}}", "mutations": list(mutations)}, **more)

    def tell(kind: str, *texts: str) -> dict[str, str]:
        return {"$sign": "|".join((kind, *texts))}

    enrol = ask(
        "POST",
        "/devices/enrol",
        {
            "code": "{{code}}",
            "public_key": "{{public_key}}",
            "name": "Điện thoại số 1",
            "app_version": "1.0.0",
            "os_version": "Android 15",
            "proof": tell("enrol", "{{plain:code}}"),
        },
        stranger,
        keep={n: n for n in ("device_id", "access_token", "refresh_token", "epoch")},
    )
    pull = ask("POST", "/sync/pull", {"cursor": None}, keep={"cursor": "cursor"})
    again = ask(
        "POST", "/sync/pull", {"cursor": "{{cursor}}", "limit": 2000, "max_bytes": 1000000, "wait": 0}
    )
    refresh = {
        "refresh_token": "{{refresh_token}}",
        "request_id": "{{new:request}}",
        "signature": tell("refresh", "{{device_id}}", "{{request}}", "{{sha256:refresh_token}}"),
    }
    sign_in = {
        "device_id": "{{device_id}}",
        "username": "{{username}}",
        "password": "{{password}}",
        "challenge": "{{challenge}}",
        "signature": tell("session", "{{device_id}}", "{{username}}", "{{challenge}}"),
    }
    save = mutation("m1", "inspection.save", "report", REPORT)
    submit = mutation("m2", "inspection.submit", "report", {"remarks": "Xong"}, base_rev=1)
    photo = mutation(
        "m3",
        "attachment.create",
        "photo",
        {
            "report": "{{new:report}}",
            "posting": "{{posting}}",
            "step": "step_3",
            "sha256": "{{photo_sha256}}",
            "size": {"$number": "{{photo_size}}"},
            "mime": "image/jpeg",
            "purpose": "overview",
            "capture_mode": "in_app",
            "captured_on_device_at": "{{ago:70}}",
        },
    )
    metadata = {"Upload-Length": "{{photo_size}}", "Upload-Metadata": "attachment_id {{base64:photo}}"}
    create = ask("POST", "/uploads", headers=tus | metadata, keep={"place": "header:Location"})

    def on_place(method: str, headers: dict[str, str], **more: Any) -> Step:
        return {"method": method, "path": "{{place}}", "headers": tus | headers, **more}

    def patch(begin: int, end: int | None, **headers: str) -> Step:
        return on_place("PATCH", {**chunk, "Upload-Offset": str(begin), **headers}, bytes=[begin, end])

    def edit(name: str, oid: str, base: int | None, **fields: Any) -> dict[str, Any]:
        return mutation(name, "inspection.save", oid, fields, base_rev=base)

    return {
        "enrol-and-sessions": [
            enrol,
            ask("POST", "/sessions/refresh", refresh, stranger),
            ask("POST", "/sessions/refresh", refresh, stranger, keep={"access_token": "access_token"}),
            ask(
                "POST",
                "/sessions/challenge",
                {"device_id": "{{device_id}}"},
                stranger,
                keep={"challenge": "challenge"},
            ),
            ask("POST", "/sessions", sign_in, stranger, keep={"access_token": "access_token"}),
            pull,
            ask("DELETE", "/sessions"),
            again,
        ],
        "a-report-with-a-photo": [
            enrol,
            pull,
            push(save, photo),
            push(submit, save),
            create,
            create,
            patch(0, 25000),
            on_place("HEAD", {}),
            patch(25000, None),
            {"server": "work"},
            on_place("HEAD", {}),
            again,
            ask("GET", "/attachments/{{photo}}"),
            ask("GET", "/sync/status"),
        ],
        "returned-and-corrected": [
            enrol,
            pull,
            push(save),
            push(submit),
            {"server": "review report"},
            {"server": "return report"},
            again,
            push(mutation("m4", "inspection.submit", "report", {"remarks": "Đã bổ sung"}, base_rev=4)),
            again,
        ],
        "discarded": [
            enrol,
            push(save),
            push(mutation("m5", "inspection.discard", "report", base_rev=1)),
            again | {"body": {"cursor": None}},
        ],
        "verdicts-conflict": [
            enrol,
            push(save),
            {"server": "write-elsewhere report"},
            push(edit("c2", "report", 1, remarks="hai")),
            push(edit("c3", "report", 1, place="Cổng B")),
            push(mutation("c4", "inspection.save", "report", {**REPORT, "remarks": "khác"})),
            push(mutation("c5", "inspection.submit", "report", base_rev=3)),
            push(edit("c6", "report", 4, remarks="ba")),
            {"server": "review report"},
            push(edit("c7", "report", 4, remarks="bốn")),
        ],
        "verdicts-rejected": [
            enrol,
            push(save),
            push({**save, "fields": {}}),
            push(
                mutation("r1", "inspection.save", "other", {**REPORT, "outcome": "nonsense"}),
                mutation("r2", "inspection.fold", "other"),
                mutation(
                    "r3", "inspection.save", "other2", {**REPORT, "posting": "{{new:strangers_posting}}"}
                ),
                mutation("r4", "inspection.save", "other3", {**REPORT, "remarks": "{{long:300000}}"}),
                {"id": "not an id"},
            ),
        ],
        "verdicts-deferred": [
            enrol,
            push(mutation("d1", "inspection.save", "first", REPORT, depends_on=["{{new:never_sent}}"])),
            push(
                mutation("d2", "inspection.fold", "first"),
                mutation("d3", "inspection.save", "first", REPORT, depends_on=["{{d2}}"]),
            ),
            {"server": "minimum-of-submissions 1.4"},
            push(mutation("d4", "inspection.submit", "second", REPORT)),
        ],
        "unknown-members": [
            enrol,
            push(mutation("u1", "inspection.save", "report", {**REPORT, "weather": "mưa"}, colour="red")),
            ask("POST", "/sync/pull", {"cursor": None, "mood": 1}),
        ],
        "pages-and-resets": [
            enrol,
            push(save),
            ask("POST", "/sync/pull", {"cursor": None, "limit": 1}, keep={"cursor": "cursor"}),
            again,
            ask("POST", "/sync/pull", {"cursor": "{{cursor}}", "reset": ["ref"]}),
            ask("POST", "/sync/pull", {"cursor": "bm9uc2Vuc2U"}),
            ask("POST", "/sync/pull", {"cursor": "eyJlIjoib3RoZXIiLCJsIjpbXSwicyI6e319"}),
        ],
        "errors": [
            enrol,
            ask("POST", "/sync/pull", {"cursor": None}, stranger),
            ask("POST", "/sync/pull", {"cursor": None}, phone | {"Authorization": "Bearer wrong"}),
            push(),
            ask("POST", "/sync/push", {"mutations": 1}),
            ask("POST", "/sync/push", {"mutations": [{}] * 201}),
            ask("POST", "/sync/push", {"mutations": []}, phone | {"Content-Type": "text/plain"}),
            ask("GET", "/sync/pull"),
            ask("GET", "/attachments/{{new:nobodys}}"),
            ask(
                "POST",
                "/devices/enrol",
                {"code": "AAAAA-AAAAA-AAAAA", "public_key": "{{public_key}}", "proof": "AAAA"},
                stranger,
            ),
            {"server": "minimum 9.0"},
            again | {"body": {"cursor": None}},
            push(save),
        ],
        "tus-errors": [
            enrol,
            push(photo),
            ask("POST", "/uploads", headers=tus),
            create,
            patch(7, 20),
            {**patch(0, 20), "headers": {**patch(0, 20)["headers"], "Tus-Resumable": "0.2.2"}},
            patch(0, 20, **{"Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
            on_place("DELETE", {}),
            on_place("HEAD", {}),
        ],
        "suspended": [enrol, {"server": "suspend"}, again | {"body": {"cursor": None}}],
        "revoked": [
            enrol,
            push(photo),
            create,
            {"server": "lose"},
            again | {"body": {"cursor": None}},
            push(save),
            patch(0, 20),
            on_place("HEAD", {}),
            ask("GET", "/sync/status"),
        ],
    }


def record(world: World, steps: list[Step]) -> list[Step]:
    """Play a scene and write down what each answer had."""
    played = []
    for step in steps:
        if "server" in step:
            world.happen(step["server"])
            played.append(step)
            continue
        answer = world.send(step)
        world.keep(step.get("keep", {}), answer)
        told: dict[str, Any] = {"status": answer.status_code}
        told["headers"] = {
            h: generalised(world, answer.headers[h], h) for h in HEADERS if h in answer.headers
        }
        if answer.content and "json" in answer.headers.get("Content-Type", ""):
            told["body"] = generalised(world, answer.json())
        played.append({key: value for key, value in step.items() if value is not None} | {"answer": told})
    return played


def write(protocol: int, name: str, steps: list[Step]) -> None:
    """Write a new file; a file that is there stays as it is."""
    folder = HERE / f"protocol-{protocol}"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.json").open("x", encoding="utf-8") as file:
        json.dump({"protocol": protocol, "steps": steps}, file, ensure_ascii=False, indent=1)
        file.write("\n")
