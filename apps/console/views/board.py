"""The board: headquarters → region → gate, one period, by itself fresh every minute."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.common.errors import NotFound
from apps.console.board import CHOICES, board_page, choose_period
from apps.console.rooms import BOARD, ConsoleRequest, opens, rooms_of


@opens()
@require_safe
def home(request: ConsoleRequest) -> HttpResponse:
    """Open the first room a person has: the board for who reads figures."""
    rooms = rooms_of(request.actor)
    if BOARD in rooms:
        return _board(request, None)
    return redirect(rooms[0].url if rooms else "console:account")


@opens(BOARD)
@require_safe
def unit_board(request: ConsoleRequest, unit_id: UUID) -> HttpResponse:
    """Show the board of one unit."""
    return _board(request, unit_id)


def _board(request: ConsoleRequest, unit_id: UUID | None) -> HttpResponse:
    chosen = choose_period(request.GET)
    try:
        page = board_page(request.actor, chosen, unit_id)
    except NotFound as error:
        raise Http404 from error
    return render(request, "console/board.html", {"page": page, "choices": CHOICES.items(), "chosen": chosen})
