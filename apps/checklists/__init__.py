"""Checklists, their immutable published versions, steps and the expression language."""
