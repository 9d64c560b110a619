"""Examples of enrolment; every value is invented."""

from __future__ import annotations

from apps.sync.rules import LIMITS
from mobile_api.sessions.examples import DEVICE, SIGNATURE, TOKENS

ENROL = {
    "code": "7KQ2M-XW9RD-4HTPA",
    "public_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…",
    "proof": SIGNATURE,
    "name": "Điện thoại cửa khẩu số 4",
    "app_version": "1.0.0",
    "os_version": "Android 15",
}
ENROLLED = {
    **TOKENS,
    "device_id": DEVICE,
    "statement": {
        "statement": "eyJ2IjoxLCJraW5kIjoiZGV2aWNlLXN0YXRlbWVudCIs…",
        "signature": "h1s0…",
        "key_id": "3f9a1c7e5b2d4860",
        "public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    },
    "officer": {
        "id": "0192f0c1-0a1b-7c2d-8e3f-405162738495",
        "badge_no": "HQ-10001",
        "name": "Nguyễn Văn An",
    },
    "limits": dict(LIMITS),
    "epoch": "6f0f3c1a-1a52-4b8e-9c3b-0d4c7f6a2e11",
    "server_time": "2026-11-21T08:00:00.000Z",
}
PUSH = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB…",
    "keys": {"p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQt…", "auth": "tBHItJI5svbpez7KI4CCXg"},
}
PUSH_SERVICE = {"enabled": True, "public_key": "BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFg…"}
