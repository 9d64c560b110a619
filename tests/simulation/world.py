"""One example: the phones, the people behind desks, time, and what may happen to all of them. Each verb is a sentence.

Verbs take small numbers drawn by the state machine; what makes no sense at the moment does nothing. `story` holds the
sentences, so that a failure can be read.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts import actions as accounts
from apps.accounts.models import Device, Officer, Posting, current
from apps.audit.models import Event
from apps.checklists import actions as checklists
from apps.checklists.models import ChecklistVersion
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import DomainError
from apps.inspections import actions
from apps.inspections.models import REVIEWABLE, InspectionReport
from apps.reporting.queries import differences, uncounted_since
from apps.sync.actions import new_epoch
from apps.sync.models import Mutation
from tests.phone_store import pulled_rev
from tests.reports import header, plain_answers, plain_content
from tests.simulation.crashes import Crash
from tests.simulation.handset import Handset
from tests.simulation.network import Network, Trouble
from tests.simulation.scene import STEPS, Scene
from tests.simulation.server import Server, Store
from tests.wire import Answer

SPANS = {
    "a minute": 70,
    "20 minutes": 1200,
    "5 hours": 18_000,
    "a day": 86_400,
    "8 days": 8 * 86_400,
    "15 days": 15 * 86_400,
    "31 days": 31 * 86_400,
    "91 days": 91 * 86_400,
}
CLOCKS = {
    "right": 0.0,
    "two years ahead": 730 * 86_400.0,
    "in 1970": -56 * 365.25 * 86_400,
    "an hour behind": -3600.0,
}
STEP = "step_3"


@dataclass
class Made:
    """What an officer wrote on a phone: a row of its outbox, by number; `seen` is the newest revision shown by then."""

    type: str
    object: str
    fields: dict[str, Any]
    seen: int


@dataclass
class Backup:
    """A copy of the database with its moment."""

    store: Store
    moment: dt.datetime


@dataclass
class World:
    """Everything in one story."""

    server: Server
    scene: Scene
    story: list[str] = field(default_factory=list)
    phones: list[Handset] = field(default_factory=list)
    made: dict[str, dict[int, Made]] = field(default_factory=dict)
    acked: dict[str, dt.datetime] = field(default_factory=dict)
    taken: dict[str, dt.datetime] = field(default_factory=dict)
    backups: list[Backup] = field(default_factory=list)
    restores: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    words: int = 0

    def __post_init__(self) -> None:
        self.server.clock.moment, self.server.clock.ids = self.scene.moment, self.scene.ids
        self.server.begin(self.scene.store)
        self.backups = [Backup(self.scene.store, self.scene.moment)]
        self.network = Network(self.server, self.tell)
        self.cast = self.scene.cast
        for saved in self.scene.phones:
            phone = Handset(self.network, saved.name, saved.username, saved.store)
            self._hand_out(phone)
            self._wrote(phone, lambda: None)

    def end(self) -> None:
        """Give back what the story took."""
        for backup in self.backups[1:]:
            backup.store.drop()
        for phone in self.phones:
            phone.close()

    def tell(self, line: str) -> None:
        """Add a sentence to the story."""
        self.story.append(line)

    # -- officers in the field --------------------------------------------------------------------------------------

    def begin(self, who: int, *, whole: bool, at_once: bool) -> None:
        """An officer begins a report, complete or with a few words, and may submit it at once."""
        phone = self._phone(who)
        version = self._version(phone)
        if not version or phone.is_wiped:
            return
        fields: dict[str, Any] = {"checklist_version": version, "remarks": self._word()}
        if whole:
            with phone.in_hand():
                fields = header(answers=plain_answers(STEPS), **fields)
        verb = phone.submit if at_once else phone.save
        report = self._wrote(phone, lambda: verb(fields))
        how = "submits" if at_once else "begins"
        self.tell(f"{phone.name} {how} report {_tag(report)} ({'whole' if whole else 'a few words'})")

    def edit(self, who: int, pick: int, *, which: int, submits: bool) -> None:
        """An officer changes one field of a report on the phone, and may submit it."""
        phone, report = self._report(who, pick)
        if report is not None:
            self._edit(phone, report, which=which, submits=submits)

    def edit_apart(self, pick: int, *, which: int) -> None:
        """An officer writes one field on two phones; one sends it, the other receives it before sending its own."""
        held: dict[str, list[Handset]] = defaultdict(list)
        for phone in self.phones:
            if not phone.is_wiped:
                for report, body in phone.rows("inspection").items():
                    if body["state"] in {"local_draft", "returned"}:
                        held[report].append(phone)
        twice = sorted(report for report, phones in held.items() if len(phones) > 1)
        if not twice:
            return
        report = twice[pick % len(twice)]
        one, other = held[report][:2]
        for phone in (one, other):
            self._edit(phone, report, which=which, submits=False)
        sent, received = one.contact(one.push), other.contact(other.pull)
        self.tell(f"{one.name} {sent} with pushing, {other.name} {received} with pulling")

    def _edit(self, phone: Handset, report: str, *, which: int, submits: bool) -> None:
        word = self._word()
        fields: dict[str, Any] = (
            {"remarks": word},
            {"place": word},
            {"answers": {STEP: {"value": word}}},
        )[which % 3]
        verb = phone.submit if submits else phone.save
        self._wrote(phone, lambda: verb(fields, report))
        self.tell(
            f"{phone.name} {'submits' if submits else 'edits'} {_tag(report)} with {next(iter(fields))} {word}"
        )

    def photograph(self, who: int, pick: int, *, which: int, depends: bool) -> None:
        """An officer takes a photo and names it in the report."""
        phone, report = self._report(who, pick)
        if report is None:
            return
        data = self.scene.photos[which % len(self.scene.photos)]
        photo = self._wrote(phone, lambda: phone.take_photo(report, STEP, data))
        known = phone.report(report).get("photos", {}).get(STEP, [])
        fields = {"photos": {STEP: [*known, photo]}}
        declared = [row.object for row in self.made[phone.name].values()]
        assert photo in declared
        if depends:
            (need,) = phone.store.execute("SELECT id FROM outbox WHERE object=?", (photo,)).fetchone()
            self._wrote(phone, lambda: phone.submit(fields, report, needs=[need]))
        else:
            self._wrote(phone, lambda: phone.save(fields, report))
        self.tell(
            f"{phone.name} takes photo {_tag(photo)} for {_tag(report)}{', submits' if depends else ''}"
        )

    def discard(self, who: int, pick: int) -> None:
        """An officer takes a draft back."""
        phone, report = self._report(who, pick)
        if report is None:
            return
        self._wrote(phone, lambda: phone.discard(report))
        self.tell(f"{phone.name} discards {_tag(report)}")

    def decide(self, who: int, pick: int, *, insists: bool) -> None:
        """An officer answers a refusal: insists on their version, or gives way."""
        phone = self._phone(who)
        refused = [] if phone.is_wiped else phone.attention()
        if not refused:
            return
        one = refused[pick % len(refused)]
        if insists:
            self._wrote(phone, lambda: phone.insist(one["id"]), one.get("rev") or 0)
        else:
            self._wrote(phone, lambda: phone.give_way(one["id"]), one.get("rev") or 0)
        self.tell(f"{phone.name} {'insists on' if insists else 'gives way in'} {_tag(one['sent']['object'])}")

    def sync(self, who: int, *, part: str, troubles: list[Trouble], dies_at: int = 0) -> None:
        """A phone speaks with the server, more often one that has something to send."""
        busy = [phone for phone in self.phones if not phone.is_wiped and (phone.waiting() or _unsent(phone))]
        choice = [*self.phones, *busy, *busy]
        phone = choice[who % len(choice)]
        if phone.is_wiped:
            return
        deeds: dict[str, Callable[[], object]] = {
            "syncs": phone.sync,
            "pushes": phone.push,
            "pulls": lambda: phone.pull(limit=2),
            "sends photos": phone.send_photos,
        }
        self.tell(f"{phone.name} {part}{f', killed at write {dies_at}' if dies_at else ''}")
        outcome = phone.contact(deeds[part], troubles, dies_at=dies_at)
        self._note(phone)
        self.tell(f"  {phone.name} {outcome}")

    def set_clock(self, who: int, clock: str) -> None:
        """A phone's clock goes wrong, or right."""
        phone = self._phone(who)
        phone.own_clock.offset = CLOCKS[clock]
        self.tell(f"{phone.name}'s clock is {clock}")

    def lose(self, who: int) -> None:
        """A phone is reported lost."""
        phone = self._phone(who)
        device = Device.objects.filter(pk=phone.get("device_id") or UUID(int=0)).first()
        if device is None:
            return
        self._by_desk(
            f"{phone.name} is reported lost", lambda: accounts.report_device_lost(actor=SYSTEM, device=device)
        )

    def enrol(self, who: int) -> None:
        """An officer gets one more phone."""
        if len(self.phones) >= 5:
            return
        member = self._member(who)
        name = f"{'An' if member is self.cast.officer else 'Bình'}-{len(self.phones) + 1}"
        try:
            code = accounts.issue_enrolment_code(actor=SYSTEM, officer=member.officer)
        except DomainError as refusal:
            self.tell(f"{name} cannot be enrolled: {refusal.code}")
            return
        phone = Handset(self.network, name, member.officer.username)
        with phone.in_hand():
            phone.enrol(code)
        self._hand_out(phone)
        self.tell(f"{name} is enrolled")

    # -- people at desks --------------------------------------------------------------------------------------------

    def review(self, pick: int, verb: str, trouble: Trouble | None = None) -> None:
        """A leader decides on a report."""
        reports = list(_reviewed_by(verb).order_by("number").values_list("pk", flat=True))
        if not reports:
            return
        pk = reports[pick % len(reports)]
        to: dict[str, Any] = {"actor": self.cast.region_leader.actor(), "report_id": pk}
        if InspectionReport.objects.filter(pk=pk, unit=self.cast.far_gate).exists():
            to["actor"] = self.cast.other_leader.actor()
        deeds: dict[str, Callable[[], object]] = {
            "takes up": lambda: actions.start_review(**to),
            "returns": lambda: actions.return_for_correction(
                **to, notes=[{"step_key": STEP, "text": self._word()}], note=""
            ),
            "approves": lambda: actions.approve_inspection(**to),
            "voids": lambda: actions.void_inspection(**to, reason="Nhập trùng"),
        }
        self._by_desk(f"the leader {verb} {_tag(str(pk))}", deeds[verb], trouble)

    def post(self, who: int, where: str) -> None:
        """An officer leaves a gate, comes to one, or is suspended and reinstated."""
        member = self._member(who)
        officer = Officer.objects.get(pk=member.officer.pk)
        held = (
            Posting.objects.filter(current(self.server.clock.now()), officer=officer).order_by("id").first()
        )
        name = member.officer.full_name
        if where == "suspended":
            deed = accounts.suspend_officer if officer.is_active else accounts.reinstate_officer
            verb = "suspended" if officer.is_active else "reinstated"
            self._by_desk(f"{name} is {verb}", lambda: deed(actor=SYSTEM, officer=officer, reason="-"))
        elif where == "away":
            if held:
                self._by_desk(
                    f"{name} leaves the post", lambda: accounts.end_posting(actor=SYSTEM, posting=held)
                )
        else:
            unit = self.cast.noi_bai if where == "Nội Bài" else self.cast.far_gate
            self._by_desk(
                f"{name} comes to {where}",
                lambda: accounts.post_officer(actor=SYSTEM, officer=officer, unit=unit, role="officer"),
            )

    def publish(self, verb: str) -> None:
        """A trainer publishes, closes or withdraws a version."""
        versions = ChecklistVersion.objects.order_by("published_at", "pk")
        if verb == "publishes":
            self._by_desk("the trainer publishes a new version", self._publish)
            return
        wanted = "closing" if verb == "closes" else "published"
        version = versions.filter(status=wanted).first()
        if version is None:
            return
        deeds = {
            "closes": lambda: checklists.close_version(actor=SYSTEM, version_id=version.pk),
            "withdraws": lambda: checklists.withdraw_version(
                actor=SYSTEM, version_id=version.pk, reason="An toàn"
            ),
        }
        self._by_desk(f"the trainer {verb} version {version.semver}", deeds[verb])

    # -- the server and the world -----------------------------------------------------------------------------------

    def work(self, times: int, trick: str, trouble: Trouble | None) -> None:
        """The worker relays and runs some messages, of which some may be lost, repeated or taken in another order."""
        broker = self.server.broker
        self._by_desk("the worker relays", self.server.relay, trouble if trick == "relay" else None)
        if trick == "lost" and broker.messages:
            task, _ = broker.messages.pop(0)
            self.tell(f"  the broker loses {task}")
        if trick == "last first":
            broker.messages.reverse()
        for _ in range(times):
            if not broker.messages:
                return
            task, ids = broker.messages[0]
            done = self._by_desk(
                f"the worker does {task} {ids}",
                lambda task=task, ids=ids: self.server.run(task, ids),  # type: ignore[misc]
                trouble if trick == "dies" else None,
            )
            if done and trick != "twice":
                broker.messages.pop(0)
            trouble = None

    def pass_time(self, span: str) -> None:
        """Time passes, and with it come the tasks of the schedule."""
        self.server.clock.pass_by(SPANS[span])
        self.tell(f"{span} passes")
        if SPANS[span] >= 3600:
            self.beat()

    def beat(self) -> None:
        """Run every scheduled task once."""
        for task in self.server.beat():
            if task == "reporting.reconcile" and uncounted_since() is None:
                # The night's repair must have nothing to repair; it would hide what a task has lost.
                found = differences()
                assert not found, f"figures differ from the rows: {found}"
            self.server.run(task)

    def arrive_late(self, index: int) -> None:
        """A request that was delayed or repeated arrives now."""
        if self.network.late:
            self.network.bring_late(index)

    def restart(self, *, power: bool) -> None:
        """The server restarts, in order or by a power cut."""
        self.server.restart(power=power)
        self.tell("the power fails" if power else "the server restarts")

    def back_up(self) -> None:
        """An administrator copies the database."""
        if len(self.backups) < 4:
            self.backups.append(Backup(Store(), self.server.clock.moment))
            self.tell("the database is backed up")

    def restore(self, pick: int, *, keeps_messages: bool) -> None:
        """The database is lost; the backup comes back, files stay, and a new epoch is declared."""
        backup = self.backups[pick % len(self.backups)]
        self.removed |= removed_photos()
        backup.store.restore()
        self.server.restart()
        if not keeps_messages:
            self.server.broker.messages.clear()
        new_epoch(actor=SYSTEM)
        self.restores.append((backup.moment, self.server.clock.moment))
        self.tell(
            f"the database is restored from the backup, messages {'kept' if keeps_messages else 'dropped'}"
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    def _hand_out(self, phone: Handset) -> None:
        member = (
            self.cast.officer if phone.username == self.cast.officer.officer.username else self.cast.team_mate
        )
        phone.new_code = lambda: accounts.issue_enrolment_code(actor=SYSTEM, officer=member.officer)
        phone.wire.heard = self._heard
        self.phones.append(phone)
        self.made.setdefault(phone.name, {})

    def _heard(self, path: str, answer: Answer) -> None:
        """Note what phones are told."""
        if path.endswith("/sync/push") and answer.status == 200:
            for result in answer.json()["results"]:
                assert result.get("code") not in {"server-error", "busy"} or self.is_database_failing, result
                if result.get("original_status", result["status"]) == "applied":
                    self.acked.setdefault(result["id"], self.server.clock.moment)
                    # A repetition is told what the server may have taken long before.
                    receipt = Mutation.objects.filter(pk=result["id"]).first()
                    if receipt:
                        self.taken[result["id"]] = receipt.received_at

    @property
    def is_database_failing(self) -> bool:
        """Whether this story has a database that fails now and then."""
        return any("meets database" in line for line in self.story)

    def _by_desk(self, sentence: str, deed: Callable[[], object], trouble: Trouble | None = None) -> bool:
        """Let a deed happen on the server, which may die on the way; what is refused is refused."""
        self.tell(sentence)
        if trouble:
            self.server.crasher.crash_at(*trouble.crash())
        try:
            with self.server.crasher.process():
                deed()
        except DomainError as refusal:
            self.tell(f"  refused: {refusal.code}")
        except Crash as crash:
            power = trouble is not None and trouble.kind == "power"
            self.tell(f"  {'the power fails' if power else 'the server dies'} at {crash}")
            self.server.restart(power=power)
            return False
        finally:
            self.server.crasher.disarm()
        return True

    def _phone(self, who: int) -> Handset:
        return self.phones[who % len(self.phones)]

    def _member(self, who: int) -> Any:
        return (self.cast.officer, self.cast.team_mate)[who % 2]

    def _word(self) -> str:
        self.words += 1
        return f"word-{self.words}"

    def _version(self, phone: Handset) -> str | None:
        held = sorted(phone.rows("checklist"))
        return held[-1] if held else None

    def _report(self, who: int, pick: int) -> tuple[Handset, str | None]:
        """Choose a report that the phone knows: pulled, or written on it."""
        phone = self._phone(who)
        if phone.is_wiped:
            return phone, None
        rows = phone.store.execute(
            "SELECT id FROM base WHERE kind='inspection' UNION "
            "SELECT object FROM outbox WHERE type LIKE 'inspection.%' ORDER BY 1"
        ).fetchall()
        return phone, rows[pick % len(rows)][0] if rows else None

    def _wrote(self, phone: Handset, write: Callable[[], Any], shown: int = 0) -> str:
        """Let an officer write, and note what stands in the outbox then; `shown` is a revision a refusal showed."""
        with phone.in_hand():
            done = write()
        self._note(phone, shown)
        return str(done)

    def _note(self, phone: Handset, shown: int = 0) -> None:
        known = self.made[phone.name]
        rows = phone.store.execute(
            "SELECT seq, type, object, fields FROM outbox WHERE seq > ?", (max(known, default=0),)
        )
        for seq, kind, oid, fields in rows.fetchall():
            known[seq] = Made(kind, oid, json.loads(fields), max(pulled_rev(phone.store, oid), shown))

    def _publish(self) -> None:
        trainer, approver = self.cast.trainer.actor(), self.cast.approver.actor()
        first = ChecklistVersion.objects.select_related("checklist").get(pk=self.scene.version)
        count = ChecklistVersion.objects.filter(checklist=first.checklist).count()
        version = checklists.create_version(
            actor=trainer, checklist=first.checklist, semver=f"1.{count}.0", content=plain_content(STEPS)
        )
        checklists.submit_for_review(actor=trainer, version_id=version.pk)
        checklists.approve_version(actor=approver, version_id=version.pk)
        checklists.publish_version(actor=trainer, version_id=version.pk)


def removed_photos() -> set[str]:
    """Give the photos that were removed because no report came for them."""
    gone = Event.objects.filter(action="attachment.removed").values_list("oid", flat=True)
    return {str(pk) for pk in gone}


def _unsent(phone: Handset) -> int:
    """Count the photos that a phone has yet to send."""
    waiting = "SELECT count(*) FROM photo WHERE state IN ('declared','sending')"
    return int(phone.store.execute(waiting).fetchone()[0])


def _reviewed_by(verb: str) -> QuerySet[InspectionReport]:
    """Give the reports that a verb may apply to."""
    reports = InspectionReport.objects.exclude(number=None)
    return reports if verb == "voids" else reports.filter(state__in=REVIEWABLE)


def _tag(oid: str) -> str:
    return oid[-4:]


__all__ = ["Actor", "World"]
