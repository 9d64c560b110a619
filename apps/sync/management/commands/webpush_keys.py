"""`manage.py webpush_keys`: make the key pair by which push services know this server."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import BaseCommand

from apps.sync.webpush.rules import WebPush, pack


class Command(BaseCommand):
    help = "Make a key pair for pokes (web push). Prints the setting to keep secret; a new pair ends all subscriptions."

    def handle(self, *_args: Any, **_options: Any) -> None:
        private = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        service = WebPush(pack(private.to_bytes(32, "big")))
        self.stdout.write(f"HAIDANG_WEBPUSH_PRIVATE_KEY={service.private_key}")
        self.stderr.write(f"The public key, which phones get from GET devices/push: {service.public_key()}")
