"""`POST devices/enrol`, and `devices/push`: where a phone can be poked."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions import Claim, enrol_device
from apps.sync.actions import forget_push, register_push
from apps.sync.queries import epoch
from apps.sync.rules import LIMITS
from mobile_api.devices.examples import ENROL, ENROLLED, PUSH, PUSH_SERVICE
from mobile_api.devices.serializers import (
    EnrolAnswerSerializer,
    EnrolSerializer,
    PushServiceSerializer,
    PushSubscriptionSerializer,
)
from mobile_api.throttling import EnrolByAddress, EnrolEverywhere
from mobile_api.views import PhoneView, checked, server_time, stranger


class EnrolView(PhoneView):
    """Make this phone a device of the officer whom the code names."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (EnrolEverywhere, EnrolByAddress)
    problem_codes: ClassVar[dict[str, list[str]]] = {
        "post": [
            "code-not-usable",
            "key-not-usable",
            "proof-invalid",
            "key-already-enrolled",
            "device-revoked",
        ]
    }

    @extend_schema(
        summary="Enrol a phone with a one-time code",
        description="The phone makes a P-256 key pair that never leaves it and proves that it holds the private key. "
        "A code works once. If the answer is lost, make a new key pair and ask for a new code.",
        request=EnrolSerializer,
        responses={201: EnrolAnswerSerializer},
        examples=[
            OpenApiExample("a phone with its code", value=ENROL, request_only=True),
            OpenApiExample("the new device", value=ENROLLED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Enrol the phone."""
        enrolled = enrol_device(actor=stranger(request), claim=Claim(**checked(EnrolSerializer, request)))
        officer = enrolled.device.officer
        answer = {
            **vars(enrolled.tokens),
            "device_id": enrolled.device.pk,
            "statement": vars(enrolled.statement),
            "officer": {"id": officer.pk, "badge_no": officer.badge_no, "name": officer.full_name},
            "limits": LIMITS,
            "epoch": epoch(),
            "server_time": server_time(),
        }
        return Response(EnrolAnswerSerializer(answer).data, status=201)


class PushSubscriptionView(PhoneView):
    """Where this phone can be poked when there is something to pull. A poke has no content."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"put": ["push-service-unknown", "invalid-field"]}

    @extend_schema(
        summary="Can phones be poked, and with which key does one subscribe",
        responses=PushServiceSerializer,
        examples=[OpenApiExample("pokes are on", value=PUSH_SERVICE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Tell the public key."""
        service = settings.WEBPUSH
        key = service.public_key() if service.is_on else None
        return Response({"enabled": service.is_on, "public_key": key})

    @extend_schema(
        summary="Register this phone's push subscription",
        description="Takes the place of the one before. 404 when the service pokes nobody.",
        request=PushSubscriptionSerializer,
        responses={204: None},
        examples=[OpenApiExample("a subscription", value=PUSH, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Keep the subscription."""
        given = checked(PushSubscriptionSerializer, request)
        register_push(actor=self.actor, service=settings.WEBPUSH, endpoint=given["endpoint"], **given["keys"])
        return Response(status=204)

    @extend_schema(summary="Forget this phone's push subscription", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Forget it."""
        forget_push(actor=self.actor)
        return Response(status=204)
