"""A person at a desk: signs in to the console over HTTP and works its forms, as a browser without scripts would."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar


class Desk:
    """One browser session."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> str:
        """Read a page. Raises urllib.error.HTTPError."""
        with self.opener.open(self.base_url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form with the session's CSRF token; gives the page it led to."""
        token = next((c.value for c in self.jar if c.name == "csrftoken"), "") or ""
        data = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        request = urllib.request.Request(self.base_url + path, data, {"Referer": self.base_url + path})
        with self.opener.open(request, timeout=30) as answer:
            return str(answer.read().decode())

    def sign_in(self, username: str, password: str) -> None:
        """Sign in with a password."""
        self.get("/accounts/login/")
        page = self.post("/accounts/login/", {"login": username, "password": password})
        assert "/accounts/logout/" in page or "/console/" in page, page[:2000]


class _Fields(HTMLParser):
    """Collects the fields of every form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"input", "textarea", "select"} and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


def form_fields(page: str) -> dict[str, str]:
    """Give the names and values of all form fields of a page."""
    parser = _Fields()
    parser.feed(page)
    return parser.fields


def numbers(page: str) -> list[int]:
    """Give the whole numbers that stand in the page's text."""
    text = re.sub(r"<[^>]+>", " ", page)
    return [int(n) for n in re.findall(r"(?<![\w.,])\d+(?![\w.,])", text)]
