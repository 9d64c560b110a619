"""Every write about people and devices: officers and postings, enrolment, device sessions, revocation."""

from apps.accounts.actions.contact import note_contact
from apps.accounts.actions.devices import reinstate_device, report_device_lost, suspend_device
from apps.accounts.actions.enrolment import Claim, Enrolled, enrol_device, issue_enrolment_code
from apps.accounts.actions.people import (
    create_officer,
    end_posting,
    post_officer,
    reinstate_officer,
    set_password,
    suspend_officer,
)
from apps.accounts.actions.sessions import (
    Rotation,
    SignIn,
    Tokens,
    challenge_device,
    end_session,
    open_session,
    rotate_session,
)
from apps.accounts.actions.statements import Signed, sign_statement

__all__ = [
    "Claim",
    "Enrolled",
    "Rotation",
    "SignIn",
    "Signed",
    "Tokens",
    "challenge_device",
    "create_officer",
    "end_posting",
    "end_session",
    "enrol_device",
    "issue_enrolment_code",
    "note_contact",
    "open_session",
    "post_officer",
    "reinstate_device",
    "reinstate_officer",
    "report_device_lost",
    "rotate_session",
    "set_password",
    "sign_statement",
    "suspend_device",
    "suspend_officer",
]
