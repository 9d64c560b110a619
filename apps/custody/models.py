"""Exhibits with where they are now, the events that brought them there, seals, hand-overs, counts of a store.

Events, seals and counts are written once: the databases refuse UPDATE, DELETE and TRUNCATE. What an exhibit's row says
follows from its events and repeats them for queries.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

import orjson
from django.db import models
from django.db.models import Q

from apps.accounts.models import Handling, Officer, Posting, Role
from apps.common.actor import Actor
from apps.common.insert_only import InsertOnly
from apps.common.records import Record, new_id
from apps.common.text import say
from apps.organisation.models import Unit
from apps.seizures.models import SeizureReport


class ExhibitState(models.TextChoices):
    """Where an exhibit is; a discrepancy stops it there (`Exhibit.stop`)."""

    RECORDED = "recorded", say("Đã lập biên bản", "Recorded")
    SEALED = "sealed", say("Đã niêm phong", "Sealed")
    UNSEALED = "unsealed", say("Đang mở niêm phong", "Seal opened")
    UNIT_STORE = "unit_store", say("Trong kho đơn vị", "In the unit's store")
    IN_TRANSIT = "in_transit", say("Đang vận chuyển", "In transit")
    AT_LAB = "at_lab", say("Đang giám định", "At the laboratory")
    HANDED_OVER = "handed_over", say("Đã bàn giao", "Handed over")
    CLOSED = "closed", say("Kết thúc", "Closed")


class Stop(models.TextChoices):
    """Why nothing may be done with an exhibit until a leader decides."""

    SEAL_MISMATCH = "seal_mismatch", say("Sai niêm phong", "Seal mismatch")
    WEIGHT_DISCREPANCY = "weight_discrepancy", say("Lệch khối lượng", "Weight discrepancy")


class ExhibitQuerySet(models.QuerySet["Exhibit"]):
    """An exhibit is seen with its seizure; beside that by whoever has it in hand or is asked to take it."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the exhibits of visible seizures, those one holds or is offered, and those in one's store.

        Leaders and custodians see the packages that their unit holds, of whatever seizure, and nothing more of it.
        Compartments open only to their members.
        """
        if actor.is_system:
            return self
        posts = actor.post_ids()
        seen = Q(report__in=SeizureReport.objects.visible_to(actor).values("pk"))
        mine = Q(posting_id__in=posts) | Q(offer__receiver_posting_id__in=posts)
        kept = Q(unit_id__in=actor.reach_of(Role.CUSTODIAN, Role.LEADER), report__is_draft=False)
        return self.filter(seen | mine | kept).exclude(report__handling=Handling.COMPARTMENT)


class HandOverQuerySet(models.QuerySet["HandOver"]):
    """A hand-over is known to both sides, to whoever keeps what was handed over, and to whoever sees the seizure."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the hand-overs of visible seizures, those one offered or is asked to accept, and those of one's store.

        Leaders and custodians see those whose exhibits their unit held: one of them enters what was signed on paper.
        """
        if actor.is_system:
            return self
        posts = actor.post_ids()
        seen = Q(report__in=SeizureReport.objects.visible_to(actor).values("pk"))
        sides = Q(giver_posting_id__in=posts) | Q(receiver_posting_id__in=posts)
        held = CustodyEvent.objects.filter(unit_id__in=actor.reach_of(Role.CUSTODIAN, Role.LEADER))
        kept = Q(pk__in=held.exclude(hand_over=None).values("hand_over_id"), report__is_draft=False)
        return self.filter(seen | sides | kept).exclude(report__handling=Handling.COMPARTMENT)


class HandOver(Record):
    """Exhibits of one seizure that a giver offers and a receiver confirms, each with its seals and mass, or refuses.

    With them may go papers, people and vehicles: the last two by their marks in the report, so that a hand-over names
    nobody; `copies` are those of the record that is signed (empty: one for each side).

    `items`: exhibit → what the giver says of it (`seals`, `gross_mass_g`), what was read on it (`seals_read`,
    `mass_read`), what differs (`differs`).
    """

    class State(models.TextChoices):
        """What became of the offer; what differed is settled exhibit by exhibit."""

        OFFERED = "offered", say("Chờ người nhận", "Offered")
        ACCEPTED = "accepted", say("Đã nhận", "Accepted")
        REFUSED = "refused", say("Từ chối nhận", "Refused")
        WITHDRAWN = "withdrawn", say("Đã rút lại", "Withdrawn")

    class Kind(models.TextChoices):
        """To whom: within the service, or on paper to somebody outside."""

        INSIDE = "inside", say("Trong ngành", "Within the service")
        POLICE = "police", say("Cơ quan công an", "Police")
        LAB = "lab", say("Cơ quan giám định", "Laboratory")
        OTHER = "other", say("Cơ quan khác", "Another agency")

    number = models.CharField(max_length=40, unique=True)
    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="hand_overs")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    items = models.JSONField()
    giver = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    giver_posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    receiver_posting = models.ForeignKey(Posting, on_delete=models.PROTECT, null=True, related_name="+")
    receiver_name = models.CharField(max_length=200, blank=True)
    receiver_badge = models.CharField(max_length=20, blank=True)
    receiver_office = models.CharField(max_length=200, blank=True)
    legal_basis = models.CharField(max_length=500, blank=True)
    documents = models.CharField(max_length=1000, blank=True)
    persons = models.JSONField(default=list)
    vehicles = models.JSONField(default=list)
    copies = models.PositiveSmallIntegerField(null=True)
    document_number = models.CharField(max_length=60, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    offered_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")

    objects = HandOverQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="inside", receiver__isnull=False, receiver_posting__isnull=False)
                | (~Q(kind="inside") & Q(receiver__isnull=True) & ~Q(receiver_office="")),
                name="hand_over_has_a_receiver",
            ),
            models.CheckConstraint(
                condition=Q(receiver__isnull=True) | ~Q(receiver=models.F("giver")),
                name="hand_over_not_to_oneself",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True)
                | ~Q(state="accepted")
                | ~Q(answered_by=models.F("giver")),
                name="hand_over_not_accepted_by_giver",
            ),
        )
        ordering = ("offered_at", "id")

    def __str__(self) -> str:
        return self.number


class Exhibit(Record):
    """One package of a seizure, or a sample taken from one, with who holds it and how it is sealed now.

    `number` counts within the report; `mark` is the line it belongs to. `head` is the hash of its newest event.
    """

    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="exhibits")
    number = models.PositiveSmallIntegerField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="samples")
    mark = models.CharField(max_length=20)
    description = models.CharField(max_length=1000)
    packages = models.PositiveIntegerField(null=True)
    gross_mass_g = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    net_mass_g = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    volume_ml = models.DecimalField(max_digits=13, decimal_places=3, null=True)
    count = models.PositiveIntegerField(null=True)
    count_unit = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=12, choices=ExhibitState.choices, default=ExhibitState.RECORDED)
    stop = models.CharField(max_length=40, blank=True)
    seals = models.JSONField(default=list)
    place = models.CharField(max_length=200, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, null=True, related_name="+")
    outside = models.CharField(max_length=400, blank=True)
    offer = models.ForeignKey(HandOver, on_delete=models.PROTECT, null=True, related_name="open_exhibits")
    seq = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)

    objects = ExhibitQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "number"], name="exhibit_number_once"),
            models.CheckConstraint(
                condition=Q(holder__isnull=False, posting__isnull=False, outside="")
                | (Q(holder__isnull=True, posting__isnull=True) & ~Q(outside="")),
                name="exhibit_is_in_one_hand",
            ),
            models.CheckConstraint(
                condition=(Q(gross_mass_g__isnull=True) | Q(gross_mass_g__gte=0))
                & (Q(net_mass_g__isnull=True) | Q(net_mass_g__gte=0))
                & (Q(volume_ml__isnull=True) | Q(volume_ml__gte=0)),
                name="exhibit_amounts_not_negative",
            ),
        )
        indexes = (models.Index(fields=["unit", "state"], name="exhibit_store"),)
        ordering = ("number",)

    def __str__(self) -> str:
        return f"exhibit {self.number} of {self.report_id}"

    @property
    def seal_numbers(self) -> list[str]:
        """The numbers that stand on the package now."""
        return [seal["number"] for seal in self.seals]

    @property
    def is_struck(self) -> bool:
        """Whether it was written down by mistake: closed while it was still in a hand of the service."""
        return self.state == ExhibitState.CLOSED and self.holder_id is not None

    @property
    def stops(self) -> list[Any]:
        """What differs, in words."""
        return [Stop(code).label for code in self.stop.split()]


Part = TypeVar("Part", bound=models.Model)


class ExhibitPartQuerySet(models.QuerySet[Part]):
    """Events and seals are seen with their exhibit."""

    def visible_to(self, actor: Actor) -> Self:
        """Give what belongs to visible exhibits."""
        return self.filter(exhibit__in=Exhibit.objects.visible_to(actor).values("pk"))


class CustodyEvent(InsertOnly):
    """One step of an exhibit. `body` is all of it as bytes, with the hash of the step before; the columns repeat it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=ExhibitState.choices)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    hand_over = models.ForeignKey(HandOver, on_delete=models.PROTECT, null=True, related_name="events")
    body = models.BinaryField()
    hash = models.CharField(max_length=64)

    objects: Any = ExhibitPartQuerySet["CustodyEvent"].as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["exhibit", "seq"], name="custody_event_once"),)
        ordering = ("exhibit", "seq")

    def __str__(self) -> str:
        return f"{self.kind} {self.exhibit_id}"

    @property
    def said(self) -> dict[str, Any]:
        """The body as it reads."""
        found: dict[str, Any] = orjson.loads(bytes(self.body))
        return found


class Seal(InsertOnly):
    """A seal that was put on, once for all: a number is used once by its issuer in a year."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="used_seals")
    event = models.ForeignKey(CustodyEvent, on_delete=models.PROTECT, related_name="+")
    issuer = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=60)
    spelling = models.CharField(max_length=60)
    type = models.CharField(max_length=20)

    objects: Any = ExhibitPartQuerySet["Seal"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["issuer", "year", "spelling"], name="seal_number_used_once"),
        )

    def __str__(self) -> str:
        return f"{self.issuer} {self.year} {self.number}"


class StoreCountQuerySet(models.QuerySet["StoreCount"]):
    """Counts of the stores one answers for."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the counts of the units that one leads, keeps the exhibits of, or reviews."""
        if actor.is_system:
            return self
        return self.filter(unit_id__in=actor.reach_of(*STORE_READERS))


STORE_READERS = (Role.LEADER, Role.CUSTODIAN, Role.HQ_REVIEWER)


class StoreCount(InsertOnly):
    """What a person found in a unit's store, with what should have been there; `body` is all of it as bytes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    body = models.BinaryField()

    objects = StoreCountQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"count of {self.unit_id}"

    @property
    def said(self) -> dict[str, Any]:
        """The body as it reads."""
        found: dict[str, Any] = orjson.loads(bytes(self.body))
        return found
