"""One's own account: language, theme, shortcuts, second factor. And the switch for language and theme on every page."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.console.rooms import ConsoleRequest, opens
from apps.console.templatetags.console import KEYS_COOKIE, THEME_COOKIE, THEMES
from apps.organisation.queries import names

YEAR = 365 * 24 * 3600
# parameter → cookie, allowed values
_CHOICES = {
    "language": (settings.LANGUAGE_COOKIE_NAME, ("vi", "en")),
    "theme": (THEME_COOKIE, THEMES),
    "keys": (KEYS_COOKIE, ("on", "off")),
}


@opens()
@require_safe
def account(request: ConsoleRequest) -> HttpResponse:
    """Show who one is here, and the settings of this browser."""
    called = names({post.unit_id for post in request.actor.posts})
    posts = [(post, called.get(post.unit_id, "")) for post in request.actor.posts]
    return render(request, "console/account.html", {"posts": posts, "has_mfa": is_mfa_enabled(request.user)})


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep language, theme or shortcuts in cookies of this browser and go back; open to strangers at the door too."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/console/"
    response = HttpResponseRedirect(back)
    for parameter, (cookie, allowed) in _CHOICES.items():
        value = request.POST.get(parameter, "")
        if value in allowed:
            response.set_cookie(
                cookie,
                value,
                max_age=YEAR,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
    return response
