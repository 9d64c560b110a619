"""Every model says who sees its rows, or stands here with the reason why nobody asks."""

from __future__ import annotations

from django.apps import apps
from django.db import models

from tests.architecture.source import PRODUCT

# Rows that reach nobody by themselves: model → how they are read.
READ_BY_NOBODY = {
    "accounts.Posting": "read to build an actor; shown as part of the officer",
    "accounts.EnrolmentCode": "a hash, looked up by the code someone holds",
    "accounts.DeviceSession": "judged at the door, never shown",
    "accounts.DeviceToken": "hashes, looked up by the token someone holds",
    "audit.Pending": "ids of events that the ledger has not numbered yet",
    "audit.Leaf": "hashes; a proof about a record is made for whoever may see the record",
    "audit.Tile": "likewise",
    "audit.Stamp": "meant for everybody: an authority's word on a head",
    "audit.Head": "meant for everybody: it says nothing but how many, and their hash",
    "audit.KeyStatement": "meant for everybody",
    "changes.Stream": "read by pull, which asks only for the streams of the actor's posts",
    "changes.Entry": "likewise",
    "changes.Change": "the outbox; only the relay reads it",
    "changes.Reaction": "likewise",
    "inspections.NumberSeries": "a counter",
    "inspections.SingleUseValue": "read by `seen_elsewhere`, through the visible report that bears it",
    "organisation.UnitName": "a dated attribute of a unit; the names of units are open to the service",
    "organisation.UnitParent": "likewise, its place in the tree",
    "seizures.DistinctPair": "read with two reports that are both visible",
    "sync.DevicePull": "how far a phone has come; read for figures and pokes alone",
    "sync.PushSubscription": "an address that only its own phone sets, and only pokes use",
    "sync.Epoch": "one row that every phone is told",
    "sync.Snapshot": "read by stream, after the door has asked whether the phone holds the stream",
    "sync.SnapshotPart": "likewise",
}


def own_models() -> list[type[models.Model]]:
    """Give the product's models."""
    return [model for model in apps.get_models() if model.__module__.startswith(PRODUCT)]


def label(model: type[models.Model]) -> str:
    """Name a model."""
    return model._meta.label


def test_every_model_says_who_sees_its_rows() -> None:
    silent = {label(m) for m in own_models() if not hasattr(m._default_manager, "visible_to")}
    assert silent == set(READ_BY_NOBODY)


def test_visible_to_is_written_on_the_queryset() -> None:
    for model in own_models():
        if label(model) not in READ_BY_NOBODY:
            assert hasattr(model._default_manager.all(), "visible_to"), label(model)
