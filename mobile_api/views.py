"""The base of every phone view: protocol headers in, uncached answers with the server's time out."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar, cast

from django.conf import settings
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.common.actor import Actor
from apps.sync.rules import read_version
from mobile_api.authentication import DeviceAuth
from mobile_api.errors import LengthRequired, ProtocolUnsupported, UpgradeRequired
from mobile_api.parsers import SMALL, BodyLimits

PROTOCOL = "1"
_ANY_JSON = frozenset({"*/*", "application/json"})
_RENDERER, _JSON_ALONE = JSONRenderer(), [JSONRenderer]


class PhoneView(APIView):
    """A view for phones; `problem_codes` documents its refusals per method, `body_limits` bounds its bodies."""

    problem_codes: ClassVar[dict[str, list[str]]] = {}
    body_limits: ClassVar[BodyLimits] = SMALL

    @property
    def auth(self) -> DeviceAuth:
        """Actor and session of a signed-in request."""
        return cast("DeviceAuth", self.request.auth)

    @property
    def actor(self) -> Actor:
        """The actor of a signed-in request."""
        return self.auth.actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Judge who calls, then the protocol: a revoked phone learns of that first, whatever its app."""
        super().initial(request, *args, **kwargs)
        check_protocol(request)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Give JSON to whoever takes it, which is every phone; others are told what there is."""
        accepted = request.META.get("HTTP_ACCEPT", "*/*")
        if accepted in _ANY_JSON and self.renderer_classes == _JSON_ALONE:
            return _RENDERER, _RENDERER.media_type
        return super().perform_content_negotiation(request, force)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Forbid caching and tell the time."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers["X-Server-Time"] = server_time()
        return answer


def checked(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Give the body in the shape of the serializer. Raises the framework's ValidationError, which becomes 422."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def stranger(request: Request) -> Actor:
    """Give the actor of a request that nobody has signed: no person, no device, only the id of the request."""
    return Actor(officer_id=None, request_id=request.META.get("haidang.request_id", ""))


def server_time() -> str:
    """Give the server's time as phones read it: ISO 8601 in UTC with milliseconds."""
    return timezone.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_protocol(request: Request) -> None:
    """Raise UpgradeRequired for an older protocol or app, ProtocolUnsupported for a newer protocol than the server's.

    Plain tus clients send neither header.
    """
    minimum = settings.MINIMUM_APP_VERSION
    app = request.headers.get("App-Version", "")
    is_old = bool(minimum and app) and read_version(app) < read_version(minimum)
    spoken = request.headers.get("Sync-Protocol", PROTOCOL).strip()
    if spoken != PROTOCOL or is_old:
        is_newer = spoken.isascii() and spoken.isdigit() and int(spoken[:9]) > int(PROTOCOL)
        refusal = ProtocolUnsupported if is_newer else UpgradeRequired
        raise refusal(members={"min_version": minimum, "protocol": PROTOCOL})
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.headers.get(
        "Content-Length"
    ):
        raise LengthRequired
