"""The outside authority that stamps heads with the time (RFC 3161): asking it, and checking what it said.

Optional: without `HAIDANG_TIMESTAMP_URL` nobody is asked. What it answers is believed only under the certificates of
`HAIDANG_TIMESTAMP_CERTIFICATE`.
"""

from __future__ import annotations

import urllib.request
from pathlib import Path

from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

SECONDS, MOST = 10, 64 * 1024


class TimestampRefused(Exception):
    """The authority could not be reached, or what it answered is no stamp. Nobody but the log is told."""


def is_asked() -> bool:
    """Tell whether heads are to be stamped."""
    return bool(settings.TIMESTAMP_URL)


def certificates() -> bytes | None:
    """Give the certificates that are believed, as PEM; None when none are named. Raises OSError."""
    return Path(settings.TIMESTAMP_CERTIFICATE).read_bytes() if settings.TIMESTAMP_CERTIFICATE else None


def stamp(message: bytes) -> bytes:
    """Have the authority stamp a message; gives its answer as it came, once it was checked. Raises TimestampRefused."""
    request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    asked = urllib.request.Request(settings.TIMESTAMP_URL, request.as_bytes(), headers)  # noqa: S310  set by who runs us
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310  likewise
            token: bytes = answer.read(MOST)
        pem = certificates()
    except (OSError, ValueError) as error:
        raise TimestampRefused(f"{type(error).__name__}: {error}"[:200]) from error
    wrong = fault_of(token, message, pem, nonce=request.nonce)
    if wrong:
        raise TimestampRefused(wrong)
    return token


def fault_of(token: bytes, message: bytes, pem: bytes | None, *, nonce: int | None = None) -> str | None:
    """Say why an answer is no stamp of a message under these certificates; None when it is one."""
    if pem is None:
        return "HAIDANG_TIMESTAMP_CERTIFICATE names no certificate"
    try:
        answer: TimeStampResponse = decode_timestamp_response(token)
        builder = VerifierBuilder()
        for certificate in x509.load_pem_x509_certificates(pem):
            is_root = certificate.subject == certificate.issuer
            add = builder.add_root_certificate if is_root else builder.add_intermediate_certificate
            builder = add(certificate)
        builder = builder if nonce is None else builder.nonce(nonce)
        builder.build().verify_message(answer, message)
    except (VerificationError, ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None
