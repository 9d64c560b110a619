"""The photos of the story: drawn, signed by the phone that took them, and sent as phones send them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from typing import Any, Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from apps.common.actor import Actor
from apps.evidence import actions
from apps.evidence.actions import Derived
from apps.evidence.demo import draw_photo, scene_of
from apps.evidence.models import Attachment
from apps.seizures.actions import declare_photo
from backend.demo_data.checklists import Edition
from backend.demo_data.people import Person
from backend.demo_data.plan import Visit
from backend.demo_data.simulation import VIETNAM, Simulation

# Where the units stand, for the position that a phone claims; others claim none.
POSITIONS = {
    "NBA": (21.2187, 105.8042),
    "CPN": (21.2120, 105.8003),
    "TSN": (10.8188, 106.6520),
    "CPS": (10.8142, 106.6600),
    "DAD": (16.0439, 108.1994),
    "LBA": (16.6200, 106.5900),
    "MBA": (11.0740, 106.1700),
    "CLI": (10.7600, 106.7900),
    "HP1": (20.8690, 106.6930),
}
AHEAD = 48
BATCH = 50


@dataclass(frozen=True)
class Shot:
    """One photo to be taken: for which step, showing what, when and where."""

    id: UUID
    step: str
    purpose: str
    scene: str
    number: int
    taken: datetime
    place: tuple[float, float] | None


class Camera:
    """Draws the photos a little ahead of the story, in a process of its own, and sends them when their report goes.

    The thumbnails of what was sent are made beside the story too; `derived` gives them at its end.
    """

    def __init__(self, story: Simulation) -> None:
        self.story = story
        self.sent = 0
        self._easel = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self._darkroom = ThreadPoolExecutor(1)
        self._undeveloped: list[Attachment] = []
        self._developing: list[Future[dict[UUID, Derived]]] = []
        self._coming: Iterator[tuple[Shot, Future[bytes]]] = iter(())
        self._drawn: dict[UUID, tuple[Shot, Future[bytes]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._easel.shutdown(cancel_futures=True)
        self._darkroom.shutdown(cancel_futures=True)

    def prepare(self, visits: list[Visit]) -> None:
        """Begin to draw, in the order in which the reports will be sent."""
        shots = (shot for visit in visits for shot in self._shots(visit))
        self._coming = ((shot, self._draw(shot)) for shot in shots)
        self._draw_ahead()

    def send(self, visit: Visit, actor: Actor, *, lose_one: bool) -> bool:
        """Send the report's photos; with `lose_one` the last one never arrives. Gives whether one is missing."""
        ids = [photo for photos in visit.photos.values() for photo in photos]
        for photo in ids:
            while photo not in self._drawn:
                self._draw_ahead()
            shot, drawing = self._drawn.pop(photo)
            self._send(visit, actor, shot, drawing.result(), arrives=not (lose_one and photo == ids[-1]))
        self._draw_ahead()
        return lose_one and bool(ids)

    def _draw_ahead(self) -> None:
        for shot, drawing in islice(self._coming, max(1, AHEAD - len(self._drawn))):
            self._drawn[shot.id] = (shot, drawing)

    def _shots(self, visit: Visit) -> Iterator[Shot]:
        number = int(visit.id) % 1_000_000
        for step, photos in visit.photos.items():
            purpose = visit.edition.steps[step]["photos"]["purpose"]
            for photo in photos:
                number += 1
                taken = visit.started + (visit.ended - visit.started) * 0.6 + timedelta(seconds=number % 90)
                place = POSITIONS.get(visit.unit)
                scene = scene_of(purpose, number)
                yield Shot(photo, step, purpose, scene, number, taken.astimezone(VIETNAM), place)

    def _send(self, visit: Visit, actor: Actor, shot: Shot, data: bytes, *, arrives: bool) -> None:
        post = next(p for p in actor.posts if p.unit_id == visit.person.posting_at(visit.started).unit_id)
        sha256 = hashlib.sha256(data).hexdigest()
        manifest, signature = _signed(visit.person, visit.id, visit.edition, shot, data)
        actions.declare_attachment(
            actor=actor,
            post=post,
            id=shot.id,
            owner_kind="inspection",
            owner_id=visit.id,
            step_key=shot.step,
            purpose=shot.purpose,
            sha256=sha256,
            size=len(data),
            mime="image/jpeg",
            capture_mode="in_app",
            captured_on_device_at=shot.taken,
            manifest=manifest,
            signature=signature,
        )
        if arrives:
            self._arrive(actor, shot.id, data)

    def of_seizure(
        self, report: UUID, person: Person, actor: Actor, edition: Edition, purposes: Iterable[str]
    ) -> list[str]:
        """Take photos of a find now, one for each purpose, and send them; gives their ids."""
        taken, post = self.story.now.astimezone(VIETNAM), person.posting_at(self.story.now)
        place = POSITIONS.get(post.unit.code)
        ids = []
        for number, purpose in enumerate(purposes, start=int(report) % 1_000_000):
            scene = scene_of(purpose, number)
            shot = Shot(self.story.new_id(), "", purpose, scene, number, taken, place)
            data = self._draw(shot).result()
            manifest, signature = _signed(person, report, edition, shot, data)
            declare_photo(
                actor=actor,
                report_id=report,
                photo_id=shot.id,
                posting=str(post.pk),
                purpose=purpose,
                sha256=hashlib.sha256(data).hexdigest(),
                size=len(data),
                mime="image/jpeg",
                captured_on_device_at=taken,
                manifest=manifest,
                signature=signature,
            )
            self._arrive(actor, shot.id, data)
            ids.append(str(shot.id))
        return ids

    def _arrive(self, actor: Actor, photo: UUID, data: bytes) -> None:
        self._undeveloped.append(actions.store_original(actor=actor, attachment_id=photo, data=data))
        self.sent += 1
        if len(self._undeveloped) >= BATCH:
            self._develop()

    def derived(self) -> dict[UUID, Derived]:
        """Wait for the thumbnails of all photos sent, and give them by attachment."""
        self._develop()
        return {photo: made for batch in self._developing for photo, made in batch.result().items()}

    def _develop(self) -> None:
        self._developing.append(self._darkroom.submit(actions.derive_photos, self._undeveloped))
        self._undeveloped = []

    def _draw(self, shot: Shot) -> Future[bytes]:
        return self._easel.submit(draw_photo, shot.scene, shot.number, taken=shot.taken, place=shot.place)


def _signed(person: Person, report: UUID, edition: Edition, shot: Shot, data: bytes) -> tuple[str, str]:
    """Compose the manifest as a phone does and sign its bytes with the phone's key (r and s, as WebCrypto gives)."""
    device, key = person.device, person.key
    if device is None or key is None:
        return "", ""
    facts: dict[str, Any] = {
        "v": 1,
        "report": str(report),
        "device": str(device.pk),
        "photos": [{"id": str(shot.id), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}],
        "device_time": shot.taken.isoformat(),
        "position": shot.place,
        "checklist_version": str(edition.id),
        "content_hash": edition.content_hash,
    }
    manifest = json.dumps(facts, separators=(",", ":"))
    r, s = decode_dss_signature(key.sign(manifest.encode(), ec.ECDSA(SHA256())))
    return manifest, base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
