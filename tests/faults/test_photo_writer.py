"""A photo writer whose file system fails or who is killed, at each call: never a receipt without durable bytes.

strace makes one system call of a child process fail (EIO, ENOSPC) or kills the child there; which calls there are is
first counted in a run without faults. Afterwards whatever was told as stored or receipted lies there whole, and the
same work done again comes to its end.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence import actions as evidence
from apps.evidence.models import Attachment, Receipt, Upload
from apps.inspections import actions
from tests import evidence_images as images
from tests.evidence import declare, on_disk, send
from tests.work import Work

STRACE = shutil.which("strace")
CALLS = (
    "openat,pwrite64,write,fsync,fdatasync,link,linkat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,chmod"
)
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")
PHOTO = images.noisy_jpeg(40_000)
_CALL = re.compile(r"^(?:\d+\s+)?(\w+)\(")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        STRACE is None and os.environ.get("CI") != "true",
        reason="NO STRACE ON THIS MACHINE: the photo writer is not tried against failing file systems",
    ),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the files are the same under both databases"),
]


class Writer:
    """Stores a photo of a submitted report and signs the receipt, in a child process that strace may harm."""

    def __init__(self, work: Work, directory: Path, cut: int) -> None:
        assert STRACE is not None, "strace is needed where CI=true"
        self.work, self.directory, self.cut = work, directory, cut
        self._count = 0

    def job(self) -> tuple[UUID, Callable[[], None]]:
        """Prepare one photo of one report; gives the report and what the child will do."""
        self._count += 1
        data = PHOTO + str(self._count).encode()  # bytes of its own, at an address of its own
        member = self.work.cast.officer
        report, photo = new_id(), new_id()
        self.work.submit(self.work.fields(photos={"step_3": [str(photo)]}), report=report)
        declare(member, data, id=photo, owner_id=report)
        Attachment.objects.filter(pk=photo).update(is_draft=False)
        upload: Upload = evidence.open_upload(actor=member.actor(), length=len(data), attachment_id=photo)
        pieces = [data] if not self.cut else [data[: self.cut], data[self.cut :]]

        def do() -> None:
            offset = 0
            for piece in pieces:
                send(member, upload.pk, offset, piece)
                offset += len(piece)
            finish(report)

        return report, do

    def run(self, do: Callable[[], None], inject: str = "") -> list[str]:
        """Let a child do it under strace; gives the lines of its trace."""
        connections.close_all()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.kill(os.getpid(), signal.SIGSTOP)
                do()
                status = 0
            finally:
                os._exit(status)
        os.waitpid(child, os.WUNTRACED)
        log = self.directory / "trace"
        command = [str(STRACE), "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={CALLS}", "-p", str(child)]
        tracer = subprocess.Popen([*command, *(("-e", f"inject={inject}") if inject else ())])
        while f"TracerPid:\t{tracer.pid}" not in Path(f"/proc/{child}/status").read_text():
            assert tracer.poll() is None, "strace could not attach"
            time.sleep(0.005)
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
        tracer.wait(timeout=60)
        return log.read_text(errors="replace").splitlines()

    def places(self) -> list[str]:
        """Count the calls on files of evidence: each as `call:when=N`."""
        _, do = self.job()
        seen: Counter[str] = Counter()
        found = []
        for line in self.run(do):
            call = _CALL.match(line)
            if call:
                seen[call.group(1)] += 1
                if str(self.directory / "evidence") in line:
                    found.append(f"{call.group(1)}:{{}}:when={seen[call.group(1)]}")
        return found


def finish(report: UUID) -> None:
    """Do what the worker owes: complete the report, sign for it."""
    actions.settle_media(actor=SYSTEM, report_id=report)
    actions.issue_receipts(actor=SYSTEM, report_ids=[report])


def assert_durable(directory: Path, place: str) -> None:
    """Whatever was told as stored lies there whole, and with it whatever has a receipt."""
    for photo in Attachment.objects.filter(state="stored"):
        path = directory / "evidence" / photo.original
        assert hashlib.sha256(path.read_bytes()).hexdigest() == photo.sha256, place
    for receipt in Receipt.objects.all():
        rows = Attachment.objects.filter(owner_id=receipt.owner_id)
        assert {row.state for row in rows} == {"stored"}, place


@pytest.mark.parametrize("cut", [0, 30_000], ids=["in one piece", "in two pieces"])
def test_no_fault_at_any_call_leaves_a_receipt_without_bytes(
    work: Work, settings: Any, tmp_path: Path, cut: int
) -> None:
    settings.STORAGES = {**settings.STORAGES, "evidence": on_disk(tmp_path / "evidence")}
    settings.KEYS_DIR = tmp_path / "keys"
    writer = Writer(work, tmp_path, cut)
    writer.places()  # directories and keys are made by the first
    places = writer.places()
    assert len(places) > 5
    assert Receipt.objects.count() == 2
    for place in places:
        for fault in FAULTS:
            report, do = writer.job()
            writer.run(do, place.format(fault))
            assert_durable(tmp_path, f"{place.format(fault)} in {places}")
            do_again(work, report)
            assert_durable(tmp_path, f"again after {place.format(fault)}")
            assert Receipt.objects.filter(owner_id=report).exists(), f"{place.format(fault)}: never receipted"


def do_again(work: Work, report: UUID) -> None:
    """Send what is missing, as the phone does, and let the worker go on."""
    photo = Attachment.objects.get(owner_id=report)
    if photo.state != "stored":
        upload = Upload.objects.get(attachment=photo, ended_at=None)
        there = evidence.read_upload(actor=work.cast.officer.actor(), upload_id=upload.pk).offset
        number = Attachment.objects.filter(created_at__lte=photo.created_at).count()
        data = PHOTO + str(number).encode()
        assert hashlib.sha256(data).hexdigest() == photo.sha256
        if there < len(data):
            send(work.cast.officer, upload.pk, there, data[there:])
    finish(report)
