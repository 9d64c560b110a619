"""`GET snapshots/{stream}` and `GET snapshots/{stream}/parts/{sha256}`."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.http import HttpResponse, HttpResponseNotModified
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request

from apps.sync.snapshots import manifest_of, part_of, read_part, read_parts
from apps.sync.snapshots.rules import may_be_cached
from mobile_api.answers import is_known, json_answer, range_of
from mobile_api.snapshots.serializers import ManifestSerializer
from mobile_api.views import PhoneView

EXAMPLE = {
    "stream": "list:seaports",
    "epoch": "5f0c2b9e-6f2a-4a55-9d8e-0a4b8b0f1c22",
    "seq": 104211,
    "n": 100000,
    "h": 553100112233,
    "made_at": "2026-11-21T01:15:02Z",
    "parts": [{"byte": 0, "sha256": "9f86d081…", "bytes": 81233, "rows": 3120}],
}
_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range, `bytes=1000-`.")


class SnapshotView(PhoneView):
    """The manifest of a large stream."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found"]}

    @extend_schema(
        summary="The manifest of a stream's snapshot",
        description="For streams that a pull names under `snapshot`. Whoever does not hold the stream gets 404.",
        responses=ManifestSerializer,
        examples=[OpenApiExample("a list", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, stream: str) -> HttpResponse:
        """Give the manifest."""
        manifest = manifest_of(self.actor, stream)
        etag = f'"{hashlib.sha256(manifest).hexdigest()[:32]}"'
        answer = HttpResponseNotModified() if is_known(request, etag) else json_answer(request, manifest)
        return _marked(answer, etag, "private, no-cache")


_NAMES = OpenApiParameter(
    "names", str, required=True, description="SHA-256 names of up to 64 parts of one stream, with commas."
)


class PartsView(PhoneView):
    """Several parts of a snapshot in one answer."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found"]}

    @extend_schema(
        summary="Several parts of a snapshot",
        description="The parts one after the other in the order of `names`, as many as fit into 2 MB, at least one; "
        "the lengths stand in the manifest. What arrived whole of a cut answer is good.",
        parameters=[_NAMES],
        responses={(200, "application/gzip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, stream: str) -> HttpResponse:
        """Give the bytes."""
        names = request.query_params.get("names", "").split(",")
        return HttpResponse(read_parts(self.actor, stream, names), content_type="application/gzip")


class PartView(PhoneView):
    """One part of a snapshot."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found", "range-not-satisfiable"]}

    @extend_schema(
        summary="One part of a snapshot",
        description="gzip (RFC 1952) of one JSON object per line: `k`, `id`, `rev`, `body`. Never changes; `Range` "
        "goes on where a download was cut.",
        parameters=[_RANGE],
        responses={
            (200, "application/gzip"): OpenApiTypes.BINARY,
            (206, "application/gzip"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, stream: str, sha256: str) -> HttpResponse:
        """Give the bytes, all or a range of them."""
        length = part_of(self.actor, stream, sha256)
        etag = f'"{sha256}"'
        asked = None if is_known(request, etag) else range_of(request, etag, length)
        if is_known(request, etag):
            answer: HttpResponse = HttpResponseNotModified()
        else:
            data = read_part(stream, sha256)
            answer = HttpResponse(
                data if asked is None else data[asked[0] : asked[1] + 1], content_type="application/gzip"
            )
        if asked is not None:
            answer.status_code = 206
            answer.headers["Content-Range"] = f"bytes {asked[0]}-{asked[1]}/{length}"
        keep = "private, no-cache" if may_be_cached(stream) else "private, no-store"
        answer.headers["Accept-Ranges"] = "bytes"
        return _marked(answer, etag, keep)


def _marked(answer: HttpResponse, etag: str, keep: str) -> HttpResponse:
    answer.headers["ETag"], answer.headers["Cache-Control"] = etag, keep
    return answer
