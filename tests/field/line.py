"""The radio between a phone and the server: a plain TCP line that a test can cut, also in the middle of a body.

The browser only ever knows the line's address, so being offline is what it is in the field: connections that fail.
"""

from __future__ import annotations

import contextlib
import socket
import threading


class Line:
    """Passes bytes on both ways until it is cut."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.is_up = True
        self.cut_after: int | None = None
        """Lose the network once so many more bytes have gone to the server."""
        self.cuts = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def down(self) -> None:
        """Lose the network: what is open breaks, what is tried fails."""
        self.is_up = False
        self._break()

    def up(self) -> None:
        """Have a network again."""
        self.is_up = True

    def was_cut(self, times: int) -> bool:
        """Tell whether it was cut so many times."""
        return self.cuts == times

    def close(self) -> None:
        """End it."""
        self.is_up = False
        self._listener.close()
        self._break()

    def _break(self) -> None:
        with self._lock:
            broken, self._open = self._open, set()
        for one in broken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                phone, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_up:
                phone.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                phone.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {phone, server}
            threading.Thread(target=self._pass, args=(phone, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, phone, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_upwards: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                if is_upwards and self._must_cut(len(data)):
                    self.down()
                    return
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.close()
            with self._lock:
                self._open.discard(one)

    def _must_cut(self, size: int) -> bool:
        with self._lock:
            if self.cut_after is None:
                return False
            self.cut_after -= size
            if self.cut_after > 0:
                return False
            self.cut_after = None
            self.cuts += 1
            return True
