"""Devices: whose phone was heard when; shutting one out, letting it in again; a code to enrol the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actions import (
    issue_enrolment_code,
    reinstate_device,
    report_device_lost,
    suspend_device,
)
from apps.accounts.models import Device, Officer, Role
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.text import clean_text, pick, say
from apps.console.board import SILENT_AFTER
from apps.console.refusals import refusal_of, told
from apps.console.rooms import DEVICES, ConsoleRequest, opens
from apps.organisation.queries import names, subtrees
from apps.sync.doubles import suspected_copies

PAGE = 50


@dataclass(frozen=True)
class Verb:
    """What may be done with a device in some states."""

    code: str
    label: str
    done: str
    states: frozenset[str]
    action: Callable[..., Device]
    tone: str


_ENROLLED, _SUSPENDED = Device.State.ENROLLED.value, Device.State.SUSPENDED.value
VERBS = (
    Verb(
        "suspend",
        say("Tạm khóa", "Suspend"),
        say("Đã tạm khóa thiết bị.", "The device is suspended."),
        frozenset({_ENROLLED}),
        suspend_device,
        "warn",
    ),
    Verb(
        "reinstate",
        say("Cho dùng lại", "Reinstate"),
        say("Đã cho thiết bị dùng lại.", "The device may be used again."),
        frozenset({_SUSPENDED}),
        reinstate_device,
        "quiet",
    ),
    Verb(
        "lost",
        say("Báo mất, xóa dữ liệu", "Report lost and wipe"),
        say(
            "Đã báo mất; máy sẽ tự xóa ở lần liên lạc tới.",
            "Reported lost; it wipes itself at its next contact.",
        ),
        frozenset({_ENROLLED, _SUSPENDED}),
        report_device_lost,
        "danger",
    ),
)


@opens(DEVICES)
@require_safe
def devices(request: ConsoleRequest) -> HttpResponse:
    """List the phones of the officers one may see, the longest silent first."""
    actor = request.actor
    text = clean_text(request.GET.get("q", ""))[:60]
    wanted = _filtered(actor, request.GET.get("unit", ""), request.GET.get("silent", ""), text)
    page = Paginator(wanted.select_related("officer"), PAGE).get_page(request.GET.get("page"))
    quiet = timezone.now() - SILENT_AFTER
    copied = suspected_copies(actor, [d.pk for d in page if d.state in {_ENROLLED, _SUSPENDED}])
    rows = [
        {
            "device": d,
            "is_copied": d.pk in copied,
            "verbs": [
                v for v in VERBS if d.state in v.states and not (_is_own(actor, d) and v.code == "reinstate")
            ],
            "is_silent": d.state == _ENROLLED and (d.last_seen_at or d.enrolled_at) < quiet,
        }
        for d in page
    ]
    context = {
        "page": page,
        "rows": rows,
        "may_manage": actor.has_role(Role.LEADER, Role.ADMINISTRATOR),
        "me": actor.officer_id,
        "officers": _enrollable(actor),
        "q": text,
        "silent": request.GET.get("silent", ""),
        "unit": names([UUID(request.GET["unit"])]) if _is_uuid(request.GET.get("unit", "")) else {},
    }
    return render(request, "console/devices/list.html", context)


@opens(DEVICES)
@require_POST
def change(request: ConsoleRequest, device_id: UUID) -> HttpResponse:
    """Suspend, reinstate or report a device lost."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=device_id)
    verb = next((v for v in VERBS if v.code == request.POST.get("verb")), None)
    if verb is None:
        raise Http404
    with told(request, str(verb.done)):
        verb.action(actor=request.actor, device=device, reason=request.POST.get("reason", "").strip())
    return redirect("console:devices")


@opens(DEVICES)
@require_POST
def enrol(request: ConsoleRequest) -> HttpResponse:
    """Issue a one-time code for an officer and show it this once, as text and as a QR code."""
    wanted = request.POST.get("officer", "")
    officer = get_object_or_404(
        Officer.objects.visible_to(request.actor), pk=wanted if _is_uuid(wanted) else None
    )
    if officer.pk == request.actor.officer_id and not _has_second_factor(request):
        messages.error(
            request,
            pick(
                "Để tự ghi danh máy, đồng chí cần đăng nhập bằng xác thực hai lớp.",
                "To enrol a phone yourself, sign in with two-step sign-in.",
            ),
        )
        return redirect("console:devices")
    try:
        code = issue_enrolment_code(actor=request.actor, officer=officer)
    except DomainError as error:
        messages.error(request, refusal_of(error).title)
        return redirect("console:devices")
    base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    context = {
        "officer": officer,
        "code": code,
        "address": f"{base}/field/enrol#c={code}",
        "until": timezone.now() + settings.ENROLMENT_CODE_LIFETIME,
    }
    return render(request, "console/devices/code.html", context)


def _filtered(actor: Actor, unit: str, silent: str, text: str) -> QuerySet[Device]:
    now = timezone.now()
    found = Device.objects.visible_to(actor)
    if _is_uuid(unit):
        inside = list(subtrees([UUID(unit)])[UUID(unit)])
        here = Q(officer__postings__unit_id__in=inside, officer__postings__valid_from__lte=now)
        found = found.filter(
            here & (Q(officer__postings__valid_to__isnull=True) | Q(officer__postings__valid_to__gt=now))
        ).distinct()
    if silent:
        quiet = now - SILENT_AFTER
        found = found.filter(
            Q(last_seen_at__lt=quiet) | Q(last_seen_at__isnull=True, enrolled_at__lt=quiet), state=_ENROLLED
        )
    if text:
        found = found.filter(
            Q(officer__full_name__icontains=text)
            | Q(officer__badge_no__icontains=text)
            | Q(name__icontains=text)
        )
    return found.order_by("last_seen_at", "id")


def _enrollable(actor: Actor) -> list[tuple[UUID, str]]:
    """List the officers for whom this person may issue a code: those in the units led, and oneself."""
    people = Officer.objects.visible_to(actor).filter(is_active=True)
    if not actor.has_role(Role.ADMINISTRATOR):
        now = timezone.now()
        led = Q(postings__unit_id__in=list(actor.reach_of(Role.LEADER)), postings__valid_from__lte=now)
        led &= Q(postings__valid_to__isnull=True) | Q(postings__valid_to__gt=now)
        people = people.filter(led | Q(pk=actor.officer_id)).distinct()
    rows: list[Any] = list(
        people.order_by("full_name", "badge_no").values_list("pk", "full_name", "badge_no")
    )
    return [(pk, f"{name} ({badge})") for pk, name, badge in rows]


def _has_second_factor(request: ConsoleRequest) -> bool:
    return any(record.get("method") == "mfa" for record in get_authentication_records(request))


def _is_own(actor: Actor, device: Device) -> bool:
    return device.officer_id == actor.officer_id


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
