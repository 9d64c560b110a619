"""Shapes of signing in and of rotation. Texts that are signed are taken as sent, without trimming."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of opaque tokens."""

    access_token = serializers.CharField()
    access_expires_at = serializers.DateTimeField()
    refresh_token = serializers.CharField()
    refresh_expires_at = serializers.DateTimeField()


class ChallengeSerializer(serializers.Serializer[Any]):
    """Which device asks."""

    device_id = serializers.UUIDField()


class ChallengeAnswerSerializer(serializers.Serializer[Any]):
    """What the device has to sign within two minutes."""

    challenge = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class SignInSerializer(serializers.Serializer[Any]):
    """An officer signing in again on their device."""

    device_id = serializers.UUIDField()
    username = serializers.CharField(max_length=60, trim_whitespace=False)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    challenge = serializers.CharField(max_length=200, trim_whitespace=False)
    signature = serializers.CharField(
        max_length=400,
        help_text="Device key, as at enrolment, over `session|<device_id>|<username>|<challenge>`, base64.",
    )


class RefreshSerializer(serializers.Serializer[Any]):
    """A rotation; on a retry everything is sent as before."""

    refresh_token = serializers.CharField(max_length=200, trim_whitespace=False)
    request_id = serializers.RegexField(
        r"\A[A-Za-z0-9._-]{8,64}\Z", help_text="Made by the phone, new per rotation."
    )
    signature = serializers.CharField(
        max_length=400,
        help_text="Device key over `refresh|<device_id>|<request_id>|<SHA-256 hex of the refresh token>`, base64.",
    )
