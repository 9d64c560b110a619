"""The record of a hand-over as it is printed and signed: A4, Vietnamese, its letters inside the file, QR of the ledger.

Only the layout lives here; what stands on the paper is given by `actions/printing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import segno
from font_source_serif_pro import SourceSerifPro, SourceSerifProBold
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

MARGIN, BOTTOM = 18 * mm, 24 * mm
WIDTH = A4[0] - 2 * MARGIN
PADDING = 6  # what the library keeps free within its margins; tables do without
# Widths of the columns of the list, in parts of the page's width.
COLUMNS = (0.07, 0.25, 0.18, 0.12, 0.18, 0.1, 0.1)
TITLES = ("Số", "Tang vật", "Niêm phong", "Cả bì (g)", "Bên nhận đọc", "Cân lại (g)", "Kết quả")


@dataclass(frozen=True)
class Side:
    """One of the two sides: what stands before the colon, and after it."""

    title: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Sheet:
    """Everything that stands on the paper; a row of `rows` has a text for each of `TITLES`."""

    number: str
    authority: Sequence[str]
    place_and_day: str
    handling: str
    facts: Sequence[tuple[str, str]]
    sides: Sequence[Side]
    rows: Sequence[Sequence[str]]
    differences: Sequence[str]
    witnesses: Sequence[str]
    signatures: Sequence[tuple[str, str]]
    seal_of_ledger: Sequence[str]
    qr: str
    copies: int
    foot: str


@lru_cache(maxsize=1)
def _styles() -> dict[str, ParagraphStyle]:
    for name, file in (("Record", SourceSerifPro), ("Record-Bold", SourceSerifProBold)):
        pdfmetrics.registerFont(TTFont(name, str(Path(file).with_suffix(".ttf"))))
    plain = ParagraphStyle("plain", fontName="Record", fontSize=10.5, leading=14)
    return {
        "plain": plain,
        "bold": ParagraphStyle("bold", plain, fontName="Record-Bold", spaceBefore=6, spaceAfter=2),
        "middle": ParagraphStyle("middle", plain, alignment=TA_CENTER),
        "middle-bold": ParagraphStyle("middle-bold", plain, fontName="Record-Bold", alignment=TA_CENTER),
        "title": ParagraphStyle(
            "title",
            plain,
            fontName="Record-Bold",
            fontSize=14,
            leading=18,
            alignment=TA_CENTER,
            spaceBefore=8,
        ),
        "cell": ParagraphStyle("cell", plain, fontSize=9, leading=11.5),
        "cell-bold": ParagraphStyle("cell-bold", plain, fontName="Record-Bold", fontSize=9, leading=11.5),
        "small": ParagraphStyle("small", plain, fontSize=7.5, leading=9.5),
    }


def draw(sheet: Sheet) -> bytes:
    """Give the PDF."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN - PADDING,
        rightMargin=MARGIN - PADDING,
        topMargin=15 * mm,
        bottomMargin=BOTTOM,
        title=f"Biên bản bàn giao tang vật {sheet.number}",
        author=sheet.authority[-1],
        lang="vi",
    )
    _styles()
    document.build(_story(sheet), canvasmaker=lambda *args, **more: _Pages(sheet.foot, *args, **more))
    return file.getvalue()


def _story(sheet: Sheet) -> list[Any]:
    story: list[Any] = [_head(sheet), _text("BIÊN BẢN BÀN GIAO TANG VẬT, VẬT CHỨNG", "title")]
    story.append(_text(sheet.handling, "middle-bold"))
    story += [_fact(name, value) for name, value in sheet.facts if value]
    story.append(_beside([_side(side) for side in sheet.sides]))
    story += [_text("Danh sách tang vật", "bold"), _list(sheet.rows)]
    story.append(_text("Sai lệch", "bold"))
    story += [_text(line) for line in sheet.differences or ("Không có.",)]
    if sheet.witnesses:
        story.append(_text("Niêm phong trước người chứng kiến", "bold"))
        story += [_text(line) for line in sheet.witnesses]
    story.append(Spacer(0, 2 * mm))
    story.append(
        _text(
            "Hai bên đã kiểm tra số niêm phong, khối lượng từng tang vật nêu trên, đọc lại, "
            "thống nhất nội dung và cùng ký tên. "
            f"Biên bản lập thành {sheet.copies:02} bản, mỗi bên giữ ít nhất một bản."
        )
    )
    story.append(KeepTogether(_signatures(sheet.signatures)))
    story.append(KeepTogether(_ledger(sheet)))
    return story


def _side(side: Side) -> list[Paragraph]:
    return [_text(side.title, "bold"), *(_fact(name, value) for name, value in side.lines if value)]


def _beside(cells: Sequence[Any]) -> Table:
    table = Table([cells], colWidths=[WIDTH / len(cells)] * len(cells))
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return table


def _text(words: str, style: str = "plain") -> Paragraph:
    return Paragraph(escape(words).replace("\n", "<br/>"), _styles()[style])


def _fact(name: str, value: str) -> Paragraph:
    words = escape(value).replace("\n", "<br/>")
    return Paragraph(f'<font name="Record-Bold">{escape(name)}:</font> {words}', _styles()["plain"])


def _head(sheet: Sheet) -> Table:
    left = [
        _text(line, "middle-bold" if line is sheet.authority[-1] else "middle") for line in sheet.authority
    ]
    left.append(_text(f"Số: {sheet.number}", "middle"))
    right = [
        _text("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "middle-bold"),
        _text("Độc lập – Tự do – Hạnh phúc", "middle-bold"),
        _text(sheet.place_and_day, "middle"),
    ]
    table = Table([[left, right]], colWidths=[WIDTH * 0.44, WIDTH * 0.56])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return table


def _list(rows: Sequence[Sequence[str]]) -> Table:
    body = [[_text(title, "cell-bold") for title in TITLES]]
    body += [[_text(text, "cell") for text in row] for row in rows]
    table = Table(body, colWidths=[WIDTH * part for part in COLUMNS], repeatRows=1, splitInRow=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
                ("BACKGROUND", (0, 0), (-1, 0), colors.Color(0.92, 0.92, 0.92)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _signatures(places: Sequence[tuple[str, str]]) -> list[Any]:
    """Give room for the signatures, two beside each other."""
    cells: list[list[Any]] = [
        [
            _text(title, "middle-bold"),
            _text("(ký, ghi rõ họ tên)", "middle"),
            Spacer(0, 16 * mm),
            _text(name, "middle"),
        ]
        for title, name in places
    ]
    rows = [cells[i : i + 2] + [""] * (2 - len(cells[i : i + 2])) for i in range(0, len(cells), 2)]
    table = Table(rows, colWidths=[WIDTH / 2] * 2)
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 8)]))
    return [table]


def _ledger(sheet: Sheet) -> list[Any]:
    table = Table(
        [[_code(sheet.qr, 26 * mm), [_text(line, "small") for line in sheet.seal_of_ledger]]],
        colWidths=[30 * mm, WIDTH - 30 * mm],
    )
    table.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEABOVE", (0, 0), (-1, 0), 0.5, colors.black)])
    )
    return [Spacer(0, 3 * mm), table]


def _code(text: str, size: float) -> Drawing:
    """Draw a QR code of squares."""
    matrix = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    step = size / len(matrix)
    drawing = Drawing(size, size)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                drawing.add(
                    Rect(
                        x * step,
                        size - (y + 1) * step,
                        step,
                        step,
                        fillColor=colors.black,
                        strokeColor=None,
                        strokeWidth=0,
                    )
                )
    return drawing


class _Pages(Canvas):  # type: ignore[misc]  # the library ships no types
    """Writes on each page, once their number is known, who printed it, and which of how many it is."""

    def __init__(self, foot: str, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._foot = foot
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  the library's own name
        """Keep the page until all are there."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write the feet and the pages."""
        for number, page in enumerate(self._kept, start=1):
            self.__dict__.update(page)
            self.setFont("Record", 7.5)
            self.drawString(MARGIN, 12 * mm, self._foot)
            self.drawRightString(A4[0] - MARGIN, 12 * mm, f"Trang {number}/{len(self._kept)}")
            super().showPage()
        super().save()
