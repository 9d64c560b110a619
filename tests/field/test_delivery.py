"""The phone app as it is served: a page for every address of its own, files with headers that caches can trust."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.field.bundle import load

ASSET = "/field/assets/app-1a2b3c4d.js"


@pytest.mark.parametrize(
    "address", ["/field/", "/field/enrol", "/field/report/0192f0c1", "/field/index.html"]
)
def test_every_address_of_the_app_is_its_page_and_never_stale(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert b"app-1a2b3c4d.js" in answer.content


def test_the_policy_allows_nothing_inline_and_nothing_foreign(client: Client) -> None:
    for address in ("/field/", ASSET, "/field/sw.js"):
        policy = client.get(address)["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "data:" not in policy


def test_hashed_files_are_kept_for_a_year_and_packed(client: Client) -> None:
    answer = client.get(ASSET, headers={"accept-encoding": "gzip"})
    plain = client.get(ASSET)
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == plain.content
    assert int(plain["Content-Length"]) == len(plain.content) > len(answer.content)


def test_the_worker_may_look_after_the_app_and_is_always_asked_for(client: Client) -> None:
    answer = client.get("/field/sw.js")
    assert answer["Service-Worker-Allowed"] == "/field/"
    assert answer["Cache-Control"] == "no-cache"
    again = client.get("/field/sw.js", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["assets/none.js", "../backend/settings.py", "%2e%2e/manage.py", ".vite/manifest.json", "x.map"]
)
def test_what_is_no_file_of_the_app_is_not_there(client: Client, name: str) -> None:
    assert client.get(f"/field/{name}").status_code == 404


def test_nobody_is_asked_who_they_are(client: Client) -> None:
    answer = client.get("/field/")
    assert not answer.cookies
    assert client.post("/field/").status_code == 405


def test_an_app_that_was_not_built_says_so(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.FIELD_APP_DIR = tmp_path
    answer = client.get("/field/")
    assert answer.status_code == 503
    assert "build_phone_app" in answer.content.decode()
    load.cache_clear()
