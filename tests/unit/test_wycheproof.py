"""Signatures against Project Wycheproof: what it calls invalid does not fit, in each form a device or server sends."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.accounts.rules import as_der, fits, is_signed
from apps.audit.keys import is_signed_by

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "wycheproof"
Case = tuple[str, bytes, bytes, bool, str]


def load(name: str) -> list[Case]:
    groups = json.loads((VECTORS / f"{name}.json").read_text())
    return [
        (group["key"], bytes.fromhex(msg), bytes.fromhex(sig), result == "valid", f"{number} {comment}")
        for group in groups
        for number, msg, sig, result, comment in group["tests"]
    ]


def spki(point: str) -> str:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(point))
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    ("name", "count"), [("ecdsa_secp256r1_sha256_p1363", 262), ("ecdsa_secp256r1_sha256", 484)]
)
def test_what_a_device_signs(name: str, count: int) -> None:
    cases = load(name)
    assert len(cases) == count
    for point, message, signature, is_valid, about in cases:
        key = spki(point)
        assert is_signed(key, base64.b64encode(signature).decode(), message) is is_valid, about
        assert fits(key, as_der(signature), message) is is_valid, about


def test_what_the_server_signs() -> None:
    cases = load("ed25519")
    assert len(cases) == 151
    for key, message, signature, is_valid, about in cases:
        assert is_signed_by(bytes.fromhex(key), signature, message) is is_valid, about
