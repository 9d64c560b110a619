"""Reading the file of a list: what a row is, and what is wrong with it, by line."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.common.errors import Problem
from apps.common.text import clean_text, is_storable
from apps.reference.errors import ListFileInvalid

REQUIRED = ("key", "label_vi", "label_en")
MAX_KEY, MAX_LABEL, MAX_DATA = 80, 200, 4000
MAX_FAULTS = 20
_TRUTH = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as a file has it; `data` is canonical JSON, `hash` tells whether anything differs."""

    line: int
    key: str
    label_vi: str
    label_en: str
    data: str
    valid: bool
    hash: str


def decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode a file line by line, so that a fault is told by its line; a byte order mark is taken off."""
    for number, line in enumerate(lines):
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Read a CSV with a header. Raises ListFileInvalid with up to 20 faults; rows before a fault are given."""
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ListFileInvalid(errors=[_unreadable(1, error)]) from error
    _check_header(header)
    faults: list[Problem] = []
    while len(faults) < MAX_FAULTS:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except (csv.Error, UnicodeDecodeError) as error:
            faults.append(_unreadable(reader.line_num + isinstance(error, UnicodeDecodeError), error))
            break
        if not any(cells):
            continue
        row = _row(reader.line_num, header, cells)
        if isinstance(row, Problem):
            faults.append(row)
        elif not faults:
            yield row
    if faults:
        raise ListFileInvalid(errors=faults)


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing:
        names = ", ".join(missing)
        raise ListFileInvalid(errors=[_fault(1, "columns", f"Thiếu cột: {names}.", f"Missing: {names}.")])
    if twice or "" in header:
        names = ", ".join(twice) or "–"
        raise ListFileInvalid(
            errors=[
                _fault(1, "columns", f"Tên cột trống hoặc trùng: {names}.", f"Unnamed or twice: {names}.")
            ]
        )


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | Problem:
    if len(cells) != len(header):
        return _fault(
            line, "cells", f"Có {len(cells)} ô, cần {len(header)}.", f"{len(cells)} cells, not {len(header)}."
        )
    if not all(is_storable(cell) for cell in cells):
        return _fault(line, "text", "Ký tự không lưu được.", "A character that cannot be stored.")
    given = {name: clean_text(cell) for name, cell in zip(header, cells, strict=True)}
    key, vi, en = (given.pop(name) for name in REQUIRED)
    valid = _TRUTH.get(given.pop("valid", "").lower())
    data = _canonical({name: text for name, text in given.items() if text})
    fault = _fault_of(line, key, (vi, en), data, valid)
    return fault or Row(line, key, vi, en, data, bool(valid), _hash(vi, en, data, str(valid)))


def _fault_of(line: int, key: str, labels: tuple[str, str], data: str, valid: bool | None) -> Problem | None:  # noqa: FBT001
    if not key or len(key) > MAX_KEY:
        return _fault(line, "key", f"Mã trống hoặc quá {MAX_KEY} ký tự.", f"No key, or over {MAX_KEY} long.")
    if not all(labels) or max(map(len, labels)) > MAX_LABEL:
        return _fault(
            line, "label", f"Tên trống hoặc quá {MAX_LABEL} ký tự.", f"No label, or over {MAX_LABEL} long."
        )
    if valid is None:
        return _fault(line, "valid", "Cột valid nhận 1 hoặc 0.", "`valid` takes 1 or 0.")
    if len(data) > MAX_DATA:
        return _fault(line, "data", "Các cột thêm quá dài.", "The further columns are too long.")
    return None


def _canonical(data: Mapping[str, str]) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def duplicate(key: str, first: int, second: int) -> Problem:
    """Say that a key stands on two lines."""
    return _fault(
        second, "duplicate", f"Mã {key} đã có ở dòng {first}.", f"The key {key} stands on line {first}."
    )


def _unreadable(line: int, error: Exception) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        return _fault(line, "encoding", "Tệp không phải UTF-8.", "The file is not UTF-8.")
    return _fault(line, "csv", "Dòng CSV hỏng.", f"Broken CSV: {error}.")


def _fault(line: int, code: str, vi: str, en: str) -> Problem:
    return Problem(f"/{line}", code, f"Dòng {line}: {vi}", f"Line {line}: {en}")
