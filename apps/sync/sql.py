"""Pieces of SQL that the two databases spell differently."""

from __future__ import annotations


def id_text(vendor: str, column: str) -> str:
    """Give the SQL that spells a UUID column with dashes; SQLite keeps 32 digits."""
    if vendor == "postgresql":
        return f"{column}::text"
    cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in cuts)


def last_byte(vendor: str, column: str) -> str:
    """Give the SQL of the last two digits of a UUID column, in lower case."""
    return f"right({column}::text, 2)" if vendor == "postgresql" else f"substr({column}, 31, 2)"
