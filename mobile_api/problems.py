"""Every refusal as `application/problem+json` (RFC 9457): kinds become statuses here and nowhere else.

The `code` is the contract (docs/errors.md lists all); titles and details are Vietnamese or English by the request.
What nobody foresaw becomes one fixed answer, and its text goes to the log alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson
import structlog
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions as drf

from apps.accounts.errors import NotSignedIn
from apps.common.errors import (
    Conflict,
    DomainError,
    Gone,
    Invalid,
    InvalidFields,
    NotAllowed,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
)
from apps.common.text import pick
from apps.evidence.errors import UnsupportedMedia
from apps.sync.errors import RangeNotSatisfiable
from mobile_api.errors import (
    LengthRequired,
    Malformed,
    MediaTypeUnsupported,
    MethodRefused,
    NotAcceptableHere,
    ServerError,
    TooManyRequests,
    UpgradeRequired,
)
from mobile_api.uploads.errors import ChecksumMismatch, TusVersionUnsupported

logger = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
# What a shape asks for, where the framework has no Vietnamese words of its own.
SHAPES_IN_VIETNAMESE: Mapping[str, str] = {
    "required": "Cần có mục này.",
    "null": "Mục này không được để trống (null).",
    "blank": "Mục này không được để trống.",
    "invalid": "Giá trị không đúng kiểu dữ liệu.",
    "max_length": "Nội dung dài quá {limit} ký tự.",
    "min_length": "Nội dung phải có ít nhất {limit} ký tự.",
    "max_value": "Giá trị lớn nhất là {limit}.",
    "min_value": "Giá trị nhỏ nhất là {limit}.",
    "invalid_choice": "Giá trị không có trong danh mục.",
    "not_a_list": "Mục này phải là một danh sách.",
    "not_a_dict": "Mục này phải là một đối tượng.",
}
_LIMIT = re.compile(r"-?\d+")
RETRY_AFTER_SECONDS = 5

# The most specific class in an error's line of ancestors decides.
STATUS: Mapping[type[DomainError], int] = {
    Malformed: 400,
    LengthRequired: 411,
    NotAcceptableHere: 406,
    MediaTypeUnsupported: 415,
    UnsupportedMedia: 415,
    TusVersionUnsupported: 412,
    ChecksumMismatch: 460,
    RangeNotSatisfiable: 416,
    Invalid: 422,
    NotSignedIn: 401,
    MethodRefused: 405,
    UpgradeRequired: 426,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    TooManyRequests: 429,
    Unavailable: 503,
    ServerError: 500,
    DomainError: 500,
}

# What the frameworks' own exceptions mean; whatever is not named here is a ServerError.
MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[DomainError]], ...] = (
    ((Http404, drf.NotFound), NotFound),
    ((drf.ParseError, BadRequest, SuspiciousOperation), Malformed),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), NotSignedIn),
    ((drf.PermissionDenied, PermissionDenied), NotAllowed),
    (drf.MethodNotAllowed, MethodRefused),
    (drf.NotAcceptable, NotAcceptableHere),
    (drf.UnsupportedMediaType, MediaTypeUnsupported),
    (OperationalError, Unavailable),
)


def status_of(error: type[DomainError]) -> int:
    """Give the HTTP status of an error class."""
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


class ProblemResponse(HttpResponse):
    """A rendered problem; `data` is what was rendered, for logs and tests."""

    def __init__(self, data: dict[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(
            orjson.dumps(data, default=str),
            status=data["status"],
            content_type=CONTENT_TYPE,
            headers={"Cache-Control": "no-store", **headers},
        )
        self.data = data


def handle(exc: Exception, context: Mapping[str, Any]) -> ProblemResponse:
    """Answer for an exception that left a view (the hook of Django REST framework)."""
    return respond(exc, cast("HttpRequest", context["request"]))


def respond(exc: Exception, request: HttpRequest) -> ProblemResponse:
    """Turn any exception into its problem; unforeseen ones are logged and told to Django's error reporting."""
    error = _translated(exc)
    if isinstance(error, ServerError):
        logger.error("request.failed", exc_info=exc, path=request.path)
        got_request_exception.send(sender=None, request=request)
    elif isinstance(exc, OperationalError):
        logger.warning("database.unavailable", error=type(exc).__name__, detail=str(exc)[:200])
    return problem(error, request)


def problem(error: DomainError, request: HttpRequest) -> ProblemResponse:
    """Render one domain error. Every 404 has the same words, so that an outsider learns nothing."""
    status = status_of(type(error))
    if status == 404:
        error = NotFound()
    title = pick(*error.titles())
    body: dict[str, Any] = {
        "type": f"urn:haidang:problem:{error.code}",
        "title": title,
        "status": status,
        "code": error.code,
        "detail": error.detail or title,
        "request_id": request.META.get("haidang.request_id", ""),
    }
    if error.errors:
        body["errors"] = [_fault(p) for p in error.errors]
    if error.current is not None:
        body["current"] = error.current
    return ProblemResponse({**error.members, **body}, _headers(error, status))


def _fault(fault: Problem) -> dict[str, str]:
    return {"pointer": fault.pointer, "code": fault.code, "detail": pick(fault.vi, fault.en) or fault.code}


def _headers(error: DomainError, status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": f'Bearer realm="haidang", error="{error.code}"'}
    if status == 416:
        return {"Content-Range": f"bytes */{error.members['length']}"}
    if status in {429, 503}:
        return {"Retry-After": str(error.members.get("retry_after", RETRY_AFTER_SECONDS))}
    return {}


def _translated(exc: Exception) -> DomainError:
    """Give the domain error that an exception of the frameworks means."""
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, drf.ValidationError):
        return InvalidFields(errors=list(_faults(exc.get_full_details())))
    if isinstance(exc, drf.Throttled):
        wait = max(1, math.ceil(getattr(exc, "wait", None) or 0))
        return TooManyRequests(members={"retry_after": wait})
    return next((meaning() for kinds, meaning in MEANINGS if isinstance(exc, kinds)), ServerError())


def _faults(details: Any, pointer: str = "") -> Iterator[Problem]:
    """Walk the nested details of a serializer's refusal and give a fault with a JSON pointer for each leaf."""
    if isinstance(details, list):
        for index, item in enumerate(details):
            is_leaf = isinstance(item, dict) and set(item) == {"message", "code"}
            yield from _faults(item, pointer if is_leaf else f"{pointer}/{index}")
    elif (
        isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["code"], str)
    ):
        code, text = details["code"], str(details["message"])
        yield Problem(pointer, code.replace("_", "-"), _in_vietnamese(code, text), text)
    elif isinstance(details, dict):
        for key, item in details.items():
            yield from _faults(item, pointer if key == "non_field_errors" else f"{pointer}/{token(key)}")


def _in_vietnamese(code: str, text: str) -> str:
    words, limit = SHAPES_IN_VIETNAMESE.get(code), _LIMIT.search(text)
    return words.replace("{limit}", limit[0] if limit else "") if words else text


def token(key: object) -> str:
    """Escape one reference token of a JSON pointer (RFC 6901); what cannot be encoded is replaced."""
    text = str(key).encode("utf-8", "replace").decode()[:100]
    return text.replace("~", "~0").replace("/", "~1")


def is_phone_path(request: HttpRequest) -> bool:
    """Tell whether the request is for the phone API."""
    return request.path.startswith("/mobile/")


@csrf_exempt
def unknown_route(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Answer for paths below /mobile/ that lead nowhere, also in debug mode."""
    return problem(NotFound(), request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself found malformed."""
    return (
        problem(Malformed(), request) if is_phone_path(request) else defaults.bad_request(request, exception)
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused."""
    if is_phone_path(request):
        return problem(NotAllowed(), request)
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a page that is not there."""
    return (
        problem(NotFound(), request)
        if is_phone_path(request)
        else defaults.page_not_found(request, exception)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a failure outside the views."""
    return problem(ServerError(), request) if is_phone_path(request) else defaults.server_error(request)
