"""Shapes of the sync endpoints, for the documentation and for the small bodies; pushes are judged by the engine."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.sync.operations import OPERATIONS
from apps.sync.rules import DEFAULT_PULL_ROWS, MAX_PULL_BYTES, MAX_PULL_ROWS, MAX_WAIT_SECONDS

Text = serializers.CharField
Whole = serializers.IntegerField


class MutationSerializer(serializers.Serializer[Any]):
    """One change made on a phone."""

    id = serializers.UUIDField(help_text="UUIDv7 made on the phone; the key of idempotency.")
    device_seq = Whole(required=False, help_text="Number of the mutation on this device, without gaps.")
    type = serializers.ChoiceField(choices=list(OPERATIONS))
    object = serializers.UUIDField(help_text="The record's id, made on the phone.")
    base_rev = Whole(
        required=False, allow_null=True, help_text="The revision the edit was made on; null when new."
    )
    fields = serializers.DictField(help_text="A patch; docs/records.md names its fields, others are kept.")  # type: ignore[assignment]
    depends_on = serializers.ListField(child=serializers.UUIDField(), required=False)
    made_on_device_at = serializers.DateTimeField(required=False, help_text="A claim; never compared.")


class PushSerializer(serializers.Serializer[Any]):
    """A push."""

    device_id = serializers.UUIDField()
    mutations = MutationSerializer(many=True)


class FaultSerializer(serializers.Serializer[Any]):
    """One fault of a mutation."""

    pointer = Text()
    code = Text()
    detail = Text()


class ResultSerializer(serializers.Serializer[Any]):
    """What became of one mutation."""

    id = Text()
    status = serializers.ChoiceField(choices=["applied", "duplicate", "conflict", "rejected", "deferred"])
    original_status = Text(required=False)
    rev = Whole(required=False)
    merged = serializers.BooleanField(required=False)
    warnings = serializers.ListField(child=Text(), required=False)
    code = Text(required=False)
    detail = Text(required=False)
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]
    fields = serializers.ListField(child=Text(), required=False)  # type: ignore[assignment]
    current = serializers.DictField(required=False)
    conflict_id = Text(required=False)
    needs = serializers.ListField(child=Text(), required=False)
    retry_after = Whole(required=False)


class PushAnswerSerializer(serializers.Serializer[Any]):
    """The results, in the order of the mutations."""

    server_time = Text()
    epoch = Text()
    results = ResultSerializer(many=True)


class PullSerializer(serializers.Serializer[Any]):
    """A pull."""

    cursor = Text(required=False, allow_null=True, max_length=100_000, trim_whitespace=False)
    limit = Whole(required=False, default=DEFAULT_PULL_ROWS, min_value=1, max_value=MAX_PULL_ROWS)
    max_bytes = Whole(required=False, default=MAX_PULL_BYTES, min_value=1000, max_value=MAX_PULL_BYTES)
    wait = Whole(required=False, default=0, min_value=0, max_value=MAX_WAIT_SECONDS)
    reset = serializers.ListField(
        child=Text(max_length=80), required=False, max_length=100, help_text="Streams to load from the start."
    )
    loaded = serializers.DictField(
        child=Whole(min_value=0, max_value=2**62),
        required=False,
        help_text="Streams just loaded from a snapshot, each with the `seq` of its manifest: go on from there.",
    )
    later = serializers.ListField(
        child=Text(max_length=80),
        required=False,
        max_length=100,
        help_text="Streams still being loaded from a snapshot: leave them as they are in the cursor.",
    )


class ChangeSerializer(serializers.Serializer[Any]):
    """One record of one stream: `put` with its body, or `del`."""

    s = Text(help_text="stream")
    k = Text(help_text="kind")
    id = serializers.UUIDField()
    rev = Whole()
    op = serializers.ChoiceField(choices=["put", "del"])
    body = serializers.DictField(required=False)


class DigestSerializer(serializers.Serializer[Any]):
    """Head, count and digest of a stream, for the phone's self-check."""

    seq = Whole()
    n = Whole()
    h = Whole()


class PullAnswerSerializer(serializers.Serializer[Any]):
    """One page of changes."""

    epoch = Text()
    cursor = Text()
    more = serializers.BooleanField()
    drop = serializers.ListField(child=Text())
    reset = serializers.ListField(child=Text())
    snapshot = serializers.ListField(
        child=Text(), help_text="Streams of `reset` to load from `snapshots/{stream}`, or page by page."
    )
    changes = ChangeSerializer(many=True)
    complete = serializers.DictField(child=DigestSerializer())


class ReportStatusSerializer(serializers.Serializer[Any]):
    """Server truth about one report, of an inspection or of a seizure (`state` is its stage)."""

    kind = serializers.ChoiceField(choices=["inspection", "seizure"])
    id = serializers.UUIDField()
    number = Text(allow_null=True)
    state = Text()
    rev = Whole()
    version = Whole()
    photos = serializers.DictField(child=Text(), help_text="state by photo id; `missing` when never declared")


class UploadStatusSerializer(serializers.Serializer[Any]):
    """Server truth about one upload that is under way."""

    id = serializers.UUIDField()
    attachment = serializers.UUIDField(allow_null=True)
    offset = Whole()
    length = Whole(allow_null=True, help_text="null while the client has deferred it")


class StatusAnswerSerializer(serializers.Serializer[Any]):
    """Server truth for the sync centre of a phone."""

    server_time = Text()
    epoch = Text()
    verdicts = serializers.DictField(child=Whole(), help_text="mutations of this device, counted by status")
    reports = ReportStatusSerializer(many=True)
    uploads = UploadStatusSerializer(many=True)
