"""Shapes of attachments."""

from __future__ import annotations

from rest_framework import serializers


class AttachmentSerializer(serializers.Serializer[object]):
    """One photo or file."""

    id = serializers.UUIDField()
    owner_kind = serializers.CharField()
    owner_id = serializers.UUIDField()
    step_key = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    mime = serializers.CharField()
    state = serializers.ChoiceField(choices=["expected", "stored", "rejected"])
    failure = serializers.CharField()
    stored_at = serializers.DateTimeField(allow_null=True)
    captured_on_device_at = serializers.DateTimeField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField())
    rev = serializers.IntegerField()
    purpose = serializers.CharField()
    capture_mode = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    claims = serializers.DictField()
    is_signed = serializers.BooleanField()
    has_thumbnail = serializers.BooleanField()
