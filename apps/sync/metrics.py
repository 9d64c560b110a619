"""Figures for the people who run the service, computed from the database when they are asked for.

No counters live in processes: figures are right across processes and machines, and a restart loses none. Each is one
statement or two; docs/operations.md says what each means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import Count, F, Max, Min, Sum
from django.utils import timezone

from apps.accounts.models import Device, Posting, current
from apps.changes.models import Change, Reaction, Stream
from apps.changes.rules import REF, post_stream
from apps.evidence.models import Upload
from apps.sync.models import DevicePull, Mutation, PushSubscription, Snapshot

SILENCES = (300, 3600, 8 * 3600, 86400, 3 * 86400, 14 * 86400)
DISTANCES = (0, 10, 100, 1000, 10_000)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Metric:
    """One figure: a name, what it means, and its samples as (labels, value)."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


@dataclass(frozen=True, slots=True)
class PhoneLag:
    """How long a phone has been silent, and how many changes lie ahead of it; None where it never pulled."""

    device: Device
    silent: float | None
    behind: int | None


def collect(now: datetime | None = None) -> list[Metric]:
    """Compute all figures."""
    moment = now or timezone.now()
    return [*_phones(moment), *_verdicts(moment), *_feed(), *_outbox(moment), *_rest(moment)]


def lags(now: datetime) -> Iterator[PhoneLag]:
    """Give the lag of every enrolled phone of officers who may work."""
    heads = dict(Stream.objects.values_list("id", "seq"))
    posts: dict[Any, list[str]] = {}
    for officer, posting in Posting.objects.filter(current(now)).values_list("officer_id", "pk"):
        posts.setdefault(officer, [REF]).append(post_stream(posting))
    pulls = dict(DevicePull.objects.values_list("device_id", "seqs"))
    devices = Device.objects.filter(state=Device.State.ENROLLED, officer__is_active=True)
    for device in devices.select_related("officer").iterator(chunk_size=2000):
        streams, pulled = posts.get(device.officer_id, []), pulls.get(device.pk)
        seen = device.last_seen_at
        silent = max(0.0, (now - seen).total_seconds()) if seen else None
        behind = None
        if pulled is not None:
            wanted = {*streams, *(s for s in pulled if s.startswith("list:"))}
            behind = sum(max(0, heads.get(s, 0) - pulled.get(s, 0)) for s in wanted)
        yield PhoneLag(device, silent, behind)


def _phones(now: datetime) -> list[Metric]:
    states = Device.objects.order_by("state").values_list("state").annotate(n=Count("pk"))
    every = list(lags(now))
    silent = [lag.silent for lag in every if lag.silent is not None]
    behind = [float(lag.behind) for lag in every if lag.behind is not None]
    return [
        Metric("devices", "gauge", "Devices by state.", [({"state": s}, n) for s, n in states]),
        _histogram(
            "device_silent_seconds", "Time since enrolled phones were last heard of.", silent, SILENCES
        ),
        _histogram("device_behind_changes", "Changes ahead of enrolled phones.", behind, DISTANCES),
        _single(
            "device_never_pulled", "gauge", "Enrolled phones that never pulled.", len(every) - len(behind)
        ),
        _single("push_subscriptions", "gauge", "Phones that can be poked.", PushSubscription.objects.count()),
    ]


def _histogram(name: str, text: str, values: Sequence[float], borders: Iterable[int]) -> Metric:
    samples: list[tuple[Mapping[str, str], float]] = [
        ({"": "_bucket", "le": str(border)}, sum(value <= border for value in values)) for border in borders
    ]
    samples += [({"": "_bucket", "le": "+Inf"}, len(values)), ({"": "_sum"}, sum(values))]
    return Metric(name, "histogram", text, [*samples, ({"": "_count"}, len(values))])


def _single(name: str, kind: str, text: str, value: float) -> Metric:
    return Metric(name, kind, text, [({}, value)])


def _verdicts(now: datetime) -> list[Metric]:
    """Count the final verdicts of a day; deferred mutations leave nothing to count."""
    rows = Mutation.objects.filter(received_at__gte=now - DAY).exclude(payload="")
    counts: Counter[tuple[str, str, str]] = Counter()
    applied = rows.filter(status="applied").values_list("type").annotate(n=Count("pk")).order_by("type")
    for kind, n in applied:
        counts[kind, "applied", ""] += n
    refused = rows.exclude(status="applied").values_list("type", "status", "result")
    for kind, status, result in refused.iterator(chunk_size=2000):
        counts[kind, status, str(orjson.loads(result).get("code", ""))] += 1
    samples = [
        ({"type": kind, "status": status, "code": code}, n)
        for (kind, status, code), n in sorted(counts.items())
    ]
    return [Metric("mutations_last_day", "gauge", "Final verdicts of the last 24 hours.", samples)]


def _feed() -> list[Metric]:
    sums = Stream.objects.aggregate(seq=Sum("seq"), n=Sum("n"), streams=Count("pk"))
    return [
        _single("feed_entries_total", "counter", "Entries ever written to streams.", sums["seq"] or 0),
        _single("feed_live_rows", "gauge", "Live rows of all streams.", sums["n"] or 0),
        _single("feed_streams", "gauge", "Streams.", sums["streams"]),
    ]


def _outbox(now: datetime) -> list[Metric]:
    waiting = Change.objects.filter(relayed_at__isnull=True).aggregate(n=Count("pk"), oldest=Min("at"))
    owed = Reaction.objects.filter(done_at__isnull=True).order_by("task").values_list("task")
    tasks = list(owed.annotate(n=Count("pk"), oldest=Min("change__at"), tries=Max("attempts")))
    ages = [({"task": task}, _age(now, at)) for task, _, at, _ in tasks]
    return [
        _single("outbox_changes", "gauge", "Changes not yet relayed.", waiting["n"]),
        _single("outbox_oldest_seconds", "gauge", "Age of the oldest.", _age(now, waiting["oldest"])),
        Metric("tasks_owed", "gauge", "Tasks owed.", [({"task": t}, n) for t, n, _, _ in tasks]),
        Metric("tasks_oldest_seconds", "gauge", "Age of the oldest.", ages),
        Metric(
            "tasks_most_attempts",
            "gauge",
            "Most attempts at one.",
            [({"task": t}, n) for t, _, _, n in tasks],
        ),
    ]


def _rest(now: datetime) -> list[Metric]:
    uploads = Upload.objects.filter(ended_at__isnull=True, finished_at__isnull=True)
    sums = uploads.aggregate(n=Count("pk"), left=Sum(F("length") - F("offset")), oldest=Min("created_at"))
    heads = dict(Stream.objects.filter(pk__in=Snapshot.objects.values("stream")).values_list("id", "seq"))
    shots = list(Snapshot.objects.exclude(made_at=None).order_by("stream"))
    return [
        _single("uploads_open", "gauge", "Uploads under way.", sums["n"]),
        _single("uploads_missing_bytes", "gauge", "Bytes that they still miss.", sums["left"] or 0),
        _single("uploads_oldest_seconds", "gauge", "Age of the oldest.", _age(now, sums["oldest"])),
        Metric(
            "snapshot_age_seconds", "gauge", "Age of a stream's snapshot.",
            [({"stream": s.stream}, _age(now, s.made_at)) for s in shots],
        ),
        Metric(
            "snapshot_behind_changes", "gauge", "Changes since it.",
            [({"stream": s.stream}, heads.get(s.stream, 0) - s.seq) for s in shots],
        ),
    ]  # fmt: skip


def _age(now: datetime, since: datetime | None) -> float:
    return max(0.0, round((now - since).total_seconds(), 1)) if since else 0.0


def exposition(metrics: Iterable[Metric]) -> str:
    """Write the figures as Prometheus reads them (text format 0.0.4)."""
    lines = []
    for metric in metrics:
        name = f"haidang_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        for labels, value in metric.samples:
            shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items() if key)
            lines.append(f"{name}{labels.get('', '')}{'{' + shown + '}' if shown else ''} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
