"""`POST sync/push`, `POST sync/pull`, `GET sync/status`."""

from __future__ import annotations

from typing import ClassVar

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.errors import InvalidFields, Problem
from apps.sync import actions
from apps.sync.pull import Loads, pull
from apps.sync.queries import epoch
from apps.sync.rules import decode_cursor
from apps.sync.status import device_status
from apps.sync.waiting import ENVIRON, leave_wish
from mobile_api.admission import AdmittedView
from mobile_api.answers import json_answer
from mobile_api.errors import Malformed
from mobile_api.parsers import PUSH
from mobile_api.sync import examples
from mobile_api.sync.parsers import PushBody, PushParser, plain_wish
from mobile_api.sync.serializers import (
    PullAnswerSerializer,
    PullSerializer,
    PushAnswerSerializer,
    PushSerializer,
    StatusAnswerSerializer,
)
from mobile_api.throttling import PushByDevice
from mobile_api.views import PhoneView, checked, server_time


class PushView(PhoneView):
    """Take mutations."""

    parser_classes = (PushParser,)
    throttle_classes = (PushByDevice,)
    body_limits = PUSH
    problem_codes: ClassVar[dict[str, list[str]]] = {"post": ["push-too-large"]}

    @extend_schema(
        summary="Send mutations",
        description="Each mutation has its own transaction and its own verdict. Sending again is safe.",
        request=PushSerializer,
        responses=PushAnswerSerializer,
        examples=[
            OpenApiExample("a submitted report", value=examples.PUSH, request_only=True),
            OpenApiExample("a flash with its photo", value=examples.PUSH_FLASH, request_only=True),
            OpenApiExample("verdicts", value=examples.PUSH_ANSWER, response_only=True),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Process the mutations in order."""
        body: object = request.data
        if not isinstance(body, PushBody):  # the framework asks no parser when there is no body
            raise Malformed
        if body.device_id and body.device_id.lower() != str(self.actor.device_id):
            raise InvalidFields(errors=[_other_device()])
        results = actions.push(
            actor=self.actor,
            mutations=body.mutations,
            faults=body.faults,
            app_version=request.headers.get("App-Version", ""),
        )
        return _json({"server_time": server_time(), "epoch": self.auth.epoch, "results": results})


class PullView(AdmittedView):
    """Give changes."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"post": ["epoch-changed"]}

    @extend_schema(
        summary="Receive changes",
        description="Changes since the cursor; `wait` holds the request until something changes.",
        request=PullSerializer,
        responses=PullAnswerSerializer,
        examples=[
            OpenApiExample("from the start", value=examples.PULL, request_only=True),
            OpenApiExample("a page", value=examples.PULL_ANSWER, response_only=True),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Give one page."""
        wish = plain_wish(request.data) or checked(PullSerializer, request)
        cursor = decode_cursor(wish["cursor"]) if wish.get("cursor") else None
        if wish.get("cursor") and cursor is None:
            raise InvalidFields(errors=[_not_a_cursor()])
        answer = pull(
            self.actor,
            cursor,
            rows=wish["limit"],
            max_bytes=wish["max_bytes"],
            reset=wish.get("reset", ()),
            loads=Loads(wish.get("loaded", {}), frozenset(wish.get("later", ()))),
        )
        leave_wish(request.META, cursor, answer, wish["wait"])
        if ENVIRON in request.META:
            actions.note_pull(device=self.actor.device_id, seqs=cursor.seqs if cursor else {})
        return json_answer(request, answer)


class StatusView(PhoneView):
    """Tell what the server holds."""

    @extend_schema(
        summary="Server truth per report and photo",
        responses=StatusAnswerSerializer,
        examples=[OpenApiExample("one report", value=examples.STATUS_ANSWER, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Give the state of this phone's reports, photos and mutations."""
        return Response({"server_time": server_time(), "epoch": epoch(), **device_status(self.actor)})


def _json(data: object) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), content_type="application/json")


def _other_device() -> Problem:
    return Problem(
        "/device_id", "device-differs", "Không phải thiết bị đang đăng nhập.", "Not this token's device."
    )


def _not_a_cursor() -> Problem:
    return Problem("/cursor", "cursor", "Con trỏ không hợp lệ, gửi lại với null.", "Not a cursor; send null.")
