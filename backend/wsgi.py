"""The WSGI application: Django as a web server loads it."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)

# What has been loaded stays: it need not be looked through for garbage, and requests leave little that goes in circles.
gc.freeze()
gc.set_threshold(20_000, 20, 50)
