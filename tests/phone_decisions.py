"""What becomes of an edit of the reference phone that was refused: sent again at the officer's word, or let go.

A conflict is about single fields. Where the officer gives way, only these are given up; the rest of the edit, which the
server has not taken either, is sent again. What the officer has said anew since is never replaced by something older,
and a conflict about nothing else is no question any more.
"""

from __future__ import annotations

import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from tests import phone_store as stored

# Edits of a record of which some fields can be kept while others are given up.
IN_PARTS = re.compile(r"(inspection|seizure)\.(save|submit|flash|preliminary)")
# Fields whose parts count as single fields, and how deep these lie.
PARTS = {"answers": 1, "photos": 1, "lines": 2, "persons": 2, "conveyances": 2, "consignments": 2}
_COLUMNS = ("id", "seq", "type", "object", "fields", "depends", "base_rev", "result", "device_seq")
_ROW = f"SELECT {', '.join(_COLUMNS)} FROM outbox WHERE state='attention'"


class Decisions(ABC):
    """What an officer, or what they have written since, says about refused edits."""

    store: sqlite3.Connection

    @abstractmethod
    def _write(
        self,
        kind: str,
        oid: str,
        fields: Mapping[str, Any],
        needs: Iterable[str] = (),
        *,
        made_on: int | None = 0,
    ) -> str: ...

    def insist(self, mutation: str, fields: Mapping[str, Any] | None = None) -> None:
        """Send a refused edit again as the officer says (as it was, or put right), on what the officer was shown.

        What waited for the refused one waits for the new one.
        """
        row = self._refused(mutation)
        said = fields
        if said is None:
            said = without(row["fields"], self._said_since(row)) if row["in_parts"] else row["fields"]
        is_overtaken = row["type"].endswith(".save") and not said
        self._replace(row, None if is_overtaken else row["type"], said)

    def give_way(self, mutation: str) -> None:
        """Leave the server's version of what is in conflict; the text stays in the outbox, answered."""
        row = self._refused(mutation)
        rest: dict[str, Any] = {}
        if row["in_parts"] and row["result"].get("code") == "field-conflict":
            rest = without(row["fields"], {*row["result"].get("fields", []), *self._said_since(row)})
        self._replace(row, row["type"].split(".")[0] + ".save" if rest else None, rest)

    def settle_overtaken(self, oid: str) -> None:
        """Answer the conflicts of a record in which every field has been said anew since."""
        for (pk,) in self.store.execute(
            "SELECT id FROM outbox WHERE object=? AND state='attention' AND type LIKE '%.save' ORDER BY seq",
            (oid,),
        ).fetchall():
            row = self._refused(pk)
            named = row["result"].get("fields", []) if row["result"].get("code") == "field-conflict" else []
            if named and set(named) <= self._said_since(row):
                self.give_way(pk)

    def _refused(self, mutation: str) -> dict[str, Any]:
        found = self.store.execute(f"{_ROW} AND id=?", (mutation,)).fetchone()
        row = dict(zip(_COLUMNS, found, strict=True))
        row |= {name: json.loads(row[name]) for name in ("fields", "depends", "result")}
        return {**row, "in_parts": bool(IN_PARTS.fullmatch(row["type"]))}

    def _said_since(self, row: Mapping[str, Any]) -> set[str]:
        """Give the single fields of its record that the officer has edited again since, sent or not."""
        later = self.store.execute(
            "SELECT type, fields FROM outbox WHERE object=? AND seq > ? AND state <> 'answered'",
            (row["object"], row["seq"]),
        ).fetchall()
        journal = self.store.execute("SELECT body FROM journal WHERE object=?", (row["object"],)).fetchall()
        sent = [
            body
            for body in (json.loads(text) for (text,) in journal)
            if body["device_seq"] > row["device_seq"]
        ]
        edits = [(kind, json.loads(fields)) for kind, fields in later]
        edits += [(body["type"], body["fields"]) for body in sent]
        return {key for kind, fields in edits if IN_PARTS.fullmatch(kind) for key in singles(fields)}

    def _replace(self, row: Mapping[str, Any], kind: str | None, fields: Mapping[str, Any]) -> None:
        made_on = row["base_rev"]
        if made_on is not None and row["result"]["status"] == "conflict":
            made_on = max(made_on, row["result"].get("rev") or stored.pulled_rev(self.store, row["object"]))
        with stored.together(self.store):
            self.store.execute("UPDATE outbox SET state='answered' WHERE id=?", (row["id"],))
            if kind is None:
                return
            self._write(kind, row["object"], fields, row["depends"], made_on=made_on)
            (fresh,) = self.store.execute("SELECT id FROM outbox ORDER BY seq DESC LIMIT 1").fetchone()
            self.store.execute(
                "UPDATE outbox SET depends=replace(depends, ?, ?) WHERE state='waiting'", (row["id"], fresh)
            )


def singles(fields: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[str]:
    """Give the names of the single fields of a patch, as conflicts name them."""
    for name, value in fields.items():
        levels = depth if path else PARTS.get(name, 0)
        if levels and isinstance(value, dict):
            yield from singles(value, f"{path}{name}.", levels - 1)
        else:
            yield path + name


def without(fields: Mapping[str, Any], dropped: Container[str], path: str = "") -> dict[str, Any]:
    """Give a patch without some of its single fields, named as `singles` names them."""
    left: dict[str, Any] = {}
    for name, value in fields.items():
        if path + name in dropped:
            continue
        rest = without(value, dropped, f"{path}{name}.") if isinstance(value, dict) else value
        if rest or not value or not isinstance(value, dict):
            left[name] = rest
    return left
