"""The threads in which Django runs: started when there is work for them, and then kept.

`ThreadPoolExecutor` would do; this does the same for a third of its cost, which every request pays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

logger = structlog.get_logger(__name__)
Job = Callable[[], object]


class Threads:
    """At most `most` threads that take jobs in order."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._idle = 0
        self._started = 0
        self._lock = threading.Lock()

    def run(self, job: Job) -> None:
        """Have the job done soon; it must not raise."""
        if self._idle <= self._jobs.qsize() and self._started < self.most:
            self._start()
        self._jobs.put(job)

    def _start(self) -> None:
        with self._lock:
            if self._started < self.most:
                self._started += 1
                threading.Thread(target=self._work, name=f"web-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
            try:
                job()
            except Exception:
                logger.exception("web.job_failed")
            del job  # a thread at rest holds on to nothing
