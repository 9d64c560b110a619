"""Shapes of snapshots, for the documentation."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

Whole = serializers.IntegerField


class PartSerializer(serializers.Serializer[Any]):
    """One part of a snapshot."""

    byte = Whole(help_text="The records whose id ends in this byte, up to the next part's, are in it.")
    sha256 = serializers.CharField(help_text="Its name, and the hash of its bytes as they are sent.")
    bytes = Whole()
    rows = Whole()


class ManifestSerializer(serializers.Serializer[Any]):
    """A stream as it stood at one number: load the parts, then pull with `loaded` naming `seq`."""

    stream = serializers.CharField()
    epoch = serializers.CharField()
    seq = Whole()
    n = Whole()
    h = Whole()
    made_at = serializers.DateTimeField()
    parts = PartSerializer(many=True)
