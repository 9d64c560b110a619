"""`manage.py database_roles`: what the application's role may do in PostgreSQL, as SQL for the owner of the tables."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from apps.common.insert_only import InsertOnly
from apps.evidence.models import Attachment
from apps.evidence.queries import AS_DECLARED

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Command(BaseCommand):
    help = "Print, or apply, the rights of the role as which the processes connect: it adds evidence and changes none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="the application's role, which exists already and owns nothing")
        parser.add_argument(
            "--apply", action="store_true", help="run the statements instead of printing them"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles; its triggers refuse what nobody may do")
        role = options["role"]
        if not _NAME.fullmatch(role):
            raise CommandError("a role's name consists of lower-case letters, digits and underscores")
        statements = list(rights(role))
        if not options["apply"]:
            self.stdout.write("\n".join(f"{statement};" for statement in statements))
            return
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        self.stdout.write(f"{role}: {len(statements)} statements applied.")


def rights(role: str) -> Iterator[str]:
    """Give the statements, to be run by the owner of the tables; running them again changes nothing."""
    database = connection.settings_dict["NAME"]
    yield f'GRANT CONNECT, TEMPORARY ON DATABASE "{database}" TO {role}'
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield f"GRANT SELECT ON django_migrations TO {role}"
    for model in apps.get_models(include_auto_created=True):
        about = model._meta  # noqa: SLF001  the documented name of a model's options
        if not about.managed or about.proxy:
            continue
        if issubclass(model, InsertOnly):
            may = "SELECT, INSERT"
        elif model is Attachment:
            columns = [field.column for field in about.concrete_fields if field.attname not in AS_DECLARED]
            may = f"SELECT, INSERT, DELETE, UPDATE ({', '.join(columns)})"
        else:
            may = "SELECT, INSERT, UPDATE, DELETE"
        yield f"GRANT {may} ON {about.db_table} TO {role}"
