"""A bare Django view that keeps photos: what receiving one costs without tus, rows, accounts or any promise but bytes.

`photo_throughput` serves it by granian beside the product and sends it the same bodies, as a baseline.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)
FOLDER = Path(os.environ["BARE_FOLDER"])


def keep(request: HttpRequest) -> HttpResponse:
    """Hash a body, write it, sync it, and rename it to its hash."""
    data = request.body
    made = FOLDER / uuid4().hex
    fd = os.open(made, os.O_CREAT | os.O_WRONLY)
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)
    made.rename(FOLDER / hashlib.sha256(data).hexdigest())
    return HttpResponse(status=204)


urlpatterns = [path("keep", keep)]
application = get_wsgi_application()
