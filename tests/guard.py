"""Keeps one server process for a test run and leaves nothing behind, however the run ends; standard library only.

Started as `python -I tests/guard.py OPTIONS -- COMMAND`. The guard's standard input is a pipe from the test run: when
that pipe closes, for whatever reason (a finished run, a signal, SIGKILL), the guard stops the server and removes its
directory. Should the guard itself be killed, the kernel ends the server (Linux).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command until the parent goes away or the command ends."""
    options = _options()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the terminal's Ctrl-C is the test run's business
    signal.signal(signal.SIGTERM, lambda *_: os.close(sys.stdin.fileno()))
    stop = signal.Signals[options.stop]
    server: subprocess.Popen[bytes] = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=options.uid,
        group=options.gid,
        extra_groups=[] if options.uid is not None else None,
        preexec_fn=_die_with_parent(stop),  # noqa: PLW1509  this process has one thread
    )
    while server.poll() is None:
        if _parent_is_gone():
            return _end(server, stop, options)
    return server.returncode  # its directory stays for a new start


def _end(server: subprocess.Popen[bytes], stop: signal.Signals, options: argparse.Namespace) -> int:
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(stop)
    try:
        server.wait(options.grace)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    if options.remove:
        shutil.rmtree(options.remove, ignore_errors=True)
    return server.returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stop", default="SIGTERM", help="signal that asks the server to end")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds until it is killed")
    parser.add_argument("--remove", type=Path, help="directory to delete at the end")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _die_with_parent(stop: signal.Signals) -> Callable[[], object] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, int(stop), 0, 0, 0)


def _parent_is_gone() -> bool:
    """Wait a moment for the end of standard input."""
    try:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], 0.2)
        return bool(readable) and os.read(sys.stdin.fileno(), 1) == b""
    except (OSError, ValueError):
        return True


if __name__ == "__main__":
    sys.exit(main())
