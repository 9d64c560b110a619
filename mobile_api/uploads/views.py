"""tus 1.0.0: `OPTIONS/POST uploads`, `HEAD/PATCH/DELETE uploads/{id}`.

The protocol: https://tus.io/protocols/resumable-upload
Any tus client can send here; one that names the attachment gets the same upload again however often it asks.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.evidence import actions
from apps.evidence.models import Upload
from apps.evidence.rules.declarations import VIDEO_BYTES
from mobile_api.uploads import headers as tus
from mobile_api.uploads.bodies import content_length, drain, pieces
from mobile_api.views import PhoneView

AT_THE_END = ["hash-mismatch", "unsupported-media", "image-too-large", "image-too-complex", "too-large"]
STILL_OPEN = frozenset({400, 409, 411, 413, 415, 422, 460, 503})
CHUNK = {tus.CHUNK_TYPE: OpenApiTypes.BINARY}


def _header(
    name: str, description: str, example: str, *, required: bool = False, answer: bool = False
) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        required=required and not answer,
        description=description,
        response=answer,
        examples=[OpenApiExample(name, value=example)],
    )


RESUMABLE = _header("Tus-Resumable", "`1.0.0`", "1.0.0", required=True)
CHECKSUM = _header(
    "Upload-Checksum",
    "`sha1` or `sha256`, a blank, the digest of this chunk in base64.",
    "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
)
OFFSET = _header("Upload-Offset", "Bytes that are durable on the server.", "262144", answer=True)
EXPIRES = _header(
    "Upload-Expires",
    "When the upload ends if nothing more comes.",
    "Sat, 28 Nov 2026 01:15:02 GMT",
    answer=True,
)


class TusView(PhoneView):
    """What every tus answer carries."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Take the method from `X-HTTP-Method-Override`, for clients behind what knows neither PATCH nor DELETE."""
        method = request.headers.get("X-HTTP-Method-Override", "").strip().upper()
        if method:
            request.method = method
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Judge the caller, then the version of the protocol."""
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            tus.check_version(request.headers)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Name the protocol's version, on refusals too, which come when the client has finished sending."""
        drain(request)
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Tus-Resumable"] = tus.VERSION
        if answer.status_code == 412:
            answer.headers["Tus-Version"] = tus.VERSION
        return answer

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Say what this server can do."""
        return Response(
            status=204,
            headers={
                "Tus-Version": tus.VERSION,
                "Tus-Extension": tus.EXTENSIONS,
                "Tus-Max-Size": str(VIDEO_BYTES),
                "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
            },
        )


class UploadsView(TusView):
    """Open an upload."""

    problem_codes: ClassVar[dict[str, list[str]]] = {
        "post": [
            "tus-version",
            "upload-header",
            "checksum-algorithm",
            "checksum-mismatch",
            "not-found",
            "size-differs",
            "attachment-refused",
            "too-many-uploads",
            "offset-mismatch",
            "storage-unavailable",
            *AT_THE_END,
        ]
    }

    @extend_schema(
        summary="Open an upload (tus creation, creation-with-upload)",
        description="`Upload-Metadata: attachment_id <base64 of the id>` names the declared attachment; asking again "
        "gives the same `Location`. Without it the bytes wait for a declaration of the same hash and size. "
        "`OPTIONS` tells versions, extensions and limits.",
        parameters=[
            RESUMABLE,
            _header(
                "Upload-Length",
                "Size of the file in bytes: photo up to 25 MiB, video 500 MiB. Required unless deferred.",
                "86016",
            ),
            _header(
                "Upload-Defer-Length",
                "`1`: the length comes with a later `PATCH` (creation-defer-length).",
                "1",
            ),
            _header(
                "Upload-Metadata",
                "`attachment_id` and `filetype`, each with a base64 value.",
                "attachment_id MDE5MmYwYzEtOGEwMC03ZDJiLThjMTEtNWEwYzZhMWYyZTMz",
            ),
            CHECKSUM,
            _header(
                "Location",
                "The upload's own address.",
                "/mobile/v1/uploads/0192f0c1-8a00-7d2b-8c11-5a0c6a1f2e33",
                answer=True,
            ),
            OFFSET,
            EXPIRES,
        ],
        request=CHUNK,
        responses={201: None},
    )
    def post(self, request: Request) -> Response:
        """Open, and take the first bytes when the body has any."""
        about = tus.metadata(request.headers)
        length = tus.creation_length(request.headers)
        promised = tus.checksum(request.headers)
        has_body = request.headers.get("Content-Length", "0") not in {"", "0"}
        if has_body:
            tus.check_chunk_type(request.headers)
        upload = actions.open_with_bytes(
            actor=self.actor,
            attachment_id=about.attachment_id,
            length=length,
            size=content_length(request) if has_body else 0,
            pieces=pieces(request, promised) if has_body else (),
            metadata=about.raw,
            mime=about.filetype,
        )
        place = reverse("mobile_api:upload", args=[upload.pk])
        return Response(status=201, headers={"Location": place, **_progress(upload)})


class UploadView(TusView):
    """Continue, ask about or cancel an upload."""

    problem_codes: ClassVar[dict[str, list[str]]] = {
        "patch": [
            "tus-version",
            "upload-header",
            "checksum-algorithm",
            "checksum-mismatch",
            "not-found",
            "upload-ended",
            "offset-mismatch",
            "size-differs",
            "length-required",
            "storage-unavailable",
            *AT_THE_END,
        ],
        "delete": ["tus-version", "not-found", "upload-ended"],
    }

    @extend_schema(exclude=True)
    def head(self, request: Request, upload_id: UUID) -> Response:
        """Tell how many bytes are durable; an upload left complete by a crash is finished here."""
        upload = actions.read_upload(actor=self.actor, upload_id=upload_id)
        about = {"Upload-Metadata": upload.metadata} if upload.metadata else {}
        known = (
            {"Upload-Defer-Length": "1"} if upload.length is None else {"Upload-Length": str(upload.length)}
        )
        return Response(headers={**known, **about, **_progress(upload)})

    @extend_schema(
        summary="Send bytes (tus core, checksum)",
        description="Bytes that arrived before a connection broke are kept: `HEAD` on this address gives "
        "`Upload-Offset`, where to go on. With the last byte the file is compared with its declared hash and its "
        "content is judged. A finished upload answers `HEAD` for 7 days.",
        parameters=[
            RESUMABLE,
            _header(
                "Upload-Offset",
                "Where these bytes begin; must be what the server holds.",
                "262144",
                required=True,
            ),
            _header(
                "Upload-Length", "The length of the whole, once, when the creation deferred it.", "86016"
            ),
            CHECKSUM,
            OFFSET,
            EXPIRES,
        ],
        request=CHUNK,
        responses={204: None},
    )
    def patch(self, request: Request, upload_id: UUID) -> Response:
        """Take a chunk."""
        tus.check_chunk_type(request.headers)
        upload = actions.append_chunk(
            actor=self.actor,
            upload_id=upload_id,
            offset=tus.upload_offset(request.headers),
            size=content_length(request),
            pieces=pieces(request, tus.checksum(request.headers)),
            length=tus.later_length(request.headers),
        )
        return Response(status=204, headers=_progress(upload))

    @extend_schema(
        summary="End an upload (tus termination)",
        description="Frees the bytes of an unfinished upload. A file that was stored stays stored.",
        parameters=[RESUMABLE],
        responses={204: None},
    )
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """End the upload and free its bytes."""
        actions.terminate_upload(actor=self.actor, upload_id=upload_id)
        return Response(status=204)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Say on refusals of a chunk too when the upload ends: every answer to a PATCH must."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if request.method == "PATCH" and answer.status_code in STILL_OPEN and request.auth:
            upload = Upload.objects.visible_to(self.actor).filter(pk=self.kwargs["upload_id"]).first()
            if upload and upload.finished_at is None and upload.ended_at is None:
                answer.headers["Upload-Expires"] = http_date(upload.expires_at.timestamp())
        return answer


def _progress(upload: Upload) -> dict[str, str]:
    ends = {} if upload.finished_at else {"Upload-Expires": http_date(upload.expires_at.timestamp())}
    return {"Upload-Offset": str(upload.offset), **ends}
