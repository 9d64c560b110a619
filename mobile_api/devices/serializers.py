"""Shapes of enrolment."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mobile_api.sessions.serializers import TokensSerializer


class EnrolSerializer(serializers.Serializer[Any]):
    """What a phone sends to enrol."""

    code = serializers.CharField(
        max_length=64, help_text="One-time code as shown; case and dashes do not matter."
    )
    public_key = serializers.CharField(
        max_length=400, help_text="P-256 public key: SubjectPublicKeyInfo, DER, base64."
    )
    proof = serializers.CharField(
        max_length=400,
        help_text="ECDSA with SHA-256 over `enrol|<CODE>` (code in upper case without dashes): DER, or r and s "
        "of 32 bytes each; base64.",
    )
    name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    app_version = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    os_version = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class StatementSerializer(serializers.Serializer[Any]):
    """What the server signed about the device: keep the bytes as they are."""

    statement = serializers.CharField(help_text="The signed bytes (JSON), base64.")
    signature = serializers.CharField(help_text="Ed25519 over those bytes, base64.")
    key_id = serializers.CharField()
    public_key = serializers.CharField(help_text="The server's Ed25519 key, 32 raw bytes, base64. Pin it.")


class OfficerSerializer(serializers.Serializer[Any]):
    """Whose device it is."""

    id = serializers.UUIDField()
    badge_no = serializers.CharField()
    name = serializers.CharField()


class EnrolAnswerSerializer(TokensSerializer):
    """The new device and its first session."""

    device_id = serializers.UUIDField()
    statement = StatementSerializer()
    officer = OfficerSerializer()
    limits = serializers.DictField(child=serializers.IntegerField())
    epoch = serializers.CharField()
    server_time = serializers.CharField()


class PushKeysSerializer(serializers.Serializer[Any]):
    """The keys of a subscription as the browser gives them, base64url."""

    p256dh = serializers.CharField(max_length=200)
    auth = serializers.CharField(max_length=100)


class PushSubscriptionSerializer(serializers.Serializer[Any]):
    """A push subscription as `PushSubscription.toJSON()` gives it."""

    endpoint = serializers.CharField(max_length=1000, trim_whitespace=False)
    keys = PushKeysSerializer()


class PushServiceSerializer(serializers.Serializer[Any]):
    """Whether phones can be poked, and the key to subscribe with."""

    enabled = serializers.BooleanField()
    public_key = serializers.CharField(allow_null=True, help_text="`applicationServerKey`, base64url.")
