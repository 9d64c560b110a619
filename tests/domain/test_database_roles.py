"""The application's role on PostgreSQL adds evidence and changes none; all the product's work goes on under it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction

from apps.audit.actions import sign_head
from apps.common.insert_only import InsertOnly
from apps.evidence.models import Attachment, Receipt
from apps.inspections.actions import approve_inspection
from tests.court import Court, work_off

ROLE = "haidang_app_test"
KEPT = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, InsertOnly))


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def role(transactional_db: None) -> Iterator[str]:
    """The application's role, as the command makes it."""
    run(f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN")
    call_command("database_roles", ROLE, "--apply", stdout=StringIO())
    yield ROLE
    run("RESET ROLE", f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_connects_as_the_role_can_only_add(role: str) -> None:
    import psycopg

    known: Any = connection.get_connection_params()
    assert {"audit_event", "audit_leaf", "audit_head", "evidence_capture", "evidence_receipt"} <= set(KEPT)
    address = {name: known[name] for name in ("dbname", "host", "port", "user", "password") if name in known}
    with psycopg.connect(**address, autocommit=True) as own:
        own.execute(f"SET SESSION AUTHORIZATION {role}")
        for table in KEPT:
            own.execute(f"SELECT count(*) FROM {table}")
            column = own.execute(f"SELECT * FROM {table} LIMIT 0").description[0].name  # type: ignore[index]
            for statement in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"DROP TRIGGER {table}_append_only ON {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER USER",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    own.execute(statement)
        for statement in (
            "UPDATE evidence_attachment SET sha256 = sha256",
            "UPDATE evidence_attachment SET owner_id = owner_id",
            "TRUNCATE evidence_attachment CASCADE",
            "UPDATE django_migrations SET name = name",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(statement)


@pytest.mark.postgres
def test_the_product_works_as_the_role(court: Court) -> None:
    """In the test's own transaction: the role may do all that a case, its review and the ledger need."""
    phone = court.phone()
    leader = court.work.cast.leader
    run(f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE}")
    call_command("database_roles", ROLE, "--apply", stdout=StringIO())
    run(f"SET ROLE {ROLE}")
    try:
        case = court.case(phone)
        approve_inspection(actor=leader.actor(), report_id=case.report_id)
        work_off()
        assert sign_head() is not None
        assert Receipt.objects.filter(owner_id=case.report_id).exists()
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Attachment.objects.filter(owner_id=case.report_id).update(size=1)
    finally:
        run("RESET ROLE")


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_strange_name_is_refused() -> None:
    with pytest.raises(CommandError, match="name"):
        call_command("database_roles", 'x"; DROP')


def test_sqlite_has_no_roles(db: None) -> None:
    if connection.vendor == "postgresql":
        out = StringIO()
        call_command("database_roles", "app", stdout=out)
        assert "GRANT SELECT, INSERT ON audit_event TO app;" in out.getvalue()
    else:
        with pytest.raises(CommandError, match="triggers"):
            call_command("database_roles", "app")
