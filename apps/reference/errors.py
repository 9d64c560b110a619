"""Refusals of imports."""

from __future__ import annotations

from apps.common.errors import Conflict, Invalid


class ListFileInvalid(Invalid):
    """The file cannot be imported; `errors` names each fault with its line."""

    code = "list-file-invalid"
    vi = "Tệp danh mục không nhập được; mỗi lỗi kèm số dòng."


class ImportSuperseded(Conflict):
    """A newer import of the same list has begun and takes over."""

    code = "import-superseded"
    vi = "Đã có lượt nhập mới hơn cho danh mục này."
