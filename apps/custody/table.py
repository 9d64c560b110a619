"""The custody table of a bundle, to be read by people: every step of every exhibit, as CSV and as a page.

It repeats what the steps say, with names for ids; what proves it are the steps themselves.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Officer
from apps.common.text import say
from apps.custody.models import CustodyEvent, ExhibitState, HandOver, Stop
from apps.custody.queries import label
from apps.organisation.queries import names
from apps.reference.rules.vocabularies import words

COLUMNS = (
    say("Tang vật", "Exhibit"),
    say("Bước", "Step"),
    say("Lúc", "At"),
    say("Việc", "What"),
    say("Mô tả", "Description"),
    say("Người ghi", "Written by"),
    say("Trạng thái", "State"),
    say("Người giữ", "Holder"),
    say("Đơn vị", "Unit"),
    say("Nơi để", "Place"),
    say("Niêm phong", "Seals"),
    say("Cả bì (g)", "Gross (g)"),
    say("Tịnh (g)", "Net (g)"),
    say("Thể tích (ml)", "Volume (ml)"),
    say("Số lượng", "Count"),
    say("Sai lệch", "Stopped by"),
    say("Biên bản bàn giao", "Hand-over"),
    say("Ghi thêm", "Said"),
    say("Mã băm của bước", "Hash of the step"),
)


@dataclass(frozen=True)
class Called:
    """What people, units and hand-overs are called, by their ids."""

    officers: Mapping[str, str]
    units: Mapping[UUID, str]
    offers: Mapping[str, str]


def rows_of(steps: Sequence[CustodyEvent], offers: Sequence[HandOver]) -> list[list[str]]:
    """Give a row for each step, in the order of exhibits and steps."""
    said = [step.said for step in steps]
    ids = {one[key] for one in said for key in ("actor", "holder") if one[key]}
    people = Officer.objects.filter(pk__in=ids).values_list("pk", "full_name", "badge_no")
    called = Called(
        {str(pk): f"{name} ({badge})" for pk, name, badge in people},
        names({step.unit_id for step in steps}),
        {str(offer.pk): offer.number for offer in offers},
    )
    return [_row(step, one, called) for step, one in zip(steps, said, strict=True)]


def _row(step: CustodyEvent, said: Mapping[str, Any], called: Called) -> list[str]:
    count = f"{said['count']} {said['count_unit']}" if said["count"] else ""
    return [
        label(step.exhibit),
        str(step.seq),
        timezone.localtime(step.at).isoformat(timespec="seconds"),
        words("custody_event", step.kind)[0],
        said["description"],
        called.officers.get(said["actor"] or "", ""),
        str(ExhibitState(step.state).label),
        called.officers.get(said["holder"] or "", said["outside"]),
        called.units.get(step.unit_id, ""),
        said["place"],
        ", ".join(f"{s['number']} ({s['issuer']} {s['year']})" for s in said["seals"]),
        said["gross_mass_g"] or "",
        said["net_mass_g"] or "",
        said["volume_ml"] or "",
        count,
        ", ".join(str(Stop(code).label) for code in said["stop"].split()),
        called.offers.get(said["hand_over"] or "", ""),
        "; ".join(f"{key}: {_plain(value)}" for key, value in sorted(said["said"].items()) if value),
        step.hash,
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{key} {_plain(one)}" for key, one in sorted(value.items()))
    return str(value)


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Write the table for spreadsheets; a cell that one would run as a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(str(column) for column in COLUMNS)
    writer.writerows(
        [f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row] for row in rows
    )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def as_html(number: str, rows: Sequence[Sequence[str]]) -> bytes:
    """Write the table as a page that needs nothing else."""
    title = escape(str(say("Bảng theo dõi tang vật", "Custody of exhibits")) + f" · {number}")
    head = "".join(f'<th scope="col">{escape(str(column))}</th>' for column in COLUMNS)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return _PAGE.format(title=title, head=head, body=body).encode()


_PAGE = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;margin:2rem}}table{{border-collapse:collapse}}
th,td{{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}}
td:last-child{{font-family:monospace}}</style>
</head><body><h1>{title}</h1>
<table><thead><tr>{head}</tr></thead><tbody>
{body}</tbody></table></body></html>
"""
