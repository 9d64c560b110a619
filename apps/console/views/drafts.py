"""Editing a draft: a plain form for sections, steps, options and texts, and the whole content as JSON for the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.accounts.models import Role
from apps.checklists.actions import edit_version
from apps.checklists.models import ChecklistVersion, Status
from apps.checklists.rules.values import UNITS
from apps.common.errors import DomainError, InvalidFields
from apps.common.text import pick
from apps.console.drafting import arranged, edited
from apps.console.paper import as_json, faults, paper, place, read_json
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import CHECKLISTS, ConsoleRequest, opens
from apps.console.views.checklists import base_rev, find
from apps.console.words import KINDS


@opens(CHECKLISTS)
@require_http_methods(["GET", "POST"])
def edit(request: ConsoleRequest, version_id: UUID) -> HttpResponse:
    """Show the form; save what was typed even when it still has faults, and list them."""
    found = find(request.actor, version_id)
    if not request.actor.has_role(Role.TRAINER):
        raise Http404
    if request.method == "GET":
        if found.status != Status.DRAFT:
            return redirect("console:version", version_id=version_id)
        return _page(request, found, found.content)
    text = request.POST.get("content", "")
    content: Any = found.content
    goes_on = ""
    try:
        content = _typed(request, found, text)
        if base_rev(request) == found.rev:  # on another's draft the place would be another step
            goes_on = arranged(content, request.POST)
        edit_version(
            actor=request.actor,
            version_id=found.pk,
            content=content,
            change_note=request.POST.get("change_note", ""),
            base_rev=base_rev(request),
        )
    except DomainError as error:
        return _page(request, find(request.actor, version_id), content, refusal_of(error).naming(place), text)
    left = len(faults(content))
    if left:
        messages.warning(
            request,
            pick(
                f"Đã lưu; còn {left} lỗi trước khi trình được.",
                f"Saved; {left} faults to mend before review.",
            ),
        )
    else:
        messages.success(request, pick("Đã lưu bản thảo.", "The draft is saved."))
    page = redirect("console:edit_version", version_id=version_id)
    if goes_on:
        page["Location"] += f"#{goes_on}"
    return page


def _typed(request: ConsoleRequest, found: ChecklistVersion, text: str) -> dict[str, Any]:
    if request.POST.get("form") != "json":
        return edited(found.content, request.POST)
    content, problem = read_json(text)
    if content is None or problem is not None:
        raise InvalidFields(errors=[problem] if problem else [])
    return content


def _page(
    request: ConsoleRequest,
    found: ChecklistVersion,
    content: Any,
    refusal: Refusal | None = None,
    text: str = "",
) -> HttpResponse:
    context = {
        "version": found,
        "sections": paper(content),
        "json": text or as_json(content),
        "is_json_open": bool(text),
        "faults": faults(content),
        "kinds": KINDS.items(),
        "units": UNITS,
        "note": request.POST.get("change_note", found.change_note),
        "refusal": refusal,
    }
    return render(request, "console/checklists/edit.html", context, status=refusal.status if refusal else 200)
