"""How views become OpenAPI 3.1: problems per operation, the device's sign-in, protocol headers, readable names."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.serializers import Serializer

from apps.common.errors import DomainError
from mobile_api.problems import CONTENT_TYPE, status_of

DEVICE = "0192f0b0-1111-7222-8333-444455556666"
SIGNED_IN = ("token-missing", "token-invalid", "token-expired", "device-revoked")
ALWAYS = ("upgrade-required", "too-many-requests", "unavailable", "server-error")
WITH_BODY = ("malformed", "too-large", "unsupported-media-type", "invalid-field")
_VERBS = {"get": "get", "post": "post", "put": "replace", "patch": "change", "delete": "delete"}

PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is the contract; docs/errors.md says what to do about each.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer (RFC 6901) into the request body",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "code", "detail"],
            },
        },
        "current": {"type": "object", "description": "The record as it stands now, on a conflict"},
    },
    "required": ["type", "title", "status", "code", "detail", "request_id"],
}


def catalogue() -> dict[str, type[DomainError]]:
    """Give every error class that is loaded, by code; of several with one code the most general, and HTTP's own."""
    loaded: list[type[DomainError]] = [DomainError, *_descendants(DomainError)]
    loaded.sort(key=lambda error: (-len(error.__mro__), error.__module__ == "mobile_api.errors"))
    return {error.code: error for error in loaded}


def _descendants(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


class ProblemAwareSchema(AutoSchema):
    """Adds to each operation what every phone operation has, and the codes its view names in `problem_codes`."""

    def get_override_parameters(self) -> list[OpenApiParameter | Serializer[Any] | type[Serializer[Any]]]:
        """Name the headers of the protocol."""
        return [
            _header("X-Device-Id", "The id from enrolment; must be the token's device when given.", DEVICE),
            _header(
                "Sync-Protocol",
                "`1`. Others are answered 426: `upgrade-required`, or `protocol-unsupported` when newer.",
                "1",
            ),
            _header("App-Version", "Version of the app, such as `1.4.0`; below the minimum: 426.", "1.4.0"),
            _header("Accept-Language", "`vi` (default) or `en`: the language of titles and details.", "en"),
        ]

    def get_tags(self) -> list[str]:
        """Group by resource: the first part of the path."""
        parts = self._tokenize_path()
        return parts[:1] or ["mobile"]

    def get_operation_id(self) -> str:
        """Name the operation after method and path: `post_sync_push`."""
        parts = [part.replace("-", "_") for part in self._tokenize_path()]
        return "_".join([_VERBS.get(self.method.lower(), self.method.lower()), *parts])

    def codes(self) -> list[str]:
        """Give every problem code that the operation may answer with."""
        own = getattr(self.view, "problem_codes", {}).get(self.method.lower(), [])
        signed = SIGNED_IN if self.view.get_authenticators() else ()
        body = WITH_BODY if self.method in {"POST", "PUT", "PATCH"} else ()
        return list(dict.fromkeys([*own, *signed, *body, *ALWAYS]))

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        reference = self._problem_reference()
        errors = catalogue()
        by_status: dict[int, list[type[DomainError]]] = {}
        for code in self.codes():
            by_status.setdefault(status_of(errors[code]), []).append(errors[code])
        for status, classes in sorted(by_status.items()):
            responses[str(status)] = {
                "description": f"{_phrase(status)}: " + ", ".join(f"`{c.code}`" for c in classes),
                "content": {
                    CONTENT_TYPE: {
                        "schema": reference,
                        "examples": {c.code: _example(c, status) for c in classes},
                    }
                },
            }
        return responses

    def _problem_reference(self) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]  # it has no types
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        reference: dict[str, Any] = component.ref
        return reference


class DeviceTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """The bearer token of a device."""

    target_class = "mobile_api.authentication.DeviceAuthentication"
    name = "deviceToken"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, str]:
        """Describe the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "Opaque access token of an enrolled device; 15 minutes. See docs/security.md.",
        }


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase  # 460 is tus's own


def _header(name: str, description: str, example: str) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        str,
        OpenApiParameter.HEADER,
        required=False,
        description=description,
        examples=[OpenApiExample(name, value=example)],
    )


def _example(error: type[DomainError], status: int) -> dict[str, Any]:
    vi, en = error.titles()
    body = {
        "type": f"urn:haidang:problem:{error.code}",
        "title": en,
        "status": status,
        "code": error.code,
        "detail": en,
        "request_id": "0192f0c1-7e1a-7c3e-9a55-2f8f3c1b7d10",
    }
    return {"summary": vi, "value": body}
