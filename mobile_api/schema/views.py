"""`GET schema` and `GET docs`: open to all, drawn from our own files only, so that the page works offline."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """The OpenAPI 3.1 document; JSON or YAML by `Accept`."""

    def _get_filename(self, request: Request, version: str) -> str:
        """Name the file in ASCII; the title is not, and the version is whatever the query says."""
        return f"haidang-v1.{self.perform_content_negotiation(request, force=True)[0].format}"


@extend_schema(exclude=True)
class DocsView(SpectacularSwaggerSplitView):
    """The document as a page (Swagger UI from the installed package)."""

    url_name = "mobile_api:schema"
    http_method_names = ("get", "head")  # what else there is to say (OPTIONS) is no page

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Allow nothing that is not served from here."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer
