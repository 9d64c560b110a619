"""Refusals as they leave the server: one shape, no leaks, and bodies that are judged before they are read."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory

from apps.common.errors import Conflict, DomainError, InvalidFields, NotFound, Problem, TooLarge
from mobile_api.errors import Malformed, MediaTypeUnsupported
from mobile_api.parsers import PUSH, SMALL, BodyLimits, is_too_deep, loads, read_json
from mobile_api.problems import respond
from mobile_api.views import PhoneView
from tests.cast import Cast

REQUEST_ID = "0192f0c1-7e1a-7c3e-9a55-2f8f3c1b7d10"


def said(exc: Exception) -> tuple[Any, dict[str, Any]]:
    request = RequestFactory().get("/mobile/v1/x")
    request.META["haidang.request_id"] = REQUEST_ID
    answer = respond(exc, request)
    return answer, json.loads(answer.content)


class TestShape:
    def test_a_conflict_carries_everything(self) -> None:
        error = Conflict(
            "said",
            errors=[Problem("/a/0", "min", "nhỏ quá", "too small")],
            current={"rev": 4},
            members={"retry": True, "status": 1, "code": "forged"},
        )
        answer, body = said(error)
        assert answer["Content-Type"] == "application/problem+json"
        assert body == {
            "type": "urn:haidang:problem:conflict",
            "title": "Hồ sơ đã thay đổi so với bản đang mở.",
            "status": 409,
            "code": "conflict",
            "detail": "said",
            "request_id": REQUEST_ID,
            "errors": [{"pointer": "/a/0", "code": "min", "detail": "nhỏ quá"}],
            "current": {"rev": 4},
            "retry": True,
        }

    def test_speaks_the_language_of_the_request(self) -> None:
        with translation.override("en"):
            _, body = said(InvalidFields(errors=[Problem("/a", "min", "nhỏ quá", "too small")]))
        assert body["errors"][0]["detail"] == "too small"
        assert body["title"] == "Some fields break a rule; `errors` names each by its pointer."

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            (serializers.CharField(), None, "Mục này không được để trống (null)."),
            (serializers.CharField(max_length=3), "dài", None),
            (serializers.CharField(max_length=3), "dài quá", "Nội dung dài quá 3 ký tự."),
            (serializers.IntegerField(max_value=25), 99, "Giá trị lớn nhất là 25."),
            (serializers.UUIDField(), "x", "Giá trị không đúng kiểu dữ liệu."),
            (serializers.ListField(), "{x}", "Mục này phải là một danh sách."),
            (serializers.ChoiceField(["{a}"]), "{x}", "Giá trị không có trong danh mục."),
        ],
    )
    def test_what_a_shape_asks_for_is_said_in_vietnamese(
        self, field: Any, value: object, words: str | None
    ) -> None:
        try:
            field.run_validation(value)
        except exceptions.ValidationError as refused:
            _, body = said(exceptions.ValidationError({"a": refused.detail}))
            assert body["errors"] == [{**body["errors"][0], "pointer": "/a", "detail": words}]
        else:
            assert words is None

    def test_every_404_is_the_same_bytes(self) -> None:
        class ReportHidden(NotFound):
            """Secret report X was not found."""

            code = "report-hidden"

        plain, _ = said(NotFound())
        for other in (ReportHidden("secret"), NotFound(current={"id": 1}), exceptions.NotFound("secret")):
            assert said(other)[0].content == plain.content

    @pytest.mark.parametrize(
        ("exc", "status", "code"),
        [
            (exceptions.ParseError("secret"), 400, "malformed"),
            (exceptions.NotAuthenticated(), 401, "token-missing"),
            (exceptions.PermissionDenied("secret"), 403, "forbidden"),
            (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed"),
            (exceptions.NotAcceptable(), 406, "not-acceptable"),
            (exceptions.UnsupportedMediaType("x"), 415, "unsupported-media-type"),
            (exceptions.Throttled(wait=7.2), 429, "too-many-requests"),
            (OperationalError("database is locked: secret"), 503, "unavailable"),
            (ZeroDivisionError("secret"), 500, "server-error"),
            (DomainError("x"), 500, "error"),
            (TooLarge(), 413, "too-large"),
        ],
    )
    def test_exceptions_of_others_have_their_codes(self, exc: Exception, status: int, code: str) -> None:
        answer, body = said(exc)
        assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
        assert b"secret" not in answer.content

    def test_headers_that_callers_need(self) -> None:
        assert said(exceptions.Throttled(wait=7.2))[0]["Retry-After"] == "8"
        assert said(OperationalError())[0]["Retry-After"] == "5"
        assert said(exceptions.NotAuthenticated())[0]["WWW-Authenticate"].startswith("Bearer ")

    def test_nested_refusals_of_serializers_become_pointers(self) -> None:
        class Inner(serializers.Serializer[Any]):
            n = serializers.IntegerField(min_value=1)

        class Outer(serializers.Serializer[Any]):
            rows = Inner(many=True)
            code = serializers.CharField()
            message = serializers.CharField()

        serializer = Outer(data={"rows": [{"n": 1}, {"n": 0}, {}], "code": None})
        with pytest.raises(exceptions.ValidationError) as caught:
            serializer.is_valid(raise_exception=True)
        _, body = said(caught.value)
        found = {(e["pointer"], e["code"]) for e in body["errors"]}
        assert found == {
            ("/rows/1/n", "min-value"),
            ("/rows/2/n", "required"),
            ("/code", "null"),
            ("/message", "required"),
        }


class TestRoutes:
    @pytest.mark.parametrize("debug", [False, True])
    def test_paths_that_lead_nowhere(self, db: None, settings: Any, debug: bool) -> None:
        settings.DEBUG = debug
        for path in (
            "/mobile/",
            "/mobile/v1/",
            "/mobile/v1/nothing",
            "/mobile/v2/sync/push",
            "/mobile/v1/sync/push/",
        ):
            answer = Client().get(path, headers={"X-Request-Id": REQUEST_ID})
            assert answer.status_code == 404
            assert answer.content == said(NotFound())[0].content, path
            sent = Client(enforce_csrf_checks=True).post(path, headers={"X-Request-Id": REQUEST_ID})
            assert (sent.status_code, sent.content) == (404, answer.content), path

    def test_the_console_keeps_its_own_pages(self, db: None) -> None:
        answer = Client().get("/nothing-here")
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")

    def test_wrong_method_type_and_accept(self, cast: Cast) -> None:
        client = cast.officer.client()
        url = "/mobile/v1/sync/pull"
        assert client.put(url, {}, format="json").json()["code"] == "method-not-allowed"
        form = client.post(url, "a=1", content_type="application/x-www-form-urlencoded")
        assert (form.status_code, form.json()["code"]) == (415, "unsupported-media-type")
        page = client.post(url, {}, format="json", headers={"Accept": "text/html"})
        assert (page.status_code, page.json()["code"]) == (406, "not-acceptable")
        chunked = client.post(
            url, b"", content_type="application/json", headers={"Transfer-Encoding": "chunked"}
        )
        assert chunked.status_code in {200, 411}

    def test_schema_and_docs_are_open_and_load_nothing_from_elsewhere(self, db: None) -> None:
        schema = Client().get("/mobile/v1/schema", headers={"Accept": "application/json"})
        assert schema.status_code == 200
        assert schema.json()["openapi"].startswith("3.1")
        page = Client().get("/mobile/v1/docs")
        assert page.status_code == 200
        assert b"<script>" not in page.content
        assert b"http://" not in page.content
        assert b"https://" not in page.content
        assert "script-src 'self';" in page["Content-Security-Policy"]
        script = Client().get("/mobile/v1/docs?script=")
        assert script["Content-Type"].startswith("application/javascript")

    @pytest.mark.parametrize(
        "query", ["?lang=%00", "?version=%0d%0aX:1", "?format=%ff", "?lang=" + "x" * 3000]
    )
    def test_hostile_queries_on_the_open_pages(self, db: None, query: str) -> None:
        for page in ("schema", "docs"):
            answer = Client(raise_request_exception=False).get(f"/mobile/v1/{page}{query}")
            assert answer.status_code < 500, (page, query)

    def test_an_unforeseen_failure_is_one_fixed_answer(self, capsys: Any) -> None:
        class Failing(PhoneView):
            authentication_classes = ()
            permission_classes = ()

            def post(self, request: Request) -> Response:
                raise RuntimeError("the password is 12345")

        request = APIRequestFactory().post("/mobile/v1/x", {}, format="json")
        request.META["haidang.request_id"] = REQUEST_ID
        answer = Failing.as_view()(request)
        assert answer.status_code == 500
        assert b"12345" not in answer.content
        assert json.loads(answer.content)["code"] == "server-error"
        assert answer["X-Server-Time"].endswith("Z")


def refusal(data: bytes, headers: dict[str, str] | None = None, limits: BodyLimits = PUSH) -> DomainError:
    with pytest.raises(DomainError) as caught:
        read_json(io.BytesIO(data), headers or {}, limits)
    return caught.value


class TestBodies:
    @pytest.mark.parametrize(
        ("data", "pointers"),
        [
            (rb'{"a":"\u0000"}', ["/a"]),
            (rb'{"a":[1,"x\u0000y"]}', ["/a/1"]),
            (rb'{"a":"\ud800"}', ["/a"]),
            (rb'{"a":"\udc00\ud800"}', ["/a"]),
            (rb'{"a\u0000":1}', ["/a\x00"]),
            (rb'{"a/b~c":NaN}', ["/a~1b~0c"]),
            (rb"[Infinity,-Infinity]", ["/0", "/1"]),
            (rb'{"a":1e400}', ["/a"]),
            (rb'{"a":9223372036854775808}', ["/a"]),
            (rb'{"a":-9223372036854775809}', ["/a"]),
            (rb'{"a":' + b"9" * 5000 + b"}", ["/a"]),
            (rb'{"a":1e30}', ["/a"]),
        ],
    )
    def test_what_cannot_be_stored_is_named_by_its_place(self, data: bytes, pointers: list[str]) -> None:
        error = refusal(data)
        assert isinstance(error, InvalidFields)
        assert [p.pointer for p in error.errors] == pointers

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b'{"a":1',
            b"\xff",
            b"\xef\xbb\xbf{}",
            b"{'a':1}",
            b'{"a":1}x',
            b'"\x00"',
            b"[1,]",
            b"\xed\xa0\x80",
        ],
    )
    def test_what_is_no_json_is_malformed(self, data: bytes) -> None:
        assert isinstance(refusal(data), Malformed)

    @pytest.mark.parametrize(
        "data", [b"[]", b"1", b'"x"', b"null", b'{"a":9223372036854775807,"b":-9223372036854775808}']
    )
    def test_what_is_fine(self, data: bytes) -> None:
        assert read_json(io.BytesIO(data), {"Content-Length": str(len(data))}, PUSH) == json.loads(data)

    def test_depth_is_judged_before_parsing(self) -> None:
        assert loads(b"[" * 32 + b"]" * 32)
        assert loads(b'{"a":"' + b"[" * 100 + b'\\"' + b"{" * 100 + b'"}')
        for deep in (
            b"[" * 33 + b"]" * 33,
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'[{"a":' * 17 + b"1" + b"}]" * 17,
        ):
            error = refusal(deep)
            assert isinstance(error, TooLarge)
            assert error.members["limits"]["depth"] == 32

    def test_sizes(self) -> None:
        limits = BodyLimits(compressed=100, inflated=1000)
        packed = gzip.compress(b'{"a":"' + b"x" * 900 + b'"}')
        gz = {"Content-Encoding": "gzip"}
        assert read_json(io.BytesIO(packed), gz, limits)
        for data, headers in (
            (b" " * 1001, {}),
            (gzip.compress(b" " * 1001), gz),
            (gzip.compress(bytes(range(256)) * 3), gz),
            (b"{}", {"Content-Length": "99999999999999999999"}),
        ):
            error = refusal(data, headers, limits)
            assert isinstance(error, TooLarge)
            assert error.members["limits"]["inflated_bytes"] == 1000

    def test_broken_gzip_and_wrong_lengths(self) -> None:
        packed = gzip.compress(b'{"a":1}')
        gz = {"Content-Encoding": "gzip"}
        for data in (packed[:-1], packed[:5], packed + b"x", packed + packed, b"{}", b""):
            assert isinstance(refusal(data, gz), Malformed)
        assert isinstance(refusal(b"{}", {"Content-Length": "3"}), Malformed)
        assert isinstance(refusal(b"{}", {"Content-Encoding": "br"}), MediaTypeUnsupported)

    def test_a_bomb_costs_little_memory(self) -> None:
        bomb = gzip.compress(b"0" * 200_000_000, 9)
        tracemalloc.start()
        try:
            error = refusal(bomb, {"Content-Encoding": "gzip"})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert isinstance(error, TooLarge)
        assert peak < 30_000_000

    def test_over_http(self, db: None) -> None:
        url = "/mobile/v1/sessions/challenge"
        client = APIClient(raise_request_exception=False)

        def send(data: bytes, **headers: str) -> tuple[int, str]:
            answer = client.generic("POST", url, data, "application/json", headers=headers)  # type: ignore[arg-type]  # bytes are fine
            return answer.status_code, answer.json().get("code", "")

        assert send(b'{"device_id":"\\u0000"}') == (422, "invalid-field")
        assert send(b"[" * 50_000) == (413, "too-large")
        assert send(b" " * (SMALL.inflated + 1)) == (413, "too-large")
        assert send(b"{", **{"Content-Encoding": "gzip"}) == (400, "malformed")
        assert send(gzip.compress(b"{}"), **{"Content-Encoding": "gzip"}) == (422, "invalid-field")

    @given(
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=8) | st.integers(-(2**63), 2**63 - 1),
            lambda inner: (
                st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
            ),
            max_leaves=30,
        )
    )
    def test_any_plain_value_is_read_as_it_is_or_named(self, value: Any) -> None:
        data = json.dumps(value).encode()
        assert not is_too_deep(data)
        if b"\\u0000" in data:
            return
        assert loads(data) == value

    @given(st.binary(max_size=200))
    def test_no_bytes_do_anything_but_parse_or_refuse(self, data: bytes) -> None:
        with contextlib.suppress(DomainError):
            loads(data)
