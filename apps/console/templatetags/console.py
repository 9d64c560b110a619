"""Words, times, numbers and small pieces of the pages. Both languages stand side by side in each template."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import segno
from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.common.text import pick
from apps.console.rooms import rooms_of

register = template.Library()

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "console_theme"
KEYS_COOKIE = "console_keys"

# A sign beside each state, so that colour never speaks alone; and the tone that colours it.
_SIGNS = {
    "received": ("◔", "wait"),
    "media_pending": ("◔", "wait"),
    "complete": ("◑", "ready"),
    "under_review": ("◕", "ready"),
    "returned": ("↩", "warn"),
    "approved": ("✓", "good"),
    "locked": ("✓", "good"),
    "voided": ("✕", "off"),
    "draft": ("✎", "off"),
    "in_review": ("◑", "ready"),
    "published": ("✓", "good"),
    "closing": ("◔", "warn"),
    "closed": ("■", "off"),
    "withdrawn": ("✕", "bad"),
    "enrolled": ("✓", "good"),
    "suspended": ("❚❚", "warn"),
    "lost": ("✕", "bad"),
    "wiped": ("■", "off"),
    "flash": ("!", "bad"),
    "preliminary": ("◔", "wait"),
    "submitted": ("◑", "ready"),
    "unit_verified": ("◑", "ready"),
    "region_verified": ("◕", "ready"),
    "hq_accepted": ("✓", "good"),
    "lab_confirmed": ("✓", "good"),
    "merged": ("→", "off"),
    "provisional": ("◔", "wait"),
    "confirmed": ("✓", "good"),
    "excluded": ("✕", "off"),
    "finding": ("!", "bad"),
    "suspicion_open": ("?", "warn"),
    "referred": ("→", "warn"),
    "expected": ("◔", "wait"),
    "stored": ("✓", "good"),
    "rejected": ("✕", "bad"),
    "recorded": ("✎", "wait"),
    "sealed": ("■", "ready"),
    "unsealed": ("□", "warn"),
    "unit_store": ("▣", "good"),
    "in_transit": ("→", "wait"),
    "at_lab": ("◔", "wait"),
    "handed_over": ("✓", "good"),
    "offered": ("◔", "wait"),
    "accepted": ("✓", "good"),
    "refused": ("✕", "warn"),
    "stop": ("!", "bad"),
}


@register.simple_tag
def say(vi: str, en: str, **values: Any) -> str:
    """Give the text in the language of the page; `{name}` in it takes a value of that name."""
    text = pick(vi, en)
    return text.format(**values) if values else text


@register.simple_tag
def language() -> str:
    """Give `vi` or `en`."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Give the theme this person chose: auto, light or dark."""
    chosen = _request(context).COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"


@register.simple_tag(takes_context=True)
def shortcuts(context: Context) -> str:
    """Tell whether single-letter shortcuts are on or off for this person."""
    return "off" if _request(context).COOKIES.get(KEYS_COOKIE) == "off" else "on"


@register.inclusion_tag("console/parts/nav.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """Show the rooms that are open to this person."""
    request = _request(context)
    actor = getattr(request, "actor", None)
    return {"rooms": rooms_of(actor) if actor else [], "path": request.path}


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Give the query string of the page with some parameters changed; None or "" takes one away."""
    wanted = _request(context).GET.copy()
    for name, value in changes.items():
        if value in {None, ""}:
            wanted.pop(name, None)
        else:
            wanted[name] = str(value)
    return "?" + wanted.urlencode()


@register.inclusion_tag("console/parts/field.html")
def field(bound: Any, vi: str = "", en: str = "", hint: str | None = None) -> dict[str, Any]:
    """Show a form field with its label, hint and faults; `vi`, `en` and `hint` replace the form's own words."""
    hint = bound.help_text if hint is None else hint
    described = [f"{bound.auto_id}-hint"] if hint else []
    if bound.errors:
        described.append(f"{bound.auto_id}-faults")
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    attrs["placeholder"] = bound.field.widget.attrs.get("data-placeholder", False)
    return {
        "bound": bound,
        "label": pick(vi, en) if vi else bound.label,
        "hint": hint,
        "widget": bound.as_widget(attrs=attrs),
        "is_check": getattr(bound.field.widget, "input_type", "") == "checkbox",
    }


@register.inclusion_tag("console/parts/badge.html")
def badge(code: str, label: str) -> dict[str, str]:
    """Show a state as a word with a sign."""
    sign, tone = _SIGNS.get(str(code), ("•", "plain"))
    return {"sign": sign, "tone": tone, "label": str(label)}


@register.simple_tag
def qr(text: str) -> SafeString:
    """Draw a QR code as inline SVG without styles, so that the strict content policy holds."""
    drawing = segno.make(text, error="m", micro=False)
    return mark_safe(drawing.svg_inline(scale=5, border=4, svgclass="qr", lineclass=None, omitsize=False))  # noqa: S308


@register.filter
def when(moment: dt.datetime | dt.date | None) -> str:
    """Write a time of day in Vietnam: 21/11/2026 08:05, or 21 Nov 2026, 08:05."""
    if moment is None:
        return "–"
    if not isinstance(moment, dt.datetime):
        return day(moment)
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return pick(f"{local:%d/%m/%Y %H:%M}", f"{local.day} {local:%b %Y, %H:%M}")


@register.filter
def day(date: dt.date | None) -> str:
    """Write a date: 21/11/2026, or 21 Nov 2026."""
    if date is None:
        return "–"
    return pick(f"{date:%d/%m/%Y}", f"{date.day} {date:%b %Y}")


@register.filter
def ago(moment: dt.datetime | None) -> str:
    """Say how long ago, in the largest whole unit."""
    if moment is None:
        return pick("chưa bao giờ", "never")
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return pick("vừa xong", "just now")
    if seconds < 90 * 60:
        n = seconds // 60
        return pick(f"{n} phút trước", f"{n} min ago")
    if seconds < 48 * 3600:
        n = seconds // 3600
        return pick(f"{n} giờ trước", f"{n} h ago")
    n = seconds // 86400
    return pick(f"{n} ngày trước", f"{n} days ago")


@register.filter
def number(value: float | Decimal | str | None, places: int = 0) -> str:
    """Write a number as the language does: 14.552 or 14,552; `–` when there is none."""
    if value is None:
        return "–"
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return pick(text.translate(str.maketrans(",.", ".,")), text)


@register.filter
def grams(value: Decimal | str | None) -> str:
    """Write an amount with the decimals it has: 1.200,5; `–` when there is none."""
    if value in {None, ""}:
        return "–"
    text = f"{Decimal(str(value)).normalize():f}"
    return number(text, len(text.partition(".")[2]))


@register.filter
def percent(value: float | Decimal | None) -> str:
    """Write a share between 0 and 1 as a percentage with one decimal."""
    return "–" if value is None else f"{number(Decimal(str(value)) * 100, 1)} %"


def _request(context: Context) -> HttpRequest:
    request: HttpRequest = context["request"]
    return request
