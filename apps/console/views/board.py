"""The board: headquarters → region → gate, one period, by itself fresh every minute."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.common.errors import NotFound
from apps.console.board import CHOICES, board_page, choose_period
from apps.console.rooms import BOARD, ConsoleRequest, opens, rooms_of
from apps.console.seizure_board import choose_as_of, seizure_page


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


@opens(BOARD)
@require_safe
def seizure_figures(request: ConsoleRequest, unit_id: UUID | None = None) -> HttpResponse:
    """Show the figures of seizures of the person's own top unit, or of one unit."""
    chosen, as_of = choose_period(request.GET, "year"), choose_as_of(request.GET)
    try:
        page = seizure_page(request.actor, chosen, as_of, unit_id)
    except NotFound as error:
        raise Http404 from error
    context = {"page": page, "choices": CHOICES.items(), "chosen": chosen}
    return render(request, "console/seizures/figures.html", context)


def _board(request: ConsoleRequest, unit_id: UUID | None) -> HttpResponse:
    chosen = choose_period(request.GET)
    try:
        page = board_page(request.actor, chosen, unit_id)
    except NotFound as error:
        raise Http404 from error
    return render(request, "console/board.html", {"page": page, "choices": CHOICES.items(), "chosen": chosen})
