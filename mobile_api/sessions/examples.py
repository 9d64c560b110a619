"""Examples of signing in and of rotation; every value is invented."""

from __future__ import annotations

DEVICE = "0192f0c1-7e1a-7c3e-9a55-2f8f3c1b7d10"
SIGNATURE = "MEUCIQDx0pQmJq1eS3v0cTq5y1mF9b2H8nS6Kp4Zr7wXcV1b2wIgB3kq…"

TOKENS = {
    "access_token": "q3Jm0mF1X4yRk8cV2nZb7sT5uW9aLeKdPgHiMoNxYzA",
    "access_expires_at": "2026-11-21T08:15:00Z",
    "refresh_token": "Zk9tWcE2bR6vUq1yLs3xJp8nHd5fGa7mTi4oKuCeVwM",
    "refresh_expires_at": "2027-02-19T08:00:00Z",
}
CHALLENGE = {"device_id": DEVICE}
CHALLENGE_ANSWER = {"challenge": "1795248000.5f3a9c1e7b2d4860.9d1c…", "expires_in": 120}
SIGN_IN = {
    "device_id": DEVICE,
    "username": "nv.an",
    "password": "…",
    "challenge": CHALLENGE_ANSWER["challenge"],
    "signature": SIGNATURE,
}
REFRESH = {
    "refresh_token": "p8nHd5fGa7mTi4oKuCeVwMZk9tWcE2bR6vUq1yLs3xJ",
    "request_id": "0192f0c2-1b2c-7d3e-8f40-5a6b7c8d9e0f",
    "signature": SIGNATURE,
}
