"""Checklists: the list with versions, a version as on paper, comparison, and the life of a version by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import Role
from apps.checklists.actions import (
    approve_version,
    close_version,
    create_checklist,
    create_version,
    publish_version,
    reject_version,
    submit_for_review,
    withdraw_version,
)
from apps.checklists.models import AppliesTo, Checklist, ChecklistVersion, Status
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.text import clean_text, pick, say
from apps.console.drafting import blank_content
from apps.console.paper import compare, faults, next_semver, paper, place
from apps.console.refusals import Refusal, refusal_of
from apps.console.rooms import CHECKLISTS, ConsoleRequest, opens


@dataclass(frozen=True)
class Step:
    """A step in the life of a version as the page offers it."""

    verb: str
    label: str
    done: str
    roles: frozenset[str]
    states: frozenset[str]
    action: Callable[..., ChecklistVersion]
    needs_reason: bool = False
    tone: str = ""


_TRAINER, _APPROVER = frozenset({Role.TRAINER.value}), frozenset({Role.APPROVER.value})
STEPS = (
    Step(
        "submit",
        say("Trình thẩm định", "Submit for review"),
        say("Đã trình thẩm định.", "Submitted for review."),
        _TRAINER,
        frozenset({Status.DRAFT.value}),
        submit_for_review,
    ),
    Step(
        "approve",
        say("Duyệt", "Approve"),
        say("Đã duyệt; nội dung không sửa được nữa.", "Approved; the content is frozen."),
        _APPROVER,
        frozenset({Status.IN_REVIEW.value}),
        approve_version,
    ),
    Step(
        "reject",
        say("Trả lại người soạn", "Send back to the author"),
        say("Đã trả lại người soạn.", "Sent back to the author."),
        _APPROVER,
        frozenset({Status.IN_REVIEW.value}),
        reject_version,
        needs_reason=True,
        tone="warn",
    ),
    Step(
        "publish",
        say("Ban hành", "Publish"),
        say(
            "Đã ban hành; các máy sẽ nhận ở lần đồng bộ tới.", "Published; phones take it at their next sync."
        ),
        _TRAINER | _APPROVER,
        frozenset({Status.APPROVED.value}),
        publish_version,
    ),
    Step(
        "close",
        say("Kết thúc hiệu lực", "Close"),
        say("Đã kết thúc hiệu lực.", "Closed."),
        _TRAINER | _APPROVER,
        frozenset({Status.CLOSING.value}),
        close_version,
        tone="quiet",
    ),
    Step(
        "withdraw",
        say("Thu hồi", "Withdraw"),
        say("Đã thu hồi.", "Withdrawn."),
        _TRAINER | _APPROVER,
        frozenset({Status.APPROVED.value, Status.PUBLISHED.value, Status.CLOSING.value}),
        withdraw_version,
        needs_reason=True,
        tone="danger",
    ),
)


@opens(CHECKLISTS)
@require_safe
def checklists(request: ConsoleRequest) -> HttpResponse:
    """List the checklists with their versions."""
    return _list(request, {})


@opens(CHECKLISTS)
@require_POST
def add(request: ConsoleRequest) -> HttpResponse:
    """Create a checklist and the draft of its first version."""
    typed = {
        name: clean_text(request.POST.get(name, ""))
        for name in ("code", "applies_to", "title_vi", "title_en")
    }
    try:
        checklist = create_checklist(
            actor=request.actor,
            code=typed["code"],
            applies_to=typed["applies_to"],
            title=(typed["title_vi"], typed["title_en"]),
        )
        draft = create_version(
            actor=request.actor, checklist=checklist, semver="1.0.0", content=blank_content()
        )
    except DomainError as error:
        return _list(request, typed, refusal_of(error).naming(_asked))
    return redirect("console:edit_version", version_id=draft.pk)


@opens(CHECKLISTS)
@require_safe
def version(request: ConsoleRequest, version_id: UUID) -> HttpResponse:
    """Show one version as on paper."""
    return _page(request, find(request.actor, version_id))


@opens(CHECKLISTS)
@require_POST
def move(request: ConsoleRequest, version_id: UUID) -> HttpResponse:
    """Take one step in the life of a version; a refusal keeps the reason that was typed."""
    found = find(request.actor, version_id)
    step = next((s for s in STEPS if s.verb == request.POST.get("step")), None)
    if step is None:
        raise Http404
    reason = {"reason": request.POST.get("reason", "")} if step.needs_reason else {}
    try:
        step.action(actor=request.actor, version_id=found.pk, base_rev=base_rev(request), **reason)
    except DomainError as error:
        return _page(request, find(request.actor, version_id), refusal_of(error).naming(place))
    messages.success(request, str(step.done))
    return redirect("console:version", version_id=version_id)


@opens(CHECKLISTS)
@require_POST
def draft_from(request: ConsoleRequest, version_id: UUID) -> HttpResponse:
    """Begin a new draft with the content of this version."""
    found = find(request.actor, version_id)
    try:
        draft = create_version(
            actor=request.actor,
            checklist=found.checklist,
            semver=request.POST.get("semver", "").strip(),
            content=found.content,
            change_note=request.POST.get("change_note", ""),
        )
    except DomainError as error:
        return _page(request, found, refusal_of(error))
    return redirect("console:edit_version", version_id=draft.pk)


@opens(CHECKLISTS)
@require_safe
def comparison(request: ConsoleRequest, version_id: UUID) -> HttpResponse:
    """Compare a version with another one of the same checklist (`?with=`; the one before it when not said)."""
    found = find(request.actor, version_id)
    others = _siblings(request.actor, found)
    wanted = request.GET.get("with", "")
    other = next((o for o in others if str(o.pk) == wanted), None) if wanted else _one_before(found, others)
    if wanted and other is None:
        raise Http404
    context = {
        "version": found,
        "other": other,
        "others": others,
        "differences": compare(other.content, found.content) if other else [],
    }
    return render(request, "console/checklists/compare.html", context)


def find(actor: Actor, version_id: UUID) -> ChecklistVersion:
    """Give a version this person may see, or the page of nothing."""
    rows = ChecklistVersion.objects.visible_to(actor).select_related("checklist", "author", "approver")
    return get_object_or_404(rows, pk=version_id)


def base_rev(request: ConsoleRequest) -> int:
    """Read the revision a form was made on; 0 (never right) when it is malformed."""
    given = request.POST.get("base_rev", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _asked(pointer: str) -> str:
    """Name a field of the form for a new checklist."""
    names = {
        "/code": pick("Mã", "Code"),
        "/title": pick("Tên", "Title"),
        "/applies_to": pick("Dùng cho", "Applies to"),
    }
    return names.get(pointer, pointer)


def _list(request: ConsoleRequest, typed: Mapping[str, str], refusal: Refusal | None = None) -> HttpResponse:
    by_checklist: dict[UUID, list[ChecklistVersion]] = {}
    rows = ChecklistVersion.objects.visible_to(request.actor).defer("content").order_by("-created_at", "-id")
    for row in rows:
        by_checklist.setdefault(row.checklist_id, []).append(row)
    known = Checklist.objects.visible_to(request.actor).order_by("code")
    context = {
        "checklists": [(c, by_checklist.get(c.pk, [])) for c in known],
        "may_write": request.actor.has_role(Role.TRAINER),
        "types": AppliesTo.choices,
        "typed": typed,
        "refusal": refusal,
    }
    return render(request, "console/checklists/list.html", context, status=refusal.status if refusal else 200)


def _page(request: ConsoleRequest, found: ChecklistVersion, refusal: Refusal | None = None) -> HttpResponse:
    actor, others = request.actor, _siblings(request.actor, found)
    wrote = str(actor.officer_id) in {*found.contributors, str(found.author_id)}
    may_write = actor.has_role(Role.TRAINER)
    steps = [s for s in STEPS if found.status in s.states and actor.has_role(*s.roles)]
    context: dict[str, Any] = {
        "version": found,
        "sections": paper(found.content),
        "others": others,
        "steps": [s for s in steps if not (s.verb == "approve" and wrote)],
        "may_not_approve_own": wrote and any(s.verb == "approve" for s in steps),
        "may_write": may_write,
        "faults": faults(found.content) if found.status == Status.DRAFT else [],
        "suggested": next_semver([found.semver, *(o.semver for o in others)]),
        "refusal": refusal,
        "typed": request.POST if request.method == "POST" else {},
    }
    return render(
        request, "console/checklists/version.html", context, status=refusal.status if refusal else 200
    )


def _siblings(actor: Actor, found: ChecklistVersion) -> list[ChecklistVersion]:
    rows = ChecklistVersion.objects.visible_to(actor).filter(checklist_id=found.checklist_id)
    return list(rows.exclude(pk=found.pk).order_by("-created_at", "-id"))


def _one_before(found: ChecklistVersion, others: list[ChecklistVersion]) -> ChecklistVersion | None:
    older = [o for o in others if o.created_at <= found.created_at]
    return (older or others or [None])[0]  # type: ignore[list-item]  # nothing to compare with
