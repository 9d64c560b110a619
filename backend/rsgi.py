"""The application that granian serves: Django in a pool of threads, and long polls that need no thread (decision 0013).

granian --interface rsgi --backpressure 4096 backend.rsgi:application
"""

from __future__ import annotations

from django.conf import settings

from backend.wsgi import application as django

from backend.web.server import Server  # isort: skip  # needs the app registry, which the line above fills

application = Server(django, threads=settings.WEB_THREADS)
