"""Examples of the sync endpoints for the documentation; identifiers are invented."""

from __future__ import annotations

from typing import Any

REPORT = "0192f0c1-7e1a-7c3e-9a55-2f8f3c1b7d10"
PHOTO = "0192f0c1-8a00-7d2b-8c11-5a0c6a1f2e33"
MUTATION = "0192f0c1-9b10-7a55-b0f4-0d2a6d9b1c44"
DEVICE = "0192f0b0-1111-7222-8333-444455556666"
VERSION = "0192ef00-aaaa-7bbb-8ccc-ddddeeeeffff"
EPOCH = "5f0c2b9e-6f2a-4a55-9d8e-0a4b8b0f1c22"
POST = "0192ee00-0001-7002-8003-000400050006"

PUSH: dict[str, Any] = {
    "device_id": DEVICE,
    "mutations": [
        {
            "id": MUTATION,
            "device_seq": 418,
            "type": "inspection.submit",
            "object": REPORT,
            "base_rev": None,
            "fields": {
                "checklist_version": VERSION,
                "mode": "express",
                "place_type": "express_hub",
                "selection_reason": "targeted",
                "outcome": "nothing_found",
                "started_on_device_at": "2026-11-21T08:00:01+07:00",
                "ended_on_device_at": "2026-11-21T08:14:30+07:00",
                "answers": {"s10_or_courier_no": {"value": {"raw": "EE556000393VN"}}},
                "photos": {"before_opening": [PHOTO]},
            },
            "depends_on": [],
            "made_on_device_at": "2026-11-21T08:14:31+07:00",
        }
    ],
}
PUSH_FLASH: dict[str, Any] = {
    "device_id": DEVICE,
    "mutations": [
        {
            "id": MUTATION,
            "type": "seizure.flash",
            "object": REPORT,
            "base_rev": None,
            "fields": {
                "detected_on_device_at": "2026-11-21T08:12:00+07:00",
                "place": "Kho hàng chuyển phát nhanh",
                "mode": "express",
                "lead_force": "customs",
                "handling": "internal",
                "persons_count": 0,
                "photos": [PHOTO],
                "lines": {"1": {"substance": "ketamine", "gross_mass_g": "103.25"}},
            },
        },
        {
            "id": "0192f0c1-9b10-7a55-b0f4-0d2a6d9b1c45",
            "type": "attachment.create",
            "object": PHOTO,
            "fields": {
                "report": REPORT,
                "owner_kind": "seizure",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "size": 84213,
                "mime": "image/jpeg",
                "purpose": "overview",
            },
            "depends_on": [MUTATION],
        },
    ],
}
PUSH_ANSWER: dict[str, Any] = {
    "server_time": "2026-11-21T01:15:02.120Z",
    "epoch": EPOCH,
    "results": [{"id": MUTATION, "status": "applied", "rev": 1, "merged": False, "warnings": []}],
}
PULL: dict[str, Any] = {"cursor": None, "limit": 2000, "max_bytes": 1_000_000}
PULL_ANSWER: dict[str, Any] = {
    "epoch": EPOCH,
    "cursor": "eyJlIjoi…",
    "more": False,
    "drop": [],
    "reset": ["ref"],
    "snapshot": [],
    "changes": [
        {
            "s": f"post:{POST}",
            "k": "inspection",
            "id": REPORT,
            "rev": 2,
            "op": "put",
            "body": {
                "state": "returned",
                "notes": [{"step_key": "before_opening", "text": "Chụp lại nhãn kiện."}],
            },
        }
    ],
    "complete": {"ref": {"seq": 12, "n": 9, "h": 5531}},
}
STATUS_ANSWER: dict[str, Any] = {
    "server_time": "2026-11-21T01:15:02.120Z",
    "epoch": EPOCH,
    "verdicts": {"applied": 12},
    "reports": [
        {
            "kind": "inspection",
            "id": REPORT,
            "number": "IR-2026-CPN-000123",
            "state": "media_pending",
            "rev": 1,
            "version": 1,
            "photos": {PHOTO: "expected"},
        }
    ],
    "uploads": [],
}
