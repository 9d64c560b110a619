"""Counting a unit's temporary store: what a person found, beside what should lie there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, NotAllowed
from apps.common.records import new_id
from apps.common.text import clean_values
from apps.custody.models import StoreCount
from apps.custody.queries import STORE_COUNT, in_store, label
from apps.custody.rules.forms import missing, problem, read_fields, spelling

_FIELDS = {"witness": "text 200", "note": "text 1000"}
MAX_FOUND, MAX_LENGTH = 2000, 80


@transaction.atomic
def count_store(*, actor: Actor, unit_id: UUID, found: list[str], fields: Mapping[str, Any]) -> StoreCount:
    """Write down a count: seal numbers or exhibit numbers as read, one each; what is missing and what is unknown.

    By the unit's custodian or a leader over it, with a second person. A count puts nothing right: what is missing is
    looked for. Raises InvalidFields, NotAllowed.
    """
    if unit_id not in actor.reach_of(Role.CUSTODIAN, Role.LEADER):
        raise NotAllowed
    fields, found = clean_values(fields), clean_values(found)
    said, problems = read_fields(fields, _FIELDS)
    problems += missing(said, ("witness",))
    read = list(dict.fromkeys(text.strip() for text in found if spelling(text)))
    if len(read) > MAX_FOUND or any(len(text) > MAX_LENGTH for text in read):
        problems.append(problem("found", "max-length"))
    if problems:
        raise InvalidFields(errors=problems)
    now = timezone.now()
    expected = in_store(actor, unit_id, now)
    names = {
        row.exhibit.pk: {spelling(text) for text in (label(row.exhibit), *row.seals)} for row in expected
    }
    spelt = {spelling(text): text for text in read}
    known = set().union(*names.values())
    body = orjson.dumps(
        {
            "v": 1,
            "unit": unit_id,
            "at": now,
            "actor": actor.officer_id,
            "expected": [label(row.exhibit) for row in expected],
            "found": read,
            "missing": [label(r.exhibit) for r in expected if names[r.exhibit.pk].isdisjoint(spelt)],
            "unknown": [text for key, text in spelt.items() if key not in known],
            **said,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    count = StoreCount.objects.create(
        id=new_id(), unit_id=unit_id, at=now, officer_id=actor.officer_id, body=body
    )
    told = {"unit": str(unit_id), "sha256": hashlib.sha256(body).hexdigest()}
    log(actor, "store.counted", STORE_COUNT, count.pk, told)
    return count
