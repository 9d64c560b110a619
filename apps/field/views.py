"""Sends the phone app: its page for every address of its own, its files by name, each with the headers it needs.

Nothing here knows who asks: the app is the same for everybody, and holds nothing until a phone has enrolled by the API.
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.field.bundle import HASHED, INDEX, WORKER, File, load

SCOPE = "/field/"
# Only what this site serves, nothing inline; `blob:` shows the officer's own photos from the phone's store.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)
ONE_YEAR = "public, max-age=31536000, immutable"


@require_safe
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """Send a file of the app, or its page for an address that names none (the app reads the address itself)."""
    files = load(settings.FIELD_APP_DIR)
    if INDEX not in files:
        return _not_built()
    name = path if path in files else INDEX
    if name == INDEX and "." in path.rpartition("/")[2] and path != INDEX:
        raise Http404
    return _send(request, name, files[name])


def _send(request: HttpRequest, name: str, file: File) -> HttpResponse:
    response = HttpResponse(content_type=file.content_type)
    response["Cache-Control"] = ONE_YEAR if name.startswith(HASHED) else "no-cache"
    response["ETag"] = file.etag
    response["Content-Security-Policy"] = CONTENT_POLICY
    response["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
    response["Referrer-Policy"] = "no-referrer"
    response["Vary"] = "Accept-Encoding"
    if name == WORKER:
        response["Service-Worker-Allowed"] = SCOPE
    if request.headers.get("If-None-Match") == file.etag:
        response.status_code = 304
        return response
    is_packed = file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    if is_packed:
        response["Content-Encoding"] = "gzip"
    response.content = file.packed if is_packed and file.packed is not None else file.body
    return response


def _not_built() -> HttpResponse:
    return HttpResponse(
        "Ứng dụng hiện trường chưa được dựng trên máy chủ này.\nThe phone app has not been built on this server:\n"
        "python3 manage.py build_phone_app\n",
        status=503,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )
