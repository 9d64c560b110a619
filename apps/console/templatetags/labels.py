"""Labels of codes, for templates."""

from __future__ import annotations

from django import template

from apps.accounts.models import Role
from apps.checklists.models import AppliesTo
from apps.console.words import KINDS, PURPOSES, UNITS
from apps.reference.queries import label

register = template.Library()
_ROLES = dict(Role.choices)
_TYPES = dict(AppliesTo.choices)


@register.filter
def role(code: str) -> str:
    """Name a role."""
    return str(_ROLES.get(code, code))


@register.filter
def applies_to(code: str) -> str:
    """Name what a checklist is for."""
    return str(_TYPES.get(code, code))


@register.filter
def kind(code: str) -> str:
    """Name a kind of step."""
    return str(KINDS.get(code, code))


@register.filter
def unit_sign(code: str) -> str:
    """Give the sign of a unit of measure."""
    return str(UNITS.get(code, code))


@register.filter
def purpose(code: str) -> str:
    """Name what a photo is for."""
    return str(PURPOSES.get(code, code))


@register.filter
def vocabulary(code: str, name: str) -> str:
    """Name a code of a vocabulary of the service."""
    return label(name, code)
