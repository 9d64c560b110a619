"""What `manage.py demo` needs of Django, in one short-lived process: tables, demo data, an enrolment code.

Run as `python -m backend.preparation [--migrate] [--seed]`. Progress goes to standard error; standard output is the one
line of JSON that `issue_enrolment_code` prints.
"""

from __future__ import annotations

import io
import os
import sys

import django
from django.core.management import call_command


def main(arguments: list[str]) -> int:
    """Do what the arguments ask, then issue a code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    django.setup()
    if "--migrate" in arguments:
        print("Making the tables ...", file=sys.stderr, flush=True)
        call_command("migrate", interactive=False, verbosity=0)
    if "--seed" in arguments:
        call_command("demo_data", stdout=sys.stderr)
    answer = io.StringIO()
    call_command("issue_enrolment_code", "--json", "--minutes", "1440", stdout=answer)
    print(answer.getvalue().strip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
