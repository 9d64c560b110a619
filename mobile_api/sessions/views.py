"""`POST sessions`, `POST sessions/challenge`, `POST sessions/refresh`, `DELETE sessions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.accounts.actions import (
    Rotation,
    SignIn,
    challenge_device,
    end_session,
    open_session,
    rotate_session,
)
from apps.accounts.rules import CHALLENGE_SECONDS
from mobile_api.sessions import examples
from mobile_api.sessions.serializers import (
    ChallengeAnswerSerializer,
    ChallengeSerializer,
    RefreshSerializer,
    SignInSerializer,
    TokensSerializer,
)
from mobile_api.throttling import RefreshByAddress, SignInByAccount, SignInByAddress
from mobile_api.views import PhoneView, checked, stranger


class SessionsView(PhoneView):
    """Sign in again on an enrolled device, or sign out."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"post": ["sign-in-refused", "device-revoked"]}

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Ask for a token on sign-out alone."""
        return [] if self._is_sign_in() else super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        """Likewise."""
        return [] if self._is_sign_in() else super().get_permissions()

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit signing in by account and by address."""
        return [SignInByAddress(), SignInByAccount()] if self._is_sign_in() else []

    @extend_schema(
        summary="Sign in on an enrolled device",
        description="After a sign-out, an expired refresh token or a reinstated device. Sessions that are open on "
        "the device end. Unknown names, wrong passwords and bad signatures are answered alike.",
        request=SignInSerializer,
        responses={201: TokensSerializer},
        examples=[
            OpenApiExample("an officer on their phone", value=examples.SIGN_IN, request_only=True),
            OpenApiExample("tokens", value=examples.TOKENS, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Open a session."""
        sign_in = SignIn(**checked(SignInSerializer, request))
        _, tokens = open_session(actor=stranger(request), sign_in=sign_in)
        return Response(TokensSerializer(tokens).data, status=201)

    @extend_schema(summary="Sign out on this device", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """End this session."""
        end_session(actor=self.actor, session_id=self.auth.session_id)
        return Response(status=204)

    def _is_sign_in(self) -> bool:
        request: Any = getattr(self, "request", None)
        return request is not None and request.method == "POST"


class ChallengeView(PhoneView):
    """The server's part of a sign-in."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (RefreshByAddress,)

    @extend_schema(
        summary="Get a challenge to sign in with",
        request=ChallengeSerializer,
        responses={200: ChallengeAnswerSerializer},
        examples=[
            OpenApiExample("a device", value=examples.CHALLENGE, request_only=True),
            OpenApiExample("what to sign", value=examples.CHALLENGE_ANSWER, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Give a challenge, whether the device is known or not."""
        challenge = challenge_device(actor=stranger(request), **checked(ChallengeSerializer, request))
        return Response({"challenge": challenge, "expires_in": CHALLENGE_SECONDS})


class RefreshView(PhoneView):
    """Rotation of tokens."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (RefreshByAddress,)
    problem_codes: ClassVar[dict[str, list[str]]] = {
        "post": ["token-invalid", "token-expired", "token-reused", "proof-invalid", "device-revoked"]
    }

    @extend_schema(
        summary="Rotate the tokens",
        description="The same request again within 60 seconds gives the same tokens, so a lost answer costs nothing. "
        "A token that another request has rotated before ends the session: somebody holds a copy.",
        request=RefreshSerializer,
        responses={200: TokensSerializer},
        examples=[
            OpenApiExample("a rotation", value=examples.REFRESH, request_only=True),
            OpenApiExample("the next tokens", value=examples.TOKENS, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Give the next pair of tokens."""
        tokens = rotate_session(
            actor=stranger(request), rotation=Rotation(**checked(RefreshSerializer, request))
        )
        return Response(TokensSerializer(tokens).data)
