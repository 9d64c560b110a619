"""The running stack that all live tests of uploads share: two web processes on a disk, then two on S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.phone import Phone
from tests.services import S3
from tests.stack import Stack


@pytest.fixture(scope="session", params=["disk", "s3"])
def upload_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A web server with two processes; they share a disk, or only S3."""
    s3: S3 | None = request.getfixturevalue("s3_server") if request.param == "s3" else None
    template, told = request.getfixturevalue("seeded")("sqlite")
    data = tmp_path_factory.mktemp("uploads") / "data"
    shutil.copytree(template, data)
    stack = Stack(data, storage=s3.settings if s3 else None)
    stack.codes = told["codes"]  # type: ignore[attr-defined]  # carried to the phone below
    stack.start_web(workers=2)
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def upload_phone(upload_stack: Stack) -> Iterator[Phone]:
    """An enrolled phone."""
    phone = Phone(upload_stack.url)
    phone.enrol(upload_stack.codes[0])  # type: ignore[attr-defined]  # see above
    phone.sync()
    yield phone
    phone.close()
