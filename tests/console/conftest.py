"""The scene of the console's tests, and a browser signed in as one of its people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from tests.console.scene import Scene, make_scene

As = Callable[..., Client]


@pytest.fixture
def scene(db: None) -> Scene:
    """Units, people, a checklist."""
    cache.clear()
    return make_scene()


@pytest.fixture
def signed_in(scene: Scene) -> As:
    """Give a client signed in as a person, in a language."""

    def sign_in(name: str, language: str = "vi") -> Client:
        client = Client(enforce_csrf_checks=False)
        client.force_login(scene.people[name])
        client.cookies["django_language"] = language
        return client

    return sign_in
