"""Who may enter which room: one table, one decorator. Whoever may not, gets the page of a place that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.accounts.models import FIGURE_READERS, REPORT_READERS, Officer, Role
from apps.common.actor import Actor
from apps.common.text import say
from apps.custody.models import STORE_READERS

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class ConsoleRequest(HttpRequest):
    """A request of a person who is signed in (backend.middleware.ActorMiddleware)."""

    actor: Actor
    user: Officer


@dataclass(frozen=True)
class Room:
    """A place in the navigation: its route, its name, and the roles it is open to."""

    key: str
    route: str
    label: str
    roles: frozenset[str]

    @property
    def url(self) -> str:
        """The address of the room."""
        return reverse(self.route)


_SERVICE = frozenset(role.value for role in Role if role is not Role.LIAISON)

BOARD = Room("board", "console:board", say("Bảng điều hành", "Board"), frozenset(FIGURE_READERS))
REVIEW = Room("review", "console:review", say("Soát xét", "Review"), frozenset(REPORT_READERS))
SEIZURES = Room("seizures", "console:seizures", say("Vụ bắt giữ", "Seizures"), frozenset(REPORT_READERS))
FINDS = Room(
    "finds", "console:finds", say("Báo cáo của tôi", "My reports"), frozenset({Role.OFFICER, Role.LEADER})
)
STORE = Room("custody", "console:store", say("Kho tang vật", "Exhibits"), frozenset(STORE_READERS))
EXHIBITS = Room(
    "exhibits", "console:store", say("Tang vật", "Exhibit"), frozenset({*REPORT_READERS, *STORE_READERS})
)
CHECKLISTS = Room("checklists", "console:checklists", say("Bảng kiểm", "Checklists"), _SERVICE)
DEVICES = Room(
    "devices",
    "console:devices",
    say("Thiết bị", "Devices"),
    frozenset({Role.OFFICER, Role.LEADER, Role.HQ_REVIEWER, Role.ADMINISTRATOR}),
)
LISTS = Room("lists", "console:lists", say("Danh mục", "Lists"), _SERVICE)
ROOMS = (BOARD, REVIEW, SEIZURES, FINDS, STORE, CHECKLISTS, LISTS, DEVICES)


def rooms_of(actor: Actor) -> list[Room]:
    """Give the rooms that are open to this person."""
    return [room for room in ROOMS if not room.roles.isdisjoint(actor.roles)]


def opens(room: Room | None = None) -> Callable[[View], View]:
    """Let in who is signed in and holds one of the room's roles; without a room, everyone who is signed in.

    Strangers are sent to the sign-in page wherever they knock, so that they cannot tell what exists.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = cast("Actor | None", request.actor)
            if actor is None:
                return redirect_to_login(request.get_full_path())
            if room and room.roles.isdisjoint(actor.roles):
                raise Http404
            return view(request, *args, **kwargs)

        return cast("View", guarded)

    return guard
