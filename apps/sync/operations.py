"""The types of mutations a phone may send, and the domain action behind each. The one place that joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from apps.common.actor import Actor
from apps.common.errors import InvalidFields, Problem
from apps.custody import actions as custody
from apps.evidence.models import Attachment
from apps.inspections.actions import (
    Edited,
    declare_photo,
    discard_inspection,
    save_inspection,
    submit_inspection,
)
from apps.inspections.queries import KIND as INSPECTION
from apps.seizures import actions as seizures
from apps.seizures.queries import KIND as SEIZURE
from apps.sync.rules import Envelope, is_uuid


@dataclass(frozen=True)
class Applied:
    """What an applied mutation tells the phone."""

    rev: int
    merged: bool = False
    warnings: tuple[str, ...] = ()


Operation = Callable[[Actor, Envelope], Applied]


def _save(actor: Actor, sent: Envelope) -> Applied:
    return _edited(
        save_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev, fields=sent.fields)
    )


def _submit(actor: Actor, sent: Envelope) -> Applied:
    return _edited(
        submit_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev, fields=sent.fields)
    )


def _discard(actor: Actor, sent: Envelope) -> Applied:
    return Applied(discard_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev))


def _declare(actor: Actor, sent: Envelope) -> Applied:
    fields = sent.fields
    declare = DECLARE.get(fields.get("owner_kind", INSPECTION))
    if declare is None:
        unknown = Problem("/fields/owner_kind", "choice", "Loại hồ sơ không hợp lệ.", "No kind of record.")
        raise InvalidFields(errors=[unknown])
    owner = fields.get("report")
    if not is_uuid(owner):
        raise InvalidFields(
            errors=[Problem("/fields/report", "type", "Sai kiểu dữ liệu.", "This is a report's id.")]
        )
    photo = declare(
        actor=actor,
        report_id=UUID(str(owner)),
        photo_id=sent.object,
        posting=fields.get("posting"),
        step_key=fields.get("step", ""),
        purpose=fields.get("purpose", ""),
        sha256=fields.get("sha256", ""),
        size=fields.get("size", 0),
        mime=fields.get("mime", ""),
        capture_mode=fields.get("capture_mode", "in_app"),
        captured_on_device_at=fields.get("captured_on_device_at"),
        manifest=fields.get("manifest", ""),
        signature=fields.get("signature", ""),
    )
    return Applied(rev=photo.rev)


def _seizure(
    write: Callable[..., seizures.Edited],
) -> Operation:
    def operation(actor: Actor, sent: Envelope) -> Applied:
        return _edited(write(actor=actor, report_id=sent.object, base_rev=sent.base_rev, fields=sent.fields))

    return operation


def _discard_seizure(actor: Actor, sent: Envelope) -> Applied:
    return Applied(seizures.discard_seizure(actor=actor, report_id=sent.object, base_rev=sent.base_rev))


def _record_exhibit(actor: Actor, sent: Envelope) -> Applied:
    return _done(custody.record_exhibit(actor=actor, exhibit_id=sent.object, fields=sent.fields))


def _step(step: str) -> Operation:
    def operation(actor: Actor, sent: Envelope) -> Applied:
        done = custody.take_step(
            actor=actor, exhibit_id=sent.object, step=step, base_rev=sent.base_rev, fields=sent.fields
        )
        return _done(done)

    return operation


def _correct(actor: Actor, sent: Envelope) -> Applied:
    """Correct an exhibit; `reason` says why, the other fields what it should have said."""
    reason = sent.fields.get("reason", "")
    done = custody.correct_exhibit(
        actor=actor,
        exhibit_id=sent.object,
        base_rev=sent.base_rev,
        fields=sent.fields,
        reason=reason if isinstance(reason, str) else "",
    )
    return _done(done)


def _sample(actor: Actor, sent: Envelope) -> Applied:
    """Take a sample; the object is the sample, `exhibit` what it is taken from and `exhibit_rev` its revision."""
    source, rev = sent.fields.get("exhibit"), sent.fields.get("exhibit_rev")
    if not is_uuid(source) or not (rev is None or isinstance(rev, int)):
        raise InvalidFields(
            errors=[Problem("/fields/exhibit", "type", "Sai kiểu dữ liệu.", "An exhibit's id.")]
        )
    done = custody.take_sample(
        actor=actor, exhibit_id=UUID(str(source)), base_rev=rev, sample_id=sent.object, fields=sent.fields
    )
    return _done(done)


def _offer(actor: Actor, sent: Envelope) -> Applied:
    return Applied(custody.offer_hand_over(actor=actor, offer_id=sent.object, fields=sent.fields).rev)


def _accept(actor: Actor, sent: Envelope) -> Applied:
    offer = custody.accept_hand_over(actor=actor, offer_id=sent.object, fields=sent.fields)
    differs = {code for item in offer.items.values() for code in item.get("differs", ())}
    return Applied(offer.rev, warnings=tuple(sorted(differs)))


def _refuse(actor: Actor, sent: Envelope) -> Applied:
    return Applied(custody.refuse_hand_over(actor=actor, offer_id=sent.object, note=_note(sent)).rev)


def _withdraw(actor: Actor, sent: Envelope) -> Applied:
    return Applied(custody.withdraw_hand_over(actor=actor, offer_id=sent.object, note=_note(sent)).rev)


def _note(sent: Envelope) -> str:
    note = sent.fields.get("note", "")
    return note if isinstance(note, str) else ""


def _done(done: custody.Done) -> Applied:
    return Applied(done.exhibit.rev, warnings=done.warnings)


def _edited(edit: Edited | seizures.Edited) -> Applied:
    return Applied(edit.report.rev, edit.merged, edit.warnings)


DECLARE: Mapping[object, Callable[..., Attachment]] = {
    INSPECTION: declare_photo,
    SEIZURE: seizures.declare_photo,
}


OPERATIONS: Mapping[str, Operation] = {
    "inspection.save": _save,
    "inspection.submit": _submit,
    "inspection.discard": _discard,
    "attachment.create": _declare,
    "seizure.flash": _seizure(seizures.send_flash),
    "seizure.save": _seizure(seizures.save_seizure),
    "seizure.preliminary": _seizure(seizures.send_preliminary),
    "seizure.submit": _seizure(seizures.submit_seizure),
    "seizure.discard": _discard_seizure,
    "exhibit.record": _record_exhibit,
    "exhibit.seal": _step("sealed"),
    "exhibit.unseal": _step("unsealed"),
    "exhibit.reseal": _step("resealed"),
    "exhibit.store": _step("stored"),
    "exhibit.move": _step("moved"),
    "exhibit.receive": _step("received_lab"),
    "exhibit.sample": _sample,
    "exhibit.correct": _correct,
    "hand_over.offer": _offer,
    "hand_over.accept": _accept,
    "hand_over.refuse": _refuse,
    "hand_over.withdraw": _withdraw,
}
