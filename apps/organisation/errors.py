"""Refusals of the organisation app."""

from __future__ import annotations

from apps.common.errors import Conflict, Invalid


class UnitCodeTaken(Conflict):
    """Another unit already has this code."""

    code = "unit-code-taken"
    vi = "Mã đơn vị này đã được dùng."


class UnitTreeCycle(Invalid):
    """A unit cannot stand below itself."""

    code = "unit-tree-cycle"
    vi = "Đơn vị không thể trực thuộc chính nó hoặc đơn vị cấp dưới của nó."


class UnitNotEmpty(Conflict):
    """The unit still has units below it."""

    code = "unit-not-empty"
    vi = "Đơn vị vẫn còn đơn vị trực thuộc."
