"""The real database: every foreign key can be followed backwards without reading the whole table."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.architecture.test_visibility import own_models

pytestmark = pytest.mark.django_db


def test_every_foreign_key_has_an_index() -> None:
    """An index counts when the key's column stands first in it: also a unique constraint or a primary key."""
    bare = []
    with connection.cursor() as cursor:
        for model in own_models():
            table = model._meta.db_table
            constraints = connection.introspection.get_constraints(cursor, table).values()
            led = {
                c["columns"][0]
                for c in constraints
                if c["columns"] and (c["index"] or c["unique"] or c["primary_key"])
            }
            keys = connection.introspection.get_relations(cursor, table)
            bare += [f"{table}.{column}" for column in keys if column not in led]
    assert not bare


def test_the_database_enforces_every_foreign_key() -> None:
    """A key of the models that the database does not know would let orphans in."""
    with connection.cursor() as cursor:
        for model in own_models():
            known = connection.introspection.get_relations(cursor, model._meta.db_table)
            wanted = {f.column for f in model._meta.concrete_fields if f.remote_field}
            assert wanted <= set(known), model._meta.label
